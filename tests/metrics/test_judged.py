from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from spoofbench.metrics.judged import AsvRates, AsvScores, Judged, TandemCosts
from spoofbench.metrics.tandem import weights_2019, weights_2021

TARGET = np.array([1.0, 4.0, 5.0, 6.0])
NONTARGET = np.array([-2.0, -1.0, 0.0, 2.0])


def asv(**changes: Any) -> AsvScores:
    fields = {
        "target": TARGET,
        "nontarget": NONTARGET,
        "spoof": np.array([0.5, 1.5, 3.0, -1.0, 1.0]),
        "attack": np.array(["A01", "A01", "A02", "A02", "A02"]),
    }
    return AsvScores(**{**fields, **changes})


def test_the_asv_threshold_is_the_highest_score_rejected_at_its_eer():
    # Rejecting up to 1.0 misses one target of four and accepts one non-target of four.
    assert asv().eer() == 1 / 4
    assert asv().threshold == 1.0


def test_the_asv_threshold_itself_is_accepted():
    # The target at 1.0, rejected at the EER's own point, is accepted at the threshold 1.0.
    assert asv().rates() == AsvRates(miss=0.0, false_alarm=1 / 4, spoof_false_alarm=3 / 5)


def test_the_rates_of_one_attack_differ_in_its_spoofs_alone():
    assert asv().rates("A01") == AsvRates(miss=0.0, false_alarm=1 / 4, spoof_false_alarm=1 / 2)
    assert asv().rates("A02") == AsvRates(miss=0.0, false_alarm=1 / 4, spoof_false_alarm=2 / 3)


def test_spoofs_have_no_say_in_the_asv_threshold():
    moved = asv(spoof=np.array([100.0, 200.0, 300.0, 400.0, -500.0]))
    assert moved.threshold == asv().threshold
    assert moved.eer() == asv().eer()


def test_an_attack_without_asv_trials_is_an_error_that_names_those_there_are():
    with pytest.raises(ValueError, match="'A19', only of A01, A02"):
        asv().rates("A19")


def test_each_asv_score_of_a_spoof_needs_an_attack():
    with pytest.raises(ValueError, match="as many attacks"):
        asv(attack=np.array(["A01"]))


@pytest.mark.parametrize("kind", ["target", "nontarget", "spoof"])
def test_asv_scores_of_each_kind_are_needed_and_finite(kind):
    with pytest.raises(ValueError, match="there are no ASV scores"):
        asv(**{kind: np.array([])})
    with pytest.raises(ValueError, match=r"1 of 2 ASV scores of .* are not finite"):
        asv(**{kind: np.array([1.0, np.nan])})


@pytest.mark.parametrize("kind", ["bonafide", "spoof"])
@pytest.mark.parametrize(
    ("scores", "complaint"),
    [
        ([], "there are no scores"),
        ([[1.0, 2.0]], r"one dimension, their shape is \(1, 2\)"),
        ([1.0, np.nan, np.inf], "2 of 3 scores of .* are not finite"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_words(kind, scores, complaint):
    fields = {"bonafide": np.array([1.0]), "spoof": np.array([0.0]), kind: np.array(scores)}
    with pytest.raises(ValueError, match=complaint):
        Judged(**fields)


def test_scores_of_any_number_type_are_judged_as_float64():
    judged = Judged(bonafide=np.array([1, 2]), spoof=np.array([0.5], dtype=np.float32))
    assert judged.bonafide.dtype == judged.spoof.dtype == np.float64


def test_what_is_judged_cannot_be_changed():
    judged = Judged(bonafide=np.array([1.0]), spoof=np.array([0.0]))
    with pytest.raises(FrozenInstanceError):
        judged.asv = AsvRates(0.0, 0.0, 0.0)


def test_priors_that_do_not_sum_to_one_are_refused(costs: TandemCosts):
    with pytest.raises(ValueError, match="sum to 1"):
        replace(costs, p_spoof=0.05 + 2e-9)
    replace(costs, p_spoof=0.05 + 5e-10)


def test_a_prior_outside_zero_and_one_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        TandemCosts(p_spoof=-0.5, p_target=1.0, p_nontarget=0.5, c_miss=1, c_fa=1, c_fa_spoof=1)


@pytest.mark.parametrize("cost", ["c_miss", "c_fa", "c_fa_spoof"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_costs_that_are_not_positive_are_refused(costs: TandemCosts, cost, value):
    with pytest.raises(ValueError, match="not positive"):
        replace(costs, **{cost: value})


@pytest.mark.reference
@pytest.mark.parametrize("part", ["eval", "dev"])
def test_the_asv_system_of_2019_la_has_its_published_rates(
    part: str, published_asv: Callable[[str], AsvScores], expected: dict[str, Any]
):
    scores, figures = published_asv(part), expected["asv"][f"la-{part}"]
    rates = scores.rates()
    assert 100 * scores.eer() == pytest.approx(figures["eer_percent"], abs=5e-6)
    assert scores.threshold == figures["threshold"]
    assert rates.miss == pytest.approx(figures["miss"], abs=5e-8)
    assert rates.false_alarm == pytest.approx(figures["false_alarm"], abs=5e-8)
    assert 1 - rates.spoof_false_alarm == pytest.approx(figures["spoof_miss"], abs=5e-8)


@pytest.mark.reference
def test_the_asv_system_of_2019_la_eval_in_trials(
    published_asv: Callable[[str], AsvScores], expected: dict[str, Any]
):
    scores, figures = published_asv("eval"), expected["asv"]["la-eval"]
    counts = {"target": 5370, "nontarget": 33327, "spoof": 63882}
    assert {kind: getattr(scores, kind).size for kind in counts} == counts
    assert {kind: figures[kind] for kind in counts} == counts
    assert scores.rates() == (132 / 5370, 820 / 33327, 48592 / 63882)


@pytest.mark.reference
def test_the_weights_of_2019_la_eval_are_the_published_ones(
    published_asv: Callable[[str], AsvScores], costs: TandemCosts
):
    rates = published_asv("eval").rates()
    assert weights_2019(rates, costs) == pytest.approx((0, 0.9150441201, 0.3803262265), abs=5e-11)
    assert weights_2021(rates, costs) == pytest.approx(
        (0.0254558799, 0.9150441201, 0.3803262265), abs=5e-11
    )


@pytest.mark.reference
def test_the_spoof_rate_of_all_attacks_is_the_mean_over_attacks_of_equal_size(
    published_asv: Callable[[str], AsvScores],
):
    scores = published_asv("eval")
    each = [scores.rates(attack).spoof_false_alarm for attack in np.unique(scores.attack).tolist()]
    assert len(each) == 13
    assert np.mean(each) == pytest.approx(scores.rates().spoof_false_alarm)
