from __future__ import annotations

from pathlib import Path

import pytest
from inprocess import Spoofbench

BROKEN = """
import torch
from spoofbench import ModelSpec, hookimpl

@hookimpl
def spoofbench_models():
    return [ModelSpec(name="flawed", target="flawed_plugin:Flawed", summary="Written wrongly.")]

class Flawed:
    def score(self, audio, lengths):
        return audio.mean()
"""


@pytest.fixture
def flawed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "installed"
    information = folder / "flawed_plugin-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "flawed_plugin.py").write_text(BROKEN)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: flawed-plugin\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text("[spoofbench]\nflawed = flawed_plugin\n")
    monkeypatch.syspath_prepend(folder)


def test_what_keeps_its_contract_ends_well(spoofbench_cli: Spoofbench):
    done = spoofbench_cli("plugins", "check", "eer")
    assert done.code == 0
    assert "metric eer, from metrics (spoofbench" in done.out
    assert done.out.count("  ok  ") == 4


def test_what_is_broken_says_what_was_expected_and_what_to_do(
    flawed: None, spoofbench_cli: Spoofbench
):
    done = spoofbench_cli("plugins", "check", "flawed")
    assert done.code == 2
    assert "FAIL  Each utterance gets one finite score" in done.out
    assert "expected a tensor of floats, (3,); came ()" in done.out
    assert "Return one number for each row" in done.out
    assert "clauses of the contract are broken" in done.err


def test_all_that_a_distribution_offers_is_checked(flawed: None, spoofbench_cli: Spoofbench):
    done = spoofbench_cli("plugins", "check", "flawed-plugin")
    assert "model flawed, from flawed" in done.out


def test_a_name_that_nothing_has(spoofbench_cli: Spoofbench):
    done = spoofbench_cli("plugins", "check", "nobody")
    assert done.code == 2
    assert "nothing is offered under the name 'nobody'" in done.err


def test_the_list_is_still_the_list(spoofbench_cli: Spoofbench):
    done = spoofbench_cli("plugins")
    assert done.code == 0
    assert "distribution" in done.out
