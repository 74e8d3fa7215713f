from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import erfc, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spoofbench.metrics.detection import (
    accuracy_at_eer,
    corner_points,
    eer,
    eer_point,
    operating_points,
)
from spoofbench.metrics.judged import Judged

Scores = NDArray[np.float64]

coarse = st.lists(st.integers(-4, 4), min_size=1, max_size=14).map(np.array)
"""Few scores of few values: most are tied, within a class and across."""


@st.composite
def without_ties(draw: st.DrawFn) -> tuple[Scores, Scores]:
    """Scores of both classes, no two of them equal."""
    trials = draw(st.integers(2, 24))
    ranks = draw(st.permutations(range(trials)))
    bonafide = draw(st.integers(1, trials - 1))
    return np.array(ranks[:bonafide], dtype=float), np.array(ranks[bonafide:], dtype=float)


def official_eer(bonafide: Scores, spoof: Scores) -> float:
    """The procedure of the official scorers: sort all, reject one trial after the other."""
    scores = np.concatenate([bonafide, spoof])
    is_bonafide = np.arange(scores.size) < bonafide.size
    is_bonafide = is_bonafide[np.argsort(scores, kind="stable")]
    miss = np.append(0, np.cumsum(is_bonafide)) / bonafide.size
    false_alarm = np.append(spoof.size, spoof.size - np.cumsum(~is_bonafide)) / spoof.size
    nearest = np.argmin(np.abs(miss - false_alarm))
    return float((miss[nearest] + false_alarm[nearest]) / 2)


def slow_eers(bonafide: Scores, spoof: Scores) -> list[Fraction]:
    """The documented rule in exact fractions; two values where two points are equally near."""
    points = slow_points(bonafide, spoof)
    (miss, false_alarm), (miss_after, false_alarm_after) = next(
        (before, after) for before, after in pairwise(points) if after[0] >= after[1]
    )
    if miss != miss_after and false_alarm != false_alarm_after:
        rise, fall = miss_after - miss, false_alarm - false_alarm_after
        return [miss + rise * (false_alarm - miss) / (rise + fall)]
    steps = []
    while miss <= miss_after and false_alarm >= false_alarm_after:
        steps.append((abs(miss - false_alarm), (miss + false_alarm) / 2))
        if miss != miss_after:
            miss += Fraction(1, bonafide.size)
        elif false_alarm != false_alarm_after:
            false_alarm -= Fraction(1, spoof.size)
        else:
            break
    return [rate for distance, rate in steps if distance == min(steps)[0]]


def slow_points(bonafide: Scores, spoof: Scores) -> list[tuple[Fraction, Fraction]]:
    """P_miss and P_fa at each distinct score and at infinity, by counting."""
    thresholds = [*sorted({*bonafide.tolist(), *spoof.tolist()}), np.inf]
    return [
        (
            Fraction(sum(score < threshold for score in bonafide.tolist()), bonafide.size),
            Fraction(sum(score >= threshold for score in spoof.tolist()), spoof.size),
        )
        for threshold in thresholds
    ]


def straight_eer(bonafide: Scores, spoof: Scores) -> Fraction:
    """The other common definition: a straight line between any two neighbouring points."""
    for before, after in pairwise(slow_points(bonafide, spoof)):
        if after[0] >= after[1]:
            rise, fall = after[0] - before[0], before[1] - after[1]
            return before[0] + rise * (before[1] - before[0]) / (rise + fall)
    raise AssertionError("the rates cross")


def step(bonafide: Scores, spoof: Scores) -> float:
    return 1 / min(bonafide.size, spoof.size)


def test_a_score_that_is_the_same_for_all_trials_has_an_eer_of_one_half():
    for bonafide, spoof in [(50, 50), (3, 7), (7355, 63882), (1, 9), (9, 1)]:
        assert eer_point(np.full(bonafide, 0.1), np.full(spoof, 0.1)).eer == 0.5


