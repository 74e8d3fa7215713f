from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spoofbench.metrics.judged import AsvRates, AsvScores, Judged, TandemCosts
from spoofbench.metrics.tandem import min_tdcf_2019, min_tdcf_2021, weights_2019, weights_2021

Scores = NDArray[np.float64]

COSTS = TandemCosts(
    p_spoof=0.05,
    p_target=0.95 * 0.99,
    p_nontarget=0.95 * 0.01,
    c_miss=1.0,
    c_fa=10.0,
    c_fa_spoof=10.0,
)
LA_EVAL = AsvRates(miss=132 / 5370, false_alarm=820 / 33327, spoof_false_alarm=48592 / 63882)
"""The ASV system of ASVspoof 2019 LA eval, in trials."""

coarse = st.lists(st.integers(-4, 4), min_size=1, max_size=14).map(np.array)
usable_asv = st.builds(
    AsvRates,
    miss=st.floats(0, 0.5),
    false_alarm=st.floats(0, 0.5),
    spoof_false_alarm=st.floats(0.01, 1),
)


def judged(bonafide: Scores, spoof: Scores, asv: AsvRates = LA_EVAL) -> Judged:
    return Judged(bonafide=bonafide, spoof=spoof, asv=asv, costs=COSTS)


def slow_rates(bonafide: Scores, spoof: Scores) -> list[tuple[float, float]]:
    """Official order: sort, bona fide first among equals, reject one trial after the other."""
    trials = sorted([(score, 0) for score in bonafide] + [(score, 1) for score in spoof])
    missed, false_alarms = 0, spoof.size
    rates = [(0.0, 1.0)]
    for _, is_spoof in trials:
        missed, false_alarms = missed + (not is_spoof), false_alarms - is_spoof
        rates.append((missed / bonafide.size, false_alarms / spoof.size))
    return rates


def slow_2019(bonafide: Scores, spoof: Scores, asv: AsvRates) -> float:
    """The definition of the 2019 evaluation plan, written with the spoofs that the ASV misses."""
    spoof_miss = 1 - asv.spoof_false_alarm
    of_miss = 0.9405 * (1 - 1 * asv.miss) - 0.0095 * 10 * asv.false_alarm
    of_false_alarm = 10 * 0.05 * (1 - spoof_miss)
    cost = min(of_miss * miss + of_false_alarm * fa for miss, fa in slow_rates(bonafide, spoof))
    return cost / min(of_miss, of_false_alarm)


def slow_2021(bonafide: Scores, spoof: Scores, asv: AsvRates) -> float:
    """The expected cost of the two systems in a row, summed over all that can go wrong."""

    def cost(miss: float, false_alarm: float) -> float:
        target_rejected_by_cm = miss
        target_rejected_by_asv = (1 - miss) * asv.miss
        nontarget_accepted_by_both = (1 - miss) * asv.false_alarm
        spoof_accepted_by_both = false_alarm * asv.spoof_false_alarm
        return (
            0.9405 * 1 * (target_rejected_by_cm + target_rejected_by_asv)
            + 0.0095 * 10 * nontarget_accepted_by_both
            + 0.05 * 10 * spoof_accepted_by_both
        )

    default = min(cost(0, 1), cost(1, 0))
    return min(cost(*rates) for rates in slow_rates(bonafide, spoof)) / default


def test_the_weights_of_2019_la_eval_follow_from_its_trials():
    of_2019, of_2021 = weights_2019(LA_EVAL, COSTS), weights_2021(LA_EVAL, COSTS)
    assert of_2019 == pytest.approx((0, 0.9150441201, 0.3803262265), abs=5e-11)
    assert of_2021 == pytest.approx((0.0254558799, 0.9150441201, 0.3803262265), abs=5e-11)


@given(coarse, coarse, usable_asv)
def test_min_tdcf_2019_is_what_a_loop_over_trials_gives(bonafide, spoof, asv):
    value = min_tdcf_2019(judged(bonafide, spoof, asv))
    assert value == pytest.approx(slow_2019(bonafide, spoof, asv), abs=1e-12)


@given(coarse, coarse, usable_asv)
def test_min_tdcf_2021_is_what_a_loop_over_trials_gives(bonafide, spoof, asv):
    value = min_tdcf_2021(judged(bonafide, spoof, asv))
    assert value == pytest.approx(slow_2021(bonafide, spoof, asv), abs=1e-12)


@given(coarse, coarse, usable_asv)
def test_neither_costs_more_than_accepting_or_rejecting_all(bonafide, spoof, asv):
    for metric in (min_tdcf_2019, min_tdcf_2021):
        assert 0 <= metric(judged(bonafide, spoof, asv)) <= 1


@given(usable_asv, st.integers(1, 9), st.integers(1, 9))
def test_a_score_that_is_the_same_for_all_trials_costs_one(asv, bonafide, spoof):
    same = judged(np.full(bonafide, 0.3), np.full(spoof, 0.3), asv)
    assert min_tdcf_2019(same) == 1
    assert min_tdcf_2021(same) == 1


def test_a_countermeasure_without_errors_leaves_the_cost_of_the_asv_system():
    perfect = judged(np.array([1.0, 2.0]), np.array([0.0, -1.0]))
    assert min_tdcf_2019(perfect) == 0
    c0, c2 = 0.0254558799, 0.3803262265
    assert min_tdcf_2021(perfect) == pytest.approx(c0 / (c0 + c2), abs=1e-9)


