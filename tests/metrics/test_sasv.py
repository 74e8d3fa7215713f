from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import fsolve
from scipy.stats import norm
from weighted import COSTS, coarse, joint_trials

from spoofbench.metrics.detection import eer_point
from spoofbench.metrics.joint import fuse
from spoofbench.metrics.judged import JointScores, Judged
from spoofbench.metrics.sasv import a_dcf, min_adcf, t_eer


def judged(joint: JointScores | None, **changes) -> Judged:
    fields = {"bonafide": np.array([1.0]), "spoof": np.array([0.0]), "costs": COSTS, "joint": joint}
    return Judged(**{**fields, **changes})


def joint_of(asv: list, cm: list) -> JointScores:
    """Join ASV and CM scores of targets, non-targets and spoofs, given kind by kind."""
    sizes = [len(scores) for scores in asv]
    assert sizes == [len(scores) for scores in cm]
    return JointScores(
        kind=np.repeat(np.arange(3, dtype=np.int8), sizes),
        cm=np.concatenate(cm),
        asv=np.concatenate(asv),
    )


def slow_adcf(target, nontarget, spoof, costs) -> float:
    of_miss = costs.p_target * costs.c_miss
    of_nontarget, of_spoof = costs.p_nontarget * costs.c_fa, costs.p_spoof * costs.c_fa_spoof
    found = [
        of_miss * np.mean(target < t)
        + of_nontarget * np.mean(nontarget >= t)
        + of_spoof * np.mean(spoof >= t)
        for t in [*target, *nontarget, *spoof, math.inf]
    ]
    return float(min(found) / min(of_miss, of_nontarget + of_spoof))


def slow_t_eer(joint: JointScores) -> float:
    """The documented rule in exact fractions: all ASV thresholds, straight lines through ties."""
    target, nontarget, spoof = (joint.asv[joint.kind == kind].tolist() for kind in range(3))
    bonafide, attacks = joint.cm[joint.kind != 2].tolist(), joint.cm[joint.kind == 2].tolist()
    found = []
    for t in [*joint.asv.tolist(), math.inf]:
        miss = Fraction(sum(s < t for s in target), len(target))
        false_alarm = Fraction(sum(s >= t for s in nontarget), len(nontarget))
        if miss > false_alarm:
            continue
        by_cm = 1 - 1 / (1 - miss + false_alarm)
        passed = Fraction(sum(s >= t for s in spoof), len(spoof))
        found.append(
            max((1 - by_cm) * false_alarm, passed * slow_false_alarm(bonafide, attacks, by_cm))
        )
    return float(min(found))


def slow_false_alarm(bonafide: list, spoof: list, miss: Fraction) -> Fraction:
    """The least P_fa at this P_miss, on straight lines between the points of each score."""
    best = []
    for score in set(bonafide):
        before = Fraction(sum(s < score for s in bonafide), len(bonafide))
        after = Fraction(sum(s <= score for s in bonafide), len(bonafide))
        upper = Fraction(sum(s >= score for s in spoof), len(spoof))
        lower = Fraction(sum(s > score for s in spoof), len(spoof))
        if before <= miss <= after:
            best.append(upper - (upper - lower) * (miss - before) / (after - before))
    return min(best)


def step_by_step(joint: JointScores, rho: float) -> float:
    """The concurrent t-EER as the authors describe it: for each threshold of the ASV system the
    nearest point of the path, of these the one nearest to concurrency, and its spoof rate."""
    target, nontarget, spoof = (joint.asv[joint.kind == kind] for kind in range(3))
    bonafide, attacks = joint.cm[joint.kind != 2], joint.cm[joint.kind == 2]
    thresholds = np.sort(joint.cm)
    cm_miss = np.searchsorted(np.sort(bonafide), thresholds) / bonafide.size
    cm_fa = 1 - np.searchsorted(np.sort(attacks), thresholds) / attacks.size
    best, value = math.inf, math.nan
    for t in np.sort(joint.asv):
        miss, of_non = np.mean(target < t), np.mean(nontarget >= t)
        of_spoof = np.mean(spoof >= t)
        tandem_miss = cm_miss + (1 - cm_miss) * miss
        tandem_fa = (1 - rho) * (1 - cm_miss) * of_non + rho * cm_fa * of_spoof
        if miss >= (1 - rho) * of_non + rho * of_spoof or of_spoof == 0:
            continue
        place = np.abs(tandem_miss - tandem_fa).argmin()
        distance = abs(of_non / of_spoof - cm_fa[place] / (1 - cm_miss[place]))
        if distance < best:
            best, value = distance, of_spoof * cm_fa[place]
    return float(value)