def test_a_score_that_parts_the_classes_has_an_eer_of_zero_and_its_negative_of_one():
    bonafide, spoof = np.array([3.0, 4.0, 5.0]), np.array([0.0, 1.0])
    assert eer_point(bonafide, spoof).eer == 0
    assert eer_point(-bonafide, -spoof).eer == 1


def test_an_eer_counted_by_hand():
    # Below 3: one bona fide of four is missed; at or above 3: one spoof of five is accepted.
    bonafide, spoof = np.array([4.0, 2.0, 5.0, 3.0]), np.array([0.0, 2.5, 1.0, 3.5, 1.5])
    point = eer_point(bonafide, spoof)
    assert (point.miss, point.false_alarm) == (1 / 4, 1 / 5)
    assert point.eer == pytest.approx(9 / 40)
    assert (point.threshold, point.highest_rejected) == (3.0, 2.5)


def test_a_tie_of_both_classes_is_passed_along_a_straight_line():
    # Hard decisions: 3 of 10 bona fide are answered 0, all spoofs are. The line from (0, 1) to
    # (0.3, 0) meets P_miss = P_fa at 0.3 / 1.3.
    bonafide, spoof = np.array([0.0] * 3 + [1.0] * 7), np.zeros(20)
    assert eer_point(bonafide, spoof).eer == pytest.approx(0.3 / 1.3, abs=1e-15)


def test_a_tie_of_one_class_is_passed_trial_by_trial():
    # P_fa stays 1/2 while four tied bona fide are rejected: after two of them P_miss is 2/4.
    bonafide, spoof = np.array([1.0, 1.0, 1.0, 1.0]), np.array([0.0, 2.0])
    point = eer_point(bonafide, spoof)
    assert point.eer == 0.5
    assert (point.threshold, point.highest_rejected) == (1.0, 1.0)


@given(without_ties())
def test_without_ties_it_is_the_official_value(scores):
    assert eer_point(*scores).eer == official_eer(*scores)


@pytest.mark.parametrize(("bonafide", "spoof"), [(100, 200), (97, 1009), (2548, 22296)])
def test_it_is_the_official_value_on_larger_score_files(bonafide, spoof):
    random = np.random.default_rng(bonafide)
    scores = random.normal(1, 1, bonafide), random.normal(-1, 1, spoof)
    assert eer_point(*scores).eer == official_eer(*scores)


@given(coarse, coarse)
def test_ties_within_a_class_leave_it_the_official_value(bonafide, spoof):
    even, odd = bonafide * 2.0, spoof * 2.0 + 1
    assert eer_point(even, odd).eer == official_eer(even, odd)


@given(coarse, coarse)
def test_it_is_what_a_loop_over_thresholds_gives(bonafide, spoof):
    value = eer_point(bonafide, spoof).eer
    assert min(abs(value - rate) for rate in slow_eers(bonafide, spoof)) < 1e-12


@given(coarse, coarse)
def test_it_lies_between_the_best_and_the_worst_order_of_tied_trials(bonafide, spoof):
    value, slack = eer_point(bonafide, spoof).eer, step(bonafide, spoof) / 4 + 1e-12
    assert value >= official_eer(bonafide + 0.1, spoof) - slack
    assert value <= official_eer(bonafide - 0.1, spoof) + slack


def test_it_is_about_the_mean_over_random_orders_of_tied_trials():
    random = np.random.default_rng(3)
    bonafide, spoof = random.normal(1, 1, 400).round(), random.normal(-1, 1, 900).round()
    orders = [
        official_eer(bonafide + random.uniform(0, 0.5, 400), spoof + random.uniform(0, 0.5, 900))
        for _ in range(300)
    ]
    error = np.std(orders) / np.sqrt(len(orders))
    assert eer_point(bonafide, spoof).eer == pytest.approx(np.mean(orders), abs=5 * error)


