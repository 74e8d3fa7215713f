from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weighted import coarse

from spoofbench.metrics.costs import (
    act_dcf,
    balanced_accuracy,
    false_alarm_at_threshold,
    min_dcf,
    miss_at_threshold,
)
from spoofbench.metrics.judged import DetectionCosts, Judged

prices = st.builds(
    DetectionCosts,
    p_spoof=st.floats(0.01, 0.99),
    c_miss=st.floats(0.1, 20),
    c_fa=st.floats(0.1, 20),
)


def slow_cost(judged: Judged, threshold: float) -> float:
    """The cost that is to be expected of a trial, over that of not listening to it."""
    costs = judged.detection
    miss = sum(score < threshold for score in judged.bonafide) / judged.bonafide.size
    false_alarm = sum(score >= threshold for score in judged.spoof) / judged.spoof.size
    of_miss, of_false_alarm = costs.c_miss * (1 - costs.p_spoof), costs.c_fa * costs.p_spoof
    return (of_miss * miss + of_false_alarm * false_alarm) / min(of_miss, of_false_alarm)


def test_the_bayes_threshold_of_asvspoof_5_is_minus_log_1_9():
    assert DetectionCosts().bayes_threshold == pytest.approx(-math.log(1.9), abs=1e-15)
    assert DetectionCosts().operating_threshold == DetectionCosts().bayes_threshold
    assert DetectionCosts(threshold=0.0).operating_threshold == 0


def test_costs_counted_by_hand():
    # At -0.642 one of four bona fide is missed and one of five spoofs accepted. A miss costs 0.95,
    # a false alarm 0.5; rejecting all would cost 0.95, accepting all 0.5.
    judged = Judged(
        bonafide=np.array([-2.0, 0.0, 1.0, 3.0]), spoof=np.array([-4.0, -3.0, -2.5, -1.0, 2.0])
    )
    assert act_dcf(judged) == pytest.approx((0.95 / 4 + 0.5 / 5) / 0.5, abs=1e-12)
    # Accepting from -2 on misses none and accepts two spoofs of five.
    assert min_dcf(judged) == pytest.approx(2 / 5, abs=1e-12)
    assert miss_at_threshold(judged) == 1 / 4
    assert false_alarm_at_threshold(judged) == 1 / 5
    assert balanced_accuracy(judged) == pytest.approx(1 - 0.45 / 2, abs=1e-12)


def test_a_score_at_the_threshold_is_accepted():
    judged = Judged(
        bonafide=np.array([0.5, 1.0]),
        spoof=np.array([0.5, 0.0]),
        detection=DetectionCosts(threshold=0.5),
    )
    assert (miss_at_threshold(judged), false_alarm_at_threshold(judged)) == (0, 1 / 2)


@given(coarse, coarse, prices)
def test_costs_are_what_a_loop_over_trials_gives(bonafide, spoof, costs):
    judged = Judged(bonafide=bonafide, spoof=spoof, detection=costs)
    thresholds = [*bonafide, *spoof, -math.inf, math.inf]
    least = min(slow_cost(judged, threshold) for threshold in thresholds)
    assert min_dcf(judged) == pytest.approx(least, rel=1e-12, abs=1e-12)
    actual = slow_cost(
        judged, math.log(costs.c_fa / costs.c_miss * costs.p_spoof / (1 - costs.p_spoof))
    )
    assert act_dcf(judged) == pytest.approx(actual, rel=1e-12, abs=1e-12)


@given(coarse, coarse, prices)
def test_the_least_cost_is_at_most_the_actual_one_and_that_of_not_listening(bonafide, spoof, costs):
    judged = Judged(bonafide=bonafide, spoof=spoof, detection=costs)
    assert 0 <= min_dcf(judged) <= min(1, act_dcf(judged))


@given(coarse, coarse, prices)
def test_an_increasing_transform_leaves_the_least_cost_alone(bonafide, spoof, costs):
    plain = Judged(bonafide=bonafide, spoof=spoof, detection=costs)
    other = Judged(bonafide=np.exp(bonafide), spoof=np.exp(spoof), detection=costs)
    assert min_dcf(plain) == min_dcf(other)


def test_the_prior_alone_decides_what_is_cheaper_for_a_score_that_says_nothing():
    # An LLR of 0 says nothing. Spoofs are rare and dear: 0.95 for all misses, 0.5 for all accepted.
    silent = Judged(bonafide=np.zeros(3), spoof=np.zeros(5))
    assert (min_dcf(silent), act_dcf(silent)) == (1, 1)
    wrong = Judged(bonafide=np.zeros(3), spoof=np.zeros(5), detection=DetectionCosts(p_spoof=0.5))
    assert min_dcf(wrong) == 1
    assert act_dcf(wrong) == 1


def test_actual_cost_may_exceed_that_of_not_listening():
    flipped = Judged(bonafide=np.full(4, -3.0), spoof=np.full(4, 3.0))
    assert act_dcf(flipped) == pytest.approx((0.95 + 0.5) / 0.5, abs=1e-12)


def test_normal_log_likelihood_ratios_have_the_rates_of_the_normal_distribution():
    # LLRs of two normal classes of unit variance, d apart: N(d^2/2, d^2) and N(-d^2/2, d^2).
    from scipy.stats import norm

    d, trials = 2.0, 200_000
    quantiles = norm.ppf((np.arange(trials) + 0.5) / trials)
    judged = Judged(bonafide=d * d / 2 + d * quantiles, spoof=-d * d / 2 + d * quantiles)
    threshold = -math.log(1.9)
    miss = norm.cdf((threshold - d * d / 2) / d)
    false_alarm = norm.sf((threshold + d * d / 2) / d)
    assert miss_at_threshold(judged) == pytest.approx(miss, abs=1e-5)
    assert false_alarm_at_threshold(judged) == pytest.approx(false_alarm, abs=1e-5)
    expected = (0.95 * miss + 0.5 * false_alarm) / 0.5
    assert act_dcf(judged) == pytest.approx(expected, abs=3e-5)
    assert min_dcf(judged) == pytest.approx(expected, abs=3e-5)


@pytest.mark.reference
def test_costs_of_a_published_system_are_the_known_ones(
    published: Callable[[str], Any], expected: dict[str, Any]
):
    scores = published("la-eval.rawgat-st-mul.txt")
    figures = expected["scores"]["la-eval.rawgat-st-mul.txt"]
    judged = Judged(bonafide=scores.bonafide, spoof=scores.spoof)
    assert min_dcf(judged) == pytest.approx(figures["min_dcf"], abs=5e-6)
    assert act_dcf(judged) == pytest.approx(figures["act_dcf"], abs=5e-5)
