from __future__ import annotations

import json
from pathlib import Path

import pytest

from spoofbench.errors import InvalidRun
from spoofbench.speed import suite
from spoofbench.speed.suite import Part


@pytest.fixture(autouse=True)
def _not_beside_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pytest-benchmark measure, though pytest-xdist runs this test."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


def test_a_rate_is_units_by_seconds(tmp_path: Path):
    table = {
        "benchmarks": [
            {
                "name": "test_metric[eer-10000]",
                "stats": {"median": 0.5},
                "extra_info": {"per_call": 10_000, "unit": "trials"},
            }
        ]
    }
    (tmp_path / "b.json").write_text(json.dumps(table))
    (part,) = suite.parts_of(tmp_path / "b.json")
    assert part == Part(name="metric[eer-10000]", seconds=0.5, per_call=10_000, unit="trials")
    assert part.rate == 20_000
    assert suite.lines([part]) == [("metric[eer-10000]", "500.000 ms", "20,000 trials/s")]


def test_the_suite_runs_and_cost_grows_with_trials_and_not_faster():
    """A hundred times the trials: sorting them may cost more than linear by a logarithm only."""
    found = {part.name: part for part in suite.run("metric and eer")}
    assert set(found) == {"metric[eer-10000]", "metric[eer-71237]", "metric[eer-1000000]"}
    growth = found["metric[eer-1000000]"].seconds / found["metric[eer-10000]"].seconds
    assert 20 < growth < 500


def test_a_benchmark_that_is_not_there_is_an_error():
    with pytest.raises(InvalidRun, match="NO_TESTS_COLLECTED"):
        suite.run("nothing-of-the-kind")


def test_the_suite_measures_augmenting_both_ways_and_finds_the_same_audio():
    """The suite itself fails where the two differ by a bit."""
    found = {part.name for part in suite.run("augmenting and gain")}
    assert found == {"augmenting[gain-together]", "augmenting[gain-one by one]"}
