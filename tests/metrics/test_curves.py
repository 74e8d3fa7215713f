from __future__ import annotations

from itertools import combinations, pairwise
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm
from weighted import coarse

from spoofbench.metrics.curves import auc, eer_hull
from spoofbench.metrics.detection import eer
from spoofbench.metrics.judged import Judged

continuous = st.lists(st.floats(-5, 5), min_size=1, max_size=30).map(np.array)


def judged(bonafide, spoof) -> Judged:
    return Judged(bonafide=np.array(bonafide, float), spoof=np.array(spoof, float))


def points(bonafide, spoof) -> list[tuple[float, float]]:
    thresholds = [*bonafide, *spoof, np.inf]
    return [(np.mean(bonafide < t), np.mean(spoof >= t)) for t in thresholds]


def slow_hull(bonafide, spoof) -> float:
    """The least P_miss = P_fa on any line between two operating points."""
    found = [max(point) for point in points(bonafide, spoof) if point[0] == point[1]]
    for (m0, f0), (m1, f1) in combinations(points(bonafide, spoof), 2):
        before, after = m0 - f0, m1 - f1
        if before * after < 0:
            found.append(m0 + (m1 - m0) * before / (before - after))
    return float(min(found))


def slow_straight(bonafide, spoof) -> float:
    """The EER on straight lines between neighbouring operating points."""
    curve = sorted(points(bonafide, spoof), key=lambda point: (point[0], -point[1]))
    for (m0, f0), (m1, f1) in pairwise(curve):
        if m1 >= f1:
            rise, fall = m1 - m0, f0 - f1
            return m0 + rise * (f0 - m0) / (rise + fall) if rise + fall else m0
    raise AssertionError("the rates cross")


def test_the_hull_cuts_a_corner_that_is_counted_by_hand():
    # Points (P_miss, P_fa): (0, 1/2), (1/2, 1/2), (1/2, 0), (1, 0). The hull goes from (0, 1/2)
    # straight to (1/2, 0) and meets the diagonal at 1/4; the curve itself meets it at 1/2.
    trials = judged([1, 3], [0, 2])
    assert eer_hull(trials) == 1 / 4
    assert eer(trials) == 1 / 2


def test_scores_that_part_the_classes_have_no_error_on_the_hull():
    assert eer_hull(judged([1, 2], [0, -1, -2])) == 0
    assert auc(judged([1, 2], [0, -1, -2])) == 1


def test_scores_of_the_wrong_sign_are_no_worse_than_one_half_on_the_hull():
    assert eer_hull(judged([0, -1], [1, 2, 3])) == 1 / 2
    assert auc(judged([0, -1], [1, 2, 3])) == 0


@pytest.mark.parametrize(("bonafide", "spoof"), [(1, 1), (50, 3), (3, 70)])
def test_a_score_that_is_the_same_for_all_trials_is_worth_one_half(bonafide, spoof):
    same = judged(np.full(bonafide, 0.7), np.full(spoof, 0.7))
    assert (eer_hull(same), auc(same)) == (0.5, 0.5)


@given(coarse, coarse)
def test_the_hull_is_the_best_of_all_lines_between_points(bonafide, spoof):
    expected = slow_hull(bonafide, spoof)
    assert eer_hull(judged(bonafide, spoof)) == pytest.approx(expected, abs=1e-12)


@given(continuous, continuous)
def test_the_hull_is_never_above_the_curve(bonafide, spoof):
    hull = eer_hull(judged(bonafide, spoof))
    assert 0 <= hull <= min(0.5, slow_straight(bonafide, spoof) + 1e-12)


@given(continuous, continuous)
def test_the_hull_is_above_the_eer_by_a_quarter_of_a_step_at_most(bonafide, spoof):
    # The official EER is up to 1 / (4 * trials of the rarer class) below the curve itself.
    trials = judged(bonafide, spoof)
    step = 1 / min(bonafide.size, spoof.size)
    assert eer_hull(trials) <= eer(trials) + step / 4 + 1e-12


@given(coarse, coarse)
def test_the_area_is_the_statistic_of_mann_and_whitney_over_the_pairs(bonafide, spoof):
    u = mannwhitneyu(bonafide, spoof).statistic
    assert auc(judged(bonafide, spoof)) == pytest.approx(u / bonafide.size / spoof.size, abs=1e-12)


@given(coarse, coarse)
def test_exchanging_the_classes_turns_the_area_round(bonafide, spoof):
    around = auc(judged(bonafide, spoof)) + auc(judged(spoof, bonafide))
    assert around == pytest.approx(1, abs=1e-12)


@given(coarse, coarse)
def test_exchanging_the_classes_and_the_sign_leaves_both_alone(bonafide, spoof):
    one, other = judged(bonafide, spoof), judged(-spoof, -bonafide)
    assert auc(one) == auc(other)
    assert eer_hull(one) == pytest.approx(eer_hull(other), abs=1e-12)


@given(coarse, coarse)
def test_increasing_transforms_leave_both_alone(bonafide, spoof):
    plain, other = judged(bonafide, spoof), judged(np.exp(bonafide), np.exp(spoof))
    assert (auc(plain), eer_hull(plain)) == (auc(other), eer_hull(other))


@pytest.mark.parametrize("distance", [0.5, 2.0, 4.0])
def test_normal_scores_have_the_values_of_the_normal_distribution(distance):
    # Two normal classes of unit variance: EER = Phi(-d / 2), AUC = Phi(d / sqrt 2); the curve is
    # convex, so its hull is the curve.
    quantiles = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    trials = judged(distance + quantiles, quantiles)
    assert eer_hull(trials) == pytest.approx(norm.cdf(-distance / 2), abs=1e-4)
    assert auc(trials) == pytest.approx(norm.cdf(distance / sqrt(2)), abs=1e-4)
