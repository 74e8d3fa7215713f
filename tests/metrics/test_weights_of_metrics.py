"""Every metric counts a trial of weight 3 as three trials, and one of weight 0 not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from weighted import weighted_trials

from spoofbench_metrics.plugin import spoofbench_metrics

SPECS = spoofbench_metrics()
METRICS = {spec.name: spec.resolve() for spec in SPECS}
ROUNDED = ("cllr", "min-cllr", "eer-hull", "t-eer")
"""Those that are more than counts over counts: sums of logarithms, places between two points."""


@given(judged=weighted_trials())
def test_a_weighted_trial_counts_as_often_as_a_repeated_one(judged):
    repeated = judged.repeated()
    counted = {name: metric(judged) for name, metric in METRICS.items()}
    expected = {name: metric(repeated) for name, metric in METRICS.items()}
    assert counted == pytest.approx(expected, abs=1e-12)
    exact = METRICS.keys() - set(ROUNDED)
    assert {name: counted[name] for name in exact} == {name: expected[name] for name in exact}


def test_every_metric_says_that_it_counts_by_weights():
    assert [spec.name for spec in SPECS if not spec.weighted] == []