def test_fusion_of_two_ratios_is_the_ratio_to_the_mixture():
    # Likelihoods: target 0.6, non-target 0.2, spoof 0.3. Of what to reject a quarter are spoofs.
    asv, cm = np.array([math.log(0.6 / 0.2)]), np.array([math.log(0.6 / 0.3)])
    expected = math.log(0.6 / (0.75 * 0.2 + 0.25 * 0.3))
    assert fuse(asv, cm, 0.25) == pytest.approx([expected], abs=1e-12)


def test_fusion_of_far_scores_neither_overflows_nor_loses_the_lower_one():
    fused = fuse(np.array([-1e4, 1e4]), np.array([1e4, 1e4]), 0.5)
    assert fused == pytest.approx([-1e4 + math.log(2), 1e4], abs=1e-9)


def test_an_a_dcf_counted_by_hand():
    # Accepting from 2 on misses one target of three, accepts no non-target and one spoof of two:
    # 0.9405 / 3 + 0.5 / 2 = 0.5635, over accepting all, 0.595. From 1 on: no miss, one non-target
    # of two, one spoof: 0.095 / 2 + 0.5 / 2 = 0.2975.
    target, nontarget, spoof = np.array([1.0, 2, 4]), np.array([0.0, 1]), np.array([-1.0, 3])
    value = min_adcf(target, nontarget, spoof, COSTS)
    assert value == pytest.approx(0.2975 / 0.595, abs=1e-12)


@given(coarse, coarse, coarse, st.floats(0.1, 20), st.floats(0.1, 20))
def test_a_dcf_is_what_a_loop_over_thresholds_gives(target, nontarget, spoof, c_fa, c_fa_spoof):
    costs = replace(COSTS, c_fa=c_fa, c_fa_spoof=c_fa_spoof)
    value = min_adcf(target, nontarget, spoof, costs)
    assert value == pytest.approx(slow_adcf(target, nontarget, spoof, costs), abs=1e-12)
    assert 0 <= value <= 1 + 1e-12


@given(joint_trials())
def test_the_a_dcf_of_joint_trials_is_that_of_the_fused_score(joint):
    fused = fuse(joint.asv, joint.cm, 0.05 / (0.05 + 0.0095))
    by_kind = [fused[joint.kind == kind] for kind in range(3)]
    assert a_dcf(judged(joint)) == min_adcf(*by_kind, COSTS)


@given(coarse, coarse, coarse)
def test_an_increasing_transform_leaves_the_a_dcf_alone(target, nontarget, spoof):
    value = min_adcf(target, nontarget, spoof, COSTS)
    assert min_adcf(np.exp(target), np.exp(nontarget), np.exp(spoof), COSTS) == value


def test_no_a_dcf_without_one_of_the_kinds():
    some, none = np.array([1.0]), np.array([])
    for scores in ([none, some, some], [some, none, some], [some, some, none]):
        with pytest.raises(ValueError, match="targets, non-targets and spoofs"):
            min_adcf(*scores, COSTS)


@pytest.mark.parametrize("metric", [a_dcf, t_eer])
def test_no_joint_metric_without_joint_trials(metric):
    with pytest.raises(ValueError, match="ASV score of each trial"):
        metric(judged(None))


def test_no_a_dcf_without_costs():
    joint = joint_of([[1.0], [0.0], [1.0]], [[1.0], [1.0], [0.0]])
    with pytest.raises(ValueError, match=r"\[tandem\]"):
        a_dcf(judged(joint, costs=None))


def test_two_systems_without_errors_have_a_t_eer_of_zero():
    joint = joint_of([[3.0, 4], [0.0, 1], [3.5, 5]], [[1.0, 2], [1.0, 3], [-1.0, 0]])
    assert t_eer(judged(joint)) == 0


def test_two_systems_that_say_nothing_have_a_t_eer_of_one_half():
    # Both accept all or none. Half of the trials are rejected by the countermeasure, at random:
    # half of the targets are missed, half of the non-targets and half of the spoofs accepted.
    joint = joint_of([[1.0] * 4, [1.0] * 3, [1.0] * 5], [[2.0] * 4, [2.0] * 3, [2.0] * 5])
    assert t_eer(judged(joint)) == 0.5