def test_merging_ties_takes_out_what_rounding_puts_in():
    # Bona fide N(1, 1), spoof N(-1, 1), rounded to whole numbers: of the scores 0 and below, 6.7 %
    # of bona fide are below and 30.9 % not above; of spoofs the other way round. The middle of that
    # tie is 18.8 %; sorting the bona fide first gives its far end.
    below, up_to = (0.5 * erfc(deviations / sqrt(2)) for deviations in (1.5, 0.5))
    random = np.random.default_rng(4)
    bonafide, spoof = random.normal(1, 1, 100_000).round(), random.normal(-1, 1, 100_000).round()
    assert eer_point(bonafide, spoof).eer == pytest.approx((below + up_to) / 2, abs=0.005)
    assert official_eer(bonafide, spoof) == pytest.approx(up_to, abs=0.005)


@given(coarse, coarse)
def test_the_straight_line_definition_is_at_most_a_quarter_of_a_step_away(bonafide, spoof):
    value = eer_point(bonafide, spoof).eer
    assert abs(value - straight_eer(bonafide, spoof)) <= step(bonafide, spoof) / 4 + 1e-12


@given(coarse, coarse)
def test_increasing_transforms_leave_it_alone(bonafide, spoof):
    value = eer_point(bonafide, spoof).eer
    for transform in (np.exp, np.cbrt, lambda score: 1e6 * score - 3):
        assert eer_point(transform(bonafide), transform(spoof)).eer == value


@given(coarse, coarse)
def test_the_order_of_the_trials_leaves_it_alone(bonafide, spoof):
    assert eer_point(bonafide, spoof) == eer_point(bonafide[::-1], spoof[::-1])


@given(coarse, coarse)
def test_it_leaves_the_scores_as_they_were(bonafide, spoof):
    copies = bonafide.copy(), spoof.copy()
    eer_point(bonafide, spoof)
    assert np.array_equal(bonafide, copies[0])
    assert np.array_equal(spoof, copies[1])


@given(coarse, coarse)
def test_negating_scores_and_exchanging_classes_leaves_it_alone(bonafide, spoof):
    value, mirrored = eer_point(bonafide, spoof).eer, eer_point(-spoof, -bonafide).eer
    nearest = slow_eers(bonafide, spoof)
    if len(nearest) == 1:
        assert mirrored == pytest.approx(value, abs=1e-12)
    else:
        assert abs(mirrored - value) <= float(max(nearest) - min(nearest)) + 1e-12


def test_of_two_points_equally_near_the_lower_counts():
    # (0, 1/2) and (1, 1/2) are both 1/2 off; mirrored, the other one is the lower one.
    bonafide, spoof = np.array([1.0]), np.array([0.0, 2.0])
    assert eer_point(bonafide, spoof).eer == 1 / 4
    assert eer_point(-spoof, -bonafide).eer == 3 / 4


@given(coarse, coarse)
def test_it_is_a_fraction_and_the_mean_of_its_two_rates(bonafide, spoof):
    point = eer_point(bonafide, spoof)
    assert 0 <= point.eer <= 1
    assert point.eer == (point.miss + point.false_alarm) / 2


@given(coarse, coarse, st.booleans())
def test_one_more_trial_judged_rightly_raises_it_by_half_a_step_at_most(bonafide, spoof, which):
    before = eer_point(bonafide, spoof).eer
    after = eer_point(
        np.append(bonafide, 100) if which else bonafide,
        spoof if which else np.append(spoof, -100),
    ).eer
    assert after <= before + step(bonafide, spoof) / 2 + 1e-12


@given(coarse, coarse)
def test_repeating_every_trial_moves_it_by_half_a_step_at_most(bonafide, spoof):
    twice = eer_point(np.tile(bonafide, 2), np.tile(spoof, 2)).eer
    assert abs(twice - eer_point(bonafide, spoof).eer) <= step(bonafide, spoof) / 2 + 1e-12


@given(without_ties())
def test_its_threshold_gives_its_rates(scores):
    bonafide, spoof = scores
    point = eer_point(bonafide, spoof)
    assert np.mean(bonafide < point.threshold) == point.miss
    assert np.mean(spoof >= point.threshold) == point.false_alarm
    rejected = [score for score in [*bonafide, *spoof] if score < point.threshold]
    assert point.highest_rejected == max(rejected, default=-np.inf)


