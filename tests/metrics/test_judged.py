from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from spoofbench.metrics.judged import (
    AsvRates,
    AsvScores,
    DetectionCosts,
    JointScores,
    Judged,
    TandemCosts,
)
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


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, float("nan")])
def test_a_prior_of_spoofs_outside_zero_and_one_is_refused(prior):
    with pytest.raises(ValueError, match="the prior of spoofs"):
        DetectionCosts(p_spoof=prior)


@pytest.mark.parametrize("cost", ["c_miss", "c_fa"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_detection_costs_that_are_not_positive_are_refused(cost, value):
    with pytest.raises(ValueError, match="not positive"):
        DetectionCosts(**{cost: value})


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_a_threshold_that_is_not_finite_is_refused(threshold):
    with pytest.raises(ValueError, match="not finite"):
        DetectionCosts(threshold=threshold)


def joint(**changes: Any) -> JointScores:
    fields = {
        "kind": np.array([0, 1, 2], dtype=np.int8),
        "cm": np.array([1.0, 2.0, 3.0]),
        "asv": np.array([3.0, 2.0, 1.0]),
    }
    return JointScores(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"cm": np.array([1.0, np.nan, 3.0])}, "1 of 3 countermeasure scores .* not finite"),
        ({"asv": np.array([1.0, 2.0, np.inf])}, "1 of 3 ASV scores .* not finite"),
        ({"asv": np.array([1.0, 2.0])}, "need a kind, a countermeasure score and an ASV score"),
        ({"kind": np.array([0, 1, 3])}, "is 0 .target., 1 .non-target. or 2 .spoof."),
        ({"kind": np.array([1, 1, 2])}, "no target trials"),
        ({"kind": np.array([0, 0, 2])}, "no non-target trials"),
        ({"kind": np.array([0, 0, 1])}, "no spoof trials"),
        ({"weights": np.array([1, 1])}, "3 joint trials have 2 weights"),
        ({"weights": np.array([1, 0, 2])}, "no non-target trials"),
    ],
)
def test_joint_trials_that_cannot_be_judged_are_refused_in_words(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        joint(**changes)


def test_joint_trials_that_are_reweighted_are_not_sorted_again():
    once = joint()
    again = once.reweighted(np.array([1, 0, 0]) + 1)
    assert again.order is once.order
    assert again.weights is not None
    assert again.weights.tolist() == [2, 1, 1]
    assert once.weights is None


def test_weights_that_leave_nothing_of_a_kind_are_refused():
    with pytest.raises(ValueError, match="no spoof trials"):
        joint().reweighted(np.array([1, 1, 0]))


def test_weights_for_scores_alone_leave_the_joint_trials_alone():
    judged = Judged(bonafide=np.array([1.0]), spoof=np.array([0.0]), joint=joint())
    assert judged.reweighted(np.array([2]), np.array([3])).joint is judged.joint


def test_repeated_trials_stand_as_often_as_they_weigh():
    judged = Judged(bonafide=np.array([2.0, 1.0]), spoof=np.array([0.0, 4.0]), joint=joint())
    weighted = judged.reweighted(np.array([2, 0]), np.array([1, 3]), np.array([1, 2, 1]))
    repeated = weighted.repeated()
    assert repeated.bonafide.tolist() == [1, 1]
    assert repeated.spoof.tolist() == [0, 4, 4, 4]
    assert repeated.joint is not None
    assert repeated.joint.kind.tolist() == [0, 1, 1, 2]
    assert repeated.joint.cm.tolist() == [1, 2, 2, 3]
    assert repeated.joint.asv.tolist() == [3, 2, 2, 1]


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
