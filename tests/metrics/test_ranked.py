from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weighted import coarse, weighted_trials

from spoofbench.metrics.detection import eer_point, eer_point_of
from spoofbench.metrics.judged import Judged
from spoofbench.metrics.ranked import Ranked, RankedTrials

thresholds = st.one_of(st.integers(-5, 5).map(float), st.just(np.inf), st.just(-np.inf))


def test_scores_are_sorted_and_every_trial_counts_once():
    ranked = Ranked.of([3.0, 1.0, 2.0], [0.0, 2.0])
    assert ranked.bonafide.tolist() == [1, 2, 3]
    assert ranked.spoof.tolist() == [0, 2]
    assert ranked.bonafide_weights.tolist() == [1, 1, 1]
    assert (ranked.all_bonafide, ranked.all_spoof) == (3, 2)


def test_places_among_the_spoofs_count_ties_on_both_sides():
    ranked = Ranked.of([1.0, 2.0, 2.0], [0.0, 2.0, 2.0, 5.0])
    assert ranked.first.tolist() == [0, 1, 1]
    assert ranked.below.tolist() == [1, 1, 1]
    assert ranked.up_to.tolist() == [1, 3, 3]


def test_a_trial_of_weight_three_counts_as_three():
    ranked = Ranked.of([1.0, 2.0], [0.0, 1.5, 3.0])
    ranked = ranked.reweighted(np.array([3, 1]), np.array([0, 2, 5]))
    assert (ranked.all_bonafide, ranked.all_spoof) == (4, 7)
    assert (ranked.missed_at(2.0), ranked.false_alarms_at(2.0)) == (3, 5)
    assert ranked.missed.tolist() == [0, 3, 4]
    assert ranked.rejected.tolist() == [0, 0, 2, 7]
    assert ranked.bonafide_weights.tolist() == [3, 1]
    assert ranked.spoof_weights.tolist() == [0, 2, 5]


def test_reweighting_leaves_the_unweighted_scores_alone():
    plain = Ranked.of([1.0, 2.0], [0.0, 1.5])
    assert plain.corners().miss.tolist() == [0, 0.5, 1]
    again = plain.reweighted(np.array([3, 1]), np.array([1, 1]))
    assert again.corners().miss.tolist() == [0, 0.75, 1]
    assert plain.corners().miss.tolist() == [0, 0.5, 1]


@given(weighted_trials(), thresholds)
def test_counts_at_a_threshold_are_those_of_repeated_trials(judged, threshold):
    weighted, repeated = judged.ranked, judged.repeated().ranked
    assert weighted.missed_at(threshold) == np.count_nonzero(repeated.bonafide < threshold)
    assert weighted.false_alarms_at(threshold) == np.count_nonzero(repeated.spoof >= threshold)


@given(weighted_trials())
def test_the_operating_points_are_those_of_repeated_trials(judged):
    weighted, repeated = judged.ranked.points(), judged.repeated().ranked.points()
    pairs = [
        set(zip(p.miss.tolist(), p.false_alarm.tolist(), strict=True)) for p in (weighted, repeated)
    ]
    assert pairs[0] == pairs[1]


@given(weighted_trials(), st.floats(0.01, 10))
def test_every_weighing_of_the_rates_has_its_best_at_a_corner(judged, price):
    corners, points = judged.ranked.corners(), judged.ranked.points()
    best = np.min(points.miss + price * points.false_alarm)
    assert np.min(corners.miss + price * corners.false_alarm) == best


@given(coarse, coarse)
def test_corners_are_what_counting_gives(bonafide, spoof):
    corners = Ranked.of(bonafide, spoof).corners()
    for threshold, miss, false_alarm in zip(*corners, strict=True):
        assert miss == np.mean(bonafide < threshold)
        assert false_alarm == np.mean(spoof >= threshold)
    assert corners.threshold.tolist() == [*np.sort(bonafide).tolist(), np.inf]


@given(weighted_trials())
def test_the_eer_of_weighted_trials_is_that_of_repeated_ones(judged):
    weighted, repeated = eer_point_of(judged.ranked), eer_point_of(judged.repeated().ranked)
    assert weighted[:3] == repeated[:3]
    assert judged.ranked.missed_at(weighted.threshold) == judged.repeated().ranked.missed_at(
        repeated.threshold
    )


@given(weighted_trials())
def test_the_eer_of_ranked_scores_is_that_of_the_scores(judged):
    again = judged.repeated()
    assert eer_point_of(again.ranked) == eer_point(again.bonafide, again.spoof)


@pytest.mark.parametrize("kind", ["bonafide", "spoof"])
def test_weights_that_leave_nothing_of_a_class_are_refused(kind):
    judged = Judged(bonafide=np.array([1.0, 2.0]), spoof=np.array([0.0, 3.0]))
    weights = {"bonafide": np.array([1, 1]), "spoof": np.array([1, 1]), kind: np.array([0, 0])}
    with pytest.raises(ValueError, match="a class has no trials"):
        judged.reweighted(**weights)


def test_ranked_trials_say_which_trial_each_score_is_of():
    scores = np.array([5.0, 1.0, 4.0, 2.0, 3.0])
    bonafide = np.array([True, False, True, False, False])
    spoof = np.array([False, True, False, False, True])
    ranked = RankedTrials.of(scores, bonafide, spoof)
    assert (ranked.bonafide.tolist(), ranked.spoof.tolist()) == ([2, 0], [1, 4])
    weighted = ranked.weighted(np.array([10, 20, 30, 40, 50]))
    assert weighted.bonafide_weights.tolist() == [30, 10]
    assert weighted.spoof_weights.tolist() == [20, 50]
    assert ranked.weighted(None) is ranked.ranked
