from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from program import Outcome
from test_uncertainty import SPEAKERS, written


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    written(folder, [f"S{number:02d}" for number in range(SPEAKERS)])
    return folder


@pytest.fixture
def file(root: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write a score file of this separation; files share the noise of the trials."""

    def file(name: str, separation: float) -> Path:
        noise = np.random.default_rng(1)
        rows = [line.split() for line in (root / "keys.txt").read_text().splitlines()]
        lines = [
            f"{utterance} {separation * (key == 'bonafide') + noise.normal():.6f}\n"
            for _, utterance, _, key in rows
        ]
        (tmp_path / f"{name}.txt").write_text("".join(lines))
        return tmp_path / f"{name}.txt"

    return file


@pytest.fixture
def compare(root: Path, spoofbench_cli) -> Callable[..., Outcome]:
    terms = ("--protocol", root / "talkers.toml", "--data", root, "--replicates", "200")
    return lambda *args: spoofbench_cli("compare", *args, *terms)


def test_the_better_system_is_on_top_and_the_worse_in_another_rank_group(compare, file):
    outcome = compare(file("weak", 0.5), file("good", 2.0))
    assert outcome.code == 0
    rows = [line.split() for line in outcome.out.splitlines()]
    ranks = [row[:2] for row in rows if row[:1] in (["good"], ["weak"])][2:]
    assert ranks == [["good", "1"], ["weak", "2"]]


def test_speakers_are_drawn_unless_something_else_is_asked_for(compare, file):
    files = file("weak", 0.5), file("good", 2.0)
    assert "bootstrap by speaker, 200 replicates" in compare(*files).out
    assert "bootstrap by trial" in compare(*files, "--ci", "trial").out


def test_the_same_command_gives_the_same_numbers(compare, file):
    files = file("weak", 0.5), file("good", 2.0)
    assert compare(*files).out == compare(*files).out


def test_another_metric_can_rank(compare, file):
    outcome = compare(
        file("weak", 0.5), file("good", 2.0), "--metrics", "eer,auc", "--rank-by", "auc",
        "--format", "json",
    )  # fmt: skip
    (table,) = json.loads(outcome.out)
    assert table["ranking"]["metric"] == "auc"
    assert table["ranking"]["runs"]["weak"]["difference"] < 0


def test_a_run_folder_can_be_compared(compare, file, root: Path, tmp_path: Path, spoofbench_cli):
    terms = ("--protocol", root / "talkers.toml", "--data", root)
    kept = spoofbench_cli("score", file("kept", 2.0), *terms, "--out", tmp_path / "runs")
    assert kept.code == 0
    outcome = compare(tmp_path / "runs" / "talkers" / "kept", file("weak", 0.5))
    assert (outcome.code, "kept" in outcome.out) == (0, True)


def test_a_run_of_another_protocol_is_refused(
    compare, file, root: Path, tmp_path: Path, spoofbench_cli
):
    (root / "other.toml").write_text((root / "talkers.toml").read_text())
    terms = ("--protocol", root / "other.toml", "--data", root)
    spoofbench_cli("score", file("kept", 2.0), *terms, "--out", tmp_path / "runs")
    outcome = compare(tmp_path / "runs" / "other" / "kept", file("weak", 0.5))
    assert outcome.code == 2
    assert "is a run of other, not of talkers" in outcome.err


def test_one_file_is_not_enough(compare, file):
    outcome = compare(file("good", 2.0))
    assert (outcome.code, "two" in outcome.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--ci", "codec"), "--ci codec"),
        (("--ci-method", "normal"), "percentile, bca"),
        (("--rank-by", "cllr"), "eer, accuracy-at-eer"),
        (("--metrics", "eeer"), "eer"),
        (("--ci-level", "2"), "--ci-level"),
    ],
)
def test_an_option_that_makes_no_sense_is_explained(compare, file, options, said):
    outcome = compare(file("weak", 0.5), file("good", 2.0), *options)
    assert outcome.code == 2
    assert said in outcome.err
    assert "Traceback" not in outcome.err
