"""Measurements in fresh processes, of models whose speed is known because they sleep."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from spoofbench.errors import InvalidRun, InvalidSettings
from spoofbench.speed import report
from spoofbench.speed.cases import Case, Plan, cases
from spoofbench.speed.measuring import Measured, measure, profile, ratio

MODELS = """
import time, torch
from torch import nn

class Sleeper(nn.Module):
    seconds, error = 0.02, 0.0
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(100, 10)
    def score(self, audio, lengths):
        time.sleep(self.seconds)
        self.linear(audio[:, :100])
        return audio.sum(dim=1) + self.error

class Quick(Sleeper):
    seconds = 0.005

class Wrong(Quick):
    error = 0.01

class Learner(Sleeper):
    def loss(self, audio, lengths, bonafide):
        return self.linear(audio[:, :100]).sum(dim=1)

class Greedy(Sleeper):
    def score(self, audio, lengths):
        raise MemoryError("no more")

class Broken(Sleeper):
    def score(self, audio, lengths):
        raise TypeError("written wrongly")

class Deaf:
    pass
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("models") / "models.py"
    file.write_text(MODELS)
    return file


def measured(models: Path, *names: str, rounds: int = 2, **said: object) -> list[Measured]:
    subjects = [(f"python:{models}:{name}", "") for name in names]
    usual = {"batches": [2], "threads": [1], "precisions": ["fp32"], "samples": [8_000]}
    plan = Plan(cases=cases(subjects, **(usual | said)), rounds=rounds)  # type: ignore[arg-type]
    return measure(plan, lambda done, total: None)


def test_subjects_that_are_compared_are_neighbours():
    found = cases(
        [("a", ""), ("b", "")],
        batches=[1, 8],
        threads=[1, 2],
        precisions=["fp32", "bf16"],
        samples=[100],
    )
    assert len(found) == 16
    assert [(c.subject, c.precision) for c in found[:4]] == [
        ("a", "fp32"), ("a", "bf16"), ("b", "fp32"), ("b", "bf16"),
    ]  # fmt: skip
    assert len({c.setting for c in found[:4]}) == 1


def test_runtimes_are_measured_in_single_precision_alone():
    found = cases(
        [("onnxruntime:a", "")],
        batches=[1],
        threads=[1],
        precisions=["fp32", "bf16"],
        samples=[100],
    )
    assert [case.precision for case in found] == ["fp32"]


@pytest.mark.parametrize(
    "said", [{"batches": [0]}, {"threads": []}, {"samples": [-1]}, {"precisions": ["fp8"]}]
)
def test_what_cannot_be_measured_is_refused(said: dict[str, list[int]]):
    usual = {"batches": [1], "threads": [1], "precisions": ["fp32"], "samples": [1]}
    with pytest.raises(InvalidSettings):
        cases([("a", "")], **(usual | said))  # type: ignore[arg-type]


def test_a_ratio_is_that_of_the_time_spent(models: Path):
    """20 ms against 5 ms: four times as fast, less what a call costs beside its sleep."""
    slow, quick = measured(models, "Sleeper", "Quick")
    found = ratio(quick, slow)
    assert found is not None
    assert 2.0 < found.middle < 4.5
    assert found.low <= found.middle <= found.high
    assert found.difference == 0
    assert slow.median == pytest.approx(0.02, abs=0.01)
    assert slow.throughput == pytest.approx(2 / slow.median)
    assert slow.real_time_factor == pytest.approx(slow.median / 1.0)
    assert len(slow.seconds) == 2
    assert slow.first_seconds[0] > slow.median
    assert min(slow.peak_bytes) > 50e6


def test_other_scores_are_told_and_marked(models: Path):
    results = measured(models, "Quick", "Wrong", rounds=1)
    found = ratio(results[1], results[0])
    assert found is not None
    assert found.difference == pytest.approx(0.01, abs=1e-4)
    base = results[0].case.subject
    marks = [line[-1].endswith("!") for line in report.rows(results, base, 1e-4)]
    assert marks == [False, True]
    assert not any(line[-1].endswith("!") for line in report.rows(results, base, 0.1))


def test_memory_that_runs_out_is_a_row_and_no_failure(models: Path):
    results = measured(models, "Quick", "Greedy", rounds=1)
    assert [result.out_of_memory for result in results] == [False, True]
    assert math.isnan(results[1].median)
    assert report.rows(results, results[0].case.subject, 1e-4)[1][5] == "out of memory"


