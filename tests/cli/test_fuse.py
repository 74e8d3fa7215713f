from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from divided import gaussian, keys_of, terms, write_part, write_scores
from program import Outcome

from spoofbench.calibration.fusion import read


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Dev and eval with the scores of two independent systems: dev/a.txt, dev/b.txt, eval/..."""
    root = tmp_path / "corpus"
    for seed, part in enumerate(("dev", "eval")):
        there, random = terms(write_part(root, part)), np.random.default_rng(seed)
        for name in ("a", "b"):
            scores = gaussian(keys_of(there), random)
            write_scores(tmp_path / part / f"{name}.txt", there, scores)
    return root


DEV = ("--dev", "dev/a.txt", "--dev", "dev/b.txt")
EVAL = ("--apply", "eval/a.txt", "--apply", "eval/b.txt")


@pytest.fixture
def fuse(corpus: Path, spoofbench_cli) -> Callable[..., Outcome]:
    def run(*more: str, dev=DEV, files=EVAL, out="fused.txt") -> Outcome:
        where = ("--protocol", corpus / "eval.toml", "--data", corpus, "--out", out)
        return spoofbench_cli("fuse", *dev, *files, *where, *more)

    return run


def refused(outcome: Outcome, said: str) -> None:
    assert (outcome.code, said in outcome.err, outcome.out) == (2, True, ""), outcome


def test_the_fusion_stands_beside_its_systems_and_ranks_better(fuse):
    outcome = fuse("--format", "csv")
    assert outcome.code == 0, outcome.err
    rows = [row for row in csv.DictReader(io.StringIO(outcome.out)) if "eval" in row["protocol"]]
    eers = {row["run"]: float(row["eer"]) for row in rows}
    assert list(eers) == ["a", "b", "fused"]
    # independent and equally good: d' grows by the root of 2, the EER falls from 0.159 to 0.079
    assert eers["fused"] < min(eers["a"], eers["b"]) - 0.03


def test_weights_are_printed_raw_and_standardised(fuse, tmp_path: Path):
    outcome = fuse()
    made = read(tmp_path / "fused.fusion.json")
    assert f"{made.systems[0].weight:.6g} x a" in outcome.out
    assert f"a {made.systems[0].standardised:.4g}" in outcome.out


def test_the_fused_file_is_the_weighted_sum(fuse, tmp_path: Path):
    fuse()
    made = read(tmp_path / "fused.fusion.json")
    a, b = (np.loadtxt(tmp_path / "eval" / f"{name}.txt", usecols=1) for name in "ab")
    expected = made.systems[0].weight * a + made.systems[1].weight * b + made.offset
    fused = np.loadtxt(tmp_path / "fused.txt", usecols=1)
    assert np.allclose(fused, expected, rtol=0, atol=1e-12)


def test_a_stored_fusion_gives_the_same_scores(fuse, tmp_path: Path):
    fuse()
    outcome = fuse(dev=("--fusion", "fused.fusion.json"), out="again.txt")
    assert outcome.code == 0
    assert (tmp_path / "again.txt").read_bytes() == (tmp_path / "fused.txt").read_bytes()


def test_a_stored_fusion_knows_the_order_of_its_systems(fuse):
    fuse()
    turned = ("--apply", "eval/b.txt", "--apply", "eval/a.txt")
    stored = ("--fusion", "fused.fusion.json")
    refused(fuse(dev=stored, files=turned, out="x.txt"), "the systems are a, b")


def test_another_order_of_files_is_refused(fuse):
    turned = ("--apply", "eval/b.txt", "--apply", "eval/a.txt")
    refused(fuse(files=turned), "--apply gives b, a")


def test_a_missing_system_is_refused(fuse):
    refused(fuse(files=("--apply", "eval/a.txt")), "2 systems are fused")


def test_one_system_is_refused(fuse):
    one = fuse(dev=("--dev", "dev/a.txt"), files=("--apply", "eval/a.txt"))
    refused(one, "two systems or more")


def test_without_anything_to_fit_on_it_is_said_what_to_give(fuse):
    refused(fuse(dev=()), "give --dev FILE, or --fusion FILE")


def test_an_eval_protocol_is_refused(fuse):
    refused(fuse("--dev-protocol", "la-eval"), "la-eval is an eval protocol")


def test_nothing_is_replaced(fuse, tmp_path: Path):
    fuse()
    before = (tmp_path / "fused.txt").read_bytes()
    refused(fuse(), "exists already")
    assert (tmp_path / "fused.txt").read_bytes() == before


def test_a_calibration_file_is_no_fusion_file(fuse, corpus: Path, spoofbench_cli):
    spoofbench_cli(
        *("calibrate", "--dev", "dev/a.txt", "--apply", "eval/a.txt"),
        *("--protocol", corpus / "eval.toml", "--data", corpus, "--out", "out"),
    )
    refused(fuse(dev=("--fusion", "out/calibration.json")), "calibration.json")