def test_a_t_eer_counted_by_hand():
    # The ASV system parts targets from non-targets at 2 but lets every spoof pass; there the
    # countermeasure must miss none, and accepts half of the spoofs: 1/2. Accepting one non-target
    # of two lets it miss a third of all bona fide, and then it accepts no spoof: 1/3 and 1/3.
    joint = joint_of(
        [[2.0, 3, 4, 5], [0.0, 1], [6.0, 7]],
        [[1.0, 1, 5, 6], [7.0, 8], [0.0, 3]],
    )
    assert t_eer(judged(joint)) == pytest.approx(1 / 3, abs=1e-15)


@given(joint_trials())
def test_t_eer_is_the_documented_rule_in_fractions(joint):
    assert t_eer(judged(joint)) == pytest.approx(slow_t_eer(joint), abs=1e-12)


@given(joint_trials(), st.data())
def test_a_better_score_never_raises_the_t_eer(joint, data):
    # A target that the ASV system likes more, a spoof that it likes less, and so with the CM.
    trial = data.draw(st.integers(0, joint.kind.size - 1))
    asv, cm, kind = joint.asv.copy(), joint.cm.copy(), joint.kind[trial]
    cm[trial] += 2 if kind != 2 else -2
    asv[trial] += {0: 2, 1: 0, 2: -2}[int(kind)]
    better = JointScores(kind=joint.kind, cm=cm, asv=asv)
    assert t_eer(judged(better)) <= t_eer(judged(joint)) + 1e-12


@given(joint_trials())
def test_increasing_transforms_leave_the_t_eer_alone(joint):
    other = JointScores(kind=joint.kind, cm=np.exp(joint.cm), asv=joint.asv**3)
    assert t_eer(judged(other)) == t_eer(judged(joint))


def test_hundreds_of_thresholds_are_searched_as_thoroughly_as_a_few():
    random = np.random.default_rng(3)
    asv = [np.round(random.normal(m, 1, n), 1) for m, n in ((2, 90), (0, 150), (1.2, 90))]
    cm = [np.round(random.normal(m, 1, n), 1) for m, n in ((2, 90), (2, 150), (0, 90))]
    joint = joint_of(asv, cm)
    assert t_eer(judged(joint)) == pytest.approx(slow_t_eer(joint), abs=1e-12)


MEANS = {"target": 3.0, "spoof": 2.0, "cm": 3.0}
"""ASV scores: N(3, 1), N(0, 1), N(2, 1) for target, non-target, spoof; CM: N(3, 1), N(0, 1)."""


def normal_trials(targets: int, nontargets: int, spoofs: int, seed: int) -> JointScores:
    random = np.random.default_rng(seed)
    return joint_of(
        [
            random.normal(MEANS["target"], 1, targets),
            random.normal(0, 1, nontargets),
            random.normal(MEANS["spoof"], 1, spoofs),
        ],
        [
            random.normal(MEANS["cm"], 1, targets),
            random.normal(MEANS["cm"], 1, nontargets),
            random.normal(0, 1, spoofs),
        ],
    )


def test_the_t_eer_of_normal_scores_is_where_the_three_errors_of_theory_are_equal():
    def errors(thresholds):
        asv, cm = thresholds
        passed = norm.sf(cm - MEANS["cm"])
        return (
            1 - passed * norm.sf(asv - MEANS["target"]),
            passed * norm.sf(asv),
            norm.sf(cm) * norm.sf(asv - MEANS["spoof"]),
        )

    def gaps(thresholds):
        miss, false_alarm, spoof_false_alarm = errors(thresholds)
        return miss - false_alarm, false_alarm - spoof_false_alarm

    concurrent = errors(fsolve(gaps, [1.5, 1.0]))
    assert max(concurrent) - min(concurrent) < 1e-9
    value = t_eer(judged(normal_trials(40_000, 40_000, 40_000, seed=1)))
    assert value == pytest.approx(concurrent[0], abs=0.003)


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
def test_the_t_eer_is_that_of_the_authors_procedure_but_for_a_few_steps(rho):
    joint = normal_trials(700, 900, 800, seed=2)
    assert t_eer(judged(joint)) == pytest.approx(step_by_step(joint, rho), abs=3 / 700)


def test_behind_a_countermeasure_without_errors_the_t_eer_is_near_the_eer_of_the_asv_system():
    joint = normal_trials(900, 900, 900, seed=4)
    perfect = JointScores(kind=joint.kind, cm=np.where(joint.kind == 2, -1.0, 1.0), asv=joint.asv)
    alone = eer_point(joint.asv[joint.kind == 0], joint.asv[joint.kind == 1]).eer
    assert t_eer(judged(perfect)) == pytest.approx(alone, abs=2 / 900)
