"""``spoofbench speed`` on models whose speed is known because they sleep."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from inprocess import Spoofbench

MODELS = """
import time
class Quick:
    seconds = 0.005
    def score(self, audio, lengths):
        time.sleep(self.seconds)
        return audio.sum(dim=1)
class Slow(Quick):
    seconds = 0.05
"""
FEW = ("--rounds", "1", "--repeats", "2", "--batch", "1", "--samples", "8000")


@pytest.fixture
def models(tmp_path: Path) -> str:
    (tmp_path / "models.py").write_text(MODELS)
    return f"python:{tmp_path / 'models.py'}"


def test_a_table_with_the_ratio_and_the_difference(models: str, spoofbench_cli: Spoofbench):
    done = spoofbench_cli("speed", f"{models}:Quick", "--against", f"{models}:Slow", *FEW)
    assert done.code == 0, done.err
    assert "times the base" in done.out
    assert "0.0e+00" in done.out
    assert "1 rounds of 2 calls each, noise, random weights" in done.err


def test_markdown_is_a_table(models: str, spoofbench_cli: Spoofbench):
    lines = spoofbench_cli("speed", f"{models}:Quick", *FEW, "--markdown").out.splitlines()
    assert lines[0].startswith("| subject |")
    assert len({line.count("|") for line in lines[:3]}) == 1


def test_slower_than_before_is_an_error_only_if_asked(
    models: str, spoofbench_cli: Spoofbench, tmp_path: Path
):
    kept = tmp_path / "before.json"
    spoofbench_cli("speed", f"{models}:Quick", *FEW, "--json", kept)
    table = json.loads(kept.read_text())
    table["cases"][0]["seconds"] = [[0.001, 0.001]]
    kept.write_text(json.dumps(table))
    again = ("speed", f"{models}:Quick", *FEW, "--compare", kept)
    told = spoofbench_cli(*again)
    assert (told.code, "1.0 ms, now" in told.out) == (0, True)
    failed = spoofbench_cli(*again, "--fail-if-slower", "50%")
    assert failed.code == 2
    assert "1 cases are slower by more than 50 %" in failed.err


def test_recordings_are_scored_where_they_are_given(
    models: str, spoofbench_cli: Spoofbench, tmp_path: Path
):
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a.wav", np.full(100, 0.5), 16_000)
    kept = tmp_path / "kept.json"
    done = spoofbench_cli(
        *("speed", f"{models}:Quick", *FEW, "--audio", tmp_path / "audio", "--json", kept)
    )
    assert done.code == 0, done.err
    (case,) = json.loads(kept.read_text())["cases"]
    assert case["scores"] == [pytest.approx(4000.0, rel=1e-3)], "repeated to 8,000 samples"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["--batch", "many"], "--batch many: it takes numbers"),
        (["--threads", "0"], "--threads takes whole numbers from 1 up"),
        (["--precision", "fp8"], "--precision fp8 is unknown"),
        (["--fail-if-slower", "5%"], "--fail-if-slower needs --compare"),
        (["--compare", "nowhere.json"], "nowhere.json cannot be read"),
        (["--audio", "."], "there are no recordings in it"),
    ],
)
def test_bad_options_end_with_exit_code_2(
    said: list[str], message: str, models: str, spoofbench_cli: Spoofbench
):
    done = spoofbench_cli("speed", f"{models}:Quick", *FEW, *said)
    assert done.code == 2
    assert message in done.err


def test_a_model_that_is_not_there(spoofbench_cli: Spoofbench):
    done = spoofbench_cli("speed", "aasistt", *FEW)
    assert done.code == 2
    assert "aasistt" in done.err