@given(coarse, coarse)
def test_its_threshold_and_the_highest_score_that_it_rejects_are_scores(bonafide, spoof):
    point = eer_point(bonafide, spoof)
    scores = {*bonafide.tolist(), *spoof.tolist()}
    assert point.threshold in scores
    assert point.highest_rejected in scores
    assert point.highest_rejected <= point.threshold


def test_scores_of_one_class_have_no_eer():
    with pytest.raises(ValueError, match="both classes"):
        eer_point(np.array([1.0]), np.array([]))
    with pytest.raises(ValueError, match="both classes"):
        eer_point(np.array([]), np.array([1.0]))


@given(coarse, coarse)
def test_operating_points_are_what_counting_gives(bonafide, spoof):
    points = operating_points(bonafide, spoof)
    slow = slow_points(bonafide, spoof)
    assert points.miss.tolist() == [float(miss) for miss, _ in slow]
    assert points.false_alarm.tolist() == [float(false_alarm) for _, false_alarm in slow]


@given(coarse, coarse)
def test_operating_points_go_from_rejecting_nothing_to_rejecting_everything(bonafide, spoof):
    points = operating_points(bonafide, spoof)
    assert (points.miss[0], points.false_alarm[0]) == (0, 1)
    assert (points.miss[-1], points.false_alarm[-1]) == (1, 0)
    assert np.all(np.diff(points.threshold) > 0)
    assert np.all(np.diff(points.miss) >= 0)
    assert np.all(np.diff(points.false_alarm) <= 0)


@given(coarse, coarse, st.floats(0, 10), st.floats(0, 10))
def test_corner_points_hold_the_best_of_any_weighing(bonafide, spoof, of_miss, of_false_alarm):
    corners, every = corner_points(bonafide, spoof), operating_points(bonafide, spoof)
    best, least = (
        np.min(of_miss * points.miss + of_false_alarm * points.false_alarm)
        for points in (corners, every)
    )
    assert best == least


def test_accuracy_counted_by_hand():
    # At the threshold 3 one bona fide of four and one spoof of five are judged wrongly.
    bonafide, spoof = np.array([4.0, 2.0, 5.0, 3.0]), np.array([0.0, 2.5, 1.0, 3.5, 1.5])
    assert accuracy_at_eer(Judged(bonafide=bonafide, spoof=spoof)) == pytest.approx(7 / 9)


@given(without_ties())
def test_accuracy_without_ties_follows_from_the_rates(scores):
    bonafide, spoof = scores
    point = eer_point(bonafide, spoof)
    wrong = point.miss * bonafide.size + point.false_alarm * spoof.size
    accuracy = accuracy_at_eer(Judged(bonafide=bonafide, spoof=spoof))
    assert accuracy == pytest.approx(1 - wrong / (bonafide.size + spoof.size))


def test_accuracy_of_a_constant_score_is_the_share_of_bona_fide():
    judged = Judged(bonafide=np.zeros(10), spoof=np.zeros(90))
    assert accuracy_at_eer(judged) == pytest.approx(0.1)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["la-eval.aasist.txt", "la-eval.rawgat-st-mul.txt"])
def test_the_eer_of_published_scores_is_the_published_one(
    name: str, published: Callable[[str], Any], expected: dict[str, Any]
):
    scores = published(name)
    value = eer(Judged(bonafide=scores.bonafide, spoof=scores.spoof))
    assert 100 * value == pytest.approx(expected["scores"][name]["eer_percent"], abs=5e-5)
    assert value == official_eer(scores.bonafide, scores.spoof)


@pytest.mark.reference
def test_the_eer_of_each_attack_is_the_published_one(
    published: Callable[[str], Any], expected: dict[str, Any]
):
    name = "la-eval.rawgat-st-mul.txt"
    scores = published(name)
    column = {
        attack: round(
            100 * eer_point(scores.bonafide, scores.spoof[scores.attack == attack]).eer, 2
        )
        for attack in np.unique(scores.attack).tolist()
    }
    assert column == expected["scores"][name]["eer_percent_by_attack"]