@given(coarse, coarse, usable_asv)
def test_with_one_false_alarm_cost_the_two_years_are_a_line_apart(bonafide, spoof, asv):
    trials = judged(bonafide, spoof, asv)
    weights = weights_2021(asv, COSTS)
    best = min(weights.c1, weights.c2)
    line = (weights.c0 + best * min_tdcf_2019(trials)) / (weights.c0 + best)
    assert min_tdcf_2021(trials) == pytest.approx(line, abs=1e-12)


@given(coarse, coarse)
def test_increasing_transforms_leave_them_alone(bonafide, spoof):
    plain, transformed = judged(bonafide, spoof), judged(np.exp(bonafide), np.exp(spoof))
    assert min_tdcf_2019(plain) == min_tdcf_2019(transformed)
    assert min_tdcf_2021(plain) == min_tdcf_2021(transformed)


@given(coarse, coarse, st.floats(0.1, 100))
def test_the_currency_of_the_costs_leaves_them_alone(bonafide, spoof, rate):
    trials = judged(bonafide, spoof)
    dearer = replace(COSTS, c_miss=rate, c_fa=10 * rate, c_fa_spoof=10 * rate)
    for metric in (min_tdcf_2019, min_tdcf_2021):
        assert metric(replace(trials, costs=dearer)) == pytest.approx(metric(trials), abs=1e-12)


@given(coarse, coarse)
def test_a_bona_fide_trial_that_scores_higher_never_costs_more(bonafide, spoof):
    better = bonafide.copy()
    better[0] += 3
    for metric in (min_tdcf_2019, min_tdcf_2021):
        assert metric(judged(better, spoof)) <= metric(judged(bonafide, spoof))


@given(coarse, coarse)
def test_a_spoof_trial_that_scores_lower_never_costs_more(bonafide, spoof):
    better = spoof.copy()
    better[0] -= 3
    for metric in (min_tdcf_2019, min_tdcf_2021):
        assert metric(judged(bonafide, better)) <= metric(judged(bonafide, spoof))


def test_min_tdcf_2019_prices_an_accepted_spoof_like_an_accepted_non_target():
    trials = judged(np.array([1.0, 3.0]), np.array([0.0, 2.0, -1.0]))
    cheap_spoofs = replace(trials, costs=replace(COSTS, c_fa_spoof=1.0))
    assert min_tdcf_2019(cheap_spoofs) == min_tdcf_2019(trials)
    assert min_tdcf_2021(cheap_spoofs) != min_tdcf_2021(trials)


@pytest.mark.parametrize("metric", [min_tdcf_2019, min_tdcf_2021])
@pytest.mark.parametrize("missing", ["asv", "costs"])
def test_without_an_asv_system_there_is_no_tandem_cost(metric, missing):
    trials = replace(judged(np.array([1.0]), np.array([0.0])), **{missing: None})
    with pytest.raises(ValueError, match="ASV system"):
        metric(trials)


@pytest.mark.parametrize("metric", [min_tdcf_2019, min_tdcf_2021])
def test_an_asv_system_with_its_sign_flipped_makes_no_sense(metric):
    flipped = AsvRates(miss=0.975, false_alarm=0.975, spoof_false_alarm=0.2)
    with pytest.raises(ValueError, match="makes no sense with this ASV system"):
        metric(judged(np.array([1.0]), np.array([0.0]), flipped))


def test_min_tdcf_2019_makes_no_sense_where_no_spoof_passes_the_asv_system():
    safe = AsvRates(miss=0.02, false_alarm=0.02, spoof_false_alarm=0.0)
    with pytest.raises(ValueError, match="makes no sense with this ASV system"):
        min_tdcf_2019(judged(np.array([1.0]), np.array([0.0]), safe))


def test_min_tdcf_2021_is_one_where_no_spoof_passes_the_asv_system():
    safe = AsvRates(miss=0.02, false_alarm=0.02, spoof_false_alarm=0.0)
    assert min_tdcf_2021(judged(np.array([1.0]), np.array([0.0]), safe)) == 1


def test_min_tdcf_2021_makes_no_sense_with_an_asv_system_without_errors():
    perfect = AsvRates(miss=0.0, false_alarm=0.0, spoof_false_alarm=0.0)
    with pytest.raises(ValueError, match="makes no sense with this ASV system"):
        min_tdcf_2021(judged(np.array([1.0]), np.array([0.0]), perfect))


def test_the_metrics_load_neither_torch_nor_scipy_nor_pandas():
    program = (
        "import sys, spoofbench.metrics.tandem, spoofbench.metrics.ties\n"
        "print(sorted({'torch', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.reference
@pytest.mark.parametrize("name", ["la-eval.aasist.txt", "la-eval.rawgat-st-mul.txt"])
def test_the_tandem_costs_of_published_scores_are_the_published_ones(
    name: str,
    published: Callable[[str], Any],
    published_asv: Callable[[str], AsvScores],
    expected: dict[str, Any],
):
    scores, asv = published(name), published_asv("eval").rates()
    trials = judged(scores.bonafide, scores.spoof, asv)
    figures = expected["scores"][name]
    assert min_tdcf_2019(trials) == pytest.approx(figures["min_tdcf_2019"], abs=5e-6)
    assert min_tdcf_2021(trials) == pytest.approx(figures["min_tdcf_2021"], abs=5e-6)


@pytest.mark.reference
def test_the_tandem_costs_of_published_scores_are_what_a_loop_over_trials_gives(
    published: Callable[[str], Any],
):
    scores = published("la-eval.rawgat-st-mul.txt")
    trials = judged(scores.bonafide, scores.spoof)
    assert min_tdcf_2019(trials) == pytest.approx(
        slow_2019(scores.bonafide, scores.spoof, LA_EVAL), abs=1e-12
    )