def test_a_training_step_is_measured_and_needs_a_loss(models: Path):
    (result,) = measured(models, "Learner", rounds=1, work="train")
    assert len(result.seconds[0]) == 3
    with pytest.raises(InvalidSettings, match=r"has no loss"):
        measured(models, "Quick", rounds=1, work="train")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Broken", "TypeError: written wrongly"),
        ("Nobody", "has no Nobody"),
        ("Deaf", "it has no score"),
    ],
)
def test_what_cannot_be_made_or_fails_is_told_by_name(models: Path, name: str, message: str):
    with pytest.raises(InvalidSettings, match=message):
        measured(models, name, rounds=1)


def test_a_model_that_is_not_there_is_told(tmp_path: Path):
    plan = Plan(cases=(Case(subject="aasistt", samples=8_000),), rounds=1)
    with pytest.raises(InvalidSettings, match="aasistt"):
        measure(plan, lambda done, total: None)


def test_a_network_is_counted_and_its_time_shared_out(models: Path):
    """A linear layer from 100 to 10: 1,010 parameters, 1,000 multiply-accumulates."""
    found = profile(Case(subject=f"python:{models}:Quick", samples=8_000, work="profile"))
    assert (found["parameters"], found["macs"]) == (1_010, 1_000)
    assert 0 < found["modules"]["linear"] < 1


def test_what_was_written_is_read_again(models: Path, tmp_path: Path):
    results = measured(models, "Quick", rounds=1)
    report.write_json(results, "x", {}, tmp_path / "s.json")
    assert report.read_json(tmp_path / "s.json") == results
    (change,) = report.changes(results, report.read_json(tmp_path / "s.json"))
    assert change.slower == 0


def test_the_name_of_the_machine_is_in_no_file(models: Path, tmp_path: Path):
    import socket

    report.write_json(measured(models, "Quick", rounds=1), "x", {}, tmp_path / "s.json")
    assert socket.gethostname() not in (tmp_path / "s.json").read_text()


@pytest.mark.parametrize("text", ["", "[]", '{"cases": [{"case": {"subject": "a", "x": 1}}]}'])
def test_a_file_that_is_none_of_ours_is_refused(text: str, tmp_path: Path):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(InvalidRun, match=r"s\.json cannot be read"):
        report.read_json(tmp_path / "s.json")


CONFIG = {"model_config": {"architecture": "AASIST"}}
OFFICIAL = """
from torch import nn
class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layer = nn.Linear(4, 2)
    def forward(self, audio):
        return GIVEN
"""


def checkout(folder: Path, given: str) -> Case:
    """Write a checkout whose network returns ``given``; return the case that scores with it."""
    for part in ("config", "models"):
        (folder / part).mkdir(parents=True)
    (folder / "config" / "AASIST.conf").write_text(json.dumps(CONFIG))
    (folder / "models" / "AASIST.py").write_text(OFFICIAL.replace("GIVEN", given))
    return Case(subject=f"official:{folder}", batch=3, samples=8_000)


def test_a_checkout_of_the_published_code_is_found_by_its_names(tmp_path: Path):
    cases = (
        checkout(tmp_path / "now", "audio, self.layer(audio[:, :4])"),
        checkout(tmp_path / "then", "self.layer(audio[:, :4])"),
    )
    now, then = measure(Plan(cases=cases, rounds=1), lambda done, total: None)
    assert len(now.scores) == 3
    assert then.scores == now.scores  # an embedding beside the logits changes nothing


def test_a_checkout_of_the_published_code_learns(tmp_path: Path):
    case = checkout(tmp_path / "now", "audio, self.layer(audio[:, :4])")
    plan = Plan(cases=(replace(case, work="train"),), rounds=1)
    (trained,) = measure(plan, lambda done, total: None)
    assert trained.scores[0] == pytest.approx(math.log(2), abs=0.5)  # two classes, hardly known
    found = profile(replace(case, work="profile"))
    assert found["parameters"] == 10
    assert list(found["modules"]) == ["layer"]


def test_what_is_no_checkout_says_what_is_meant(tmp_path: Path):
    plan = Plan(cases=(Case(subject=f"official:{tmp_path}"),), rounds=1)
    with pytest.raises(InvalidSettings, match=r"AASIST\.conf cannot be read") as refused:
        measure(plan, lambda done, total: None)
    assert "checkout" in refused.value.hint
