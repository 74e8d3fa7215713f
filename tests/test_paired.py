from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from spoofbench.statistics.paired import (
    Estimate,
    difference,
    holm,
    rank_groups,
    replicates_needed,
    resolution,
)

Values = NDArray[np.float64]

p_values = st.lists(st.floats(0, 1), max_size=12).map(np.array)
shares = st.floats(0.001, 0.5)


@st.composite
def systems(draw: st.DrawFn) -> tuple[Values, Values]:
    """Values ``(systems,)`` and replicates ``(R, systems)`` of systems more and less alike."""
    count = draw(st.integers(1, 6))
    values = np.array(draw(st.lists(st.integers(0, 8), min_size=count, max_size=count)))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    noise = random.normal(0, draw(st.sampled_from([0.01, 1.0, 4.0])), (199, count))
    return values.astype(float), values + noise


def estimate(value: float, replicates: Values) -> Estimate:
    return Estimate(value, np.asarray(replicates, dtype=float))


def against_nothing(replicates: Values) -> Estimate:
    """A system whose difference to a system of zeros is ``replicates``."""
    return estimate(0.0, replicates)


def p_of(replicates: Values) -> float:
    return difference(against_nothing(replicates), estimate(0.0, np.zeros(len(replicates)))).p_value


def test_a_difference_is_the_first_minus_the_second():
    random = np.random.default_rng(1)
    shared = random.normal(0, 5, 999)
    a, b = shared + random.normal(2, 0.1, 999), shared
    found = difference(estimate(3.0, a), estimate(1.0, b))
    assert found.value == 2.0
    assert found.interval.low == pytest.approx(2 - 0.196, abs=0.03)
    assert found.interval.high == pytest.approx(2 + 0.196, abs=0.03)
    # What both share would be a hundred times the interval if it did not cancel.
    assert np.ptp(shared) > 20


def test_identical_systems_are_not_separable_and_have_no_difference():
    same = estimate(0.01, np.random.default_rng(1).random(500))
    found = difference(same, same)
    assert (found.value, found.interval.low, found.interval.high) == (0, 0, 0)
    assert found.p_value == 1


def test_a_p_value_counts_the_replicates_on_the_other_side():
    assert p_of(np.append(np.full(3, -1.0), np.full(96, 1.0))) == pytest.approx(2 * 4 / 100)


def test_a_replicate_without_a_difference_counts_on_both_sides():
    assert p_of(np.append(np.zeros(5), np.full(94, 1.0))) == pytest.approx(2 * 6 / 100)


def test_a_p_value_is_never_zero():
    assert p_of(np.full(999, 1.0)) == pytest.approx(resolution(999)) == pytest.approx(0.002)


@given(st.integers(0, 999))
def test_exchanging_two_systems_changes_the_sign_and_nothing_else(seed):
    random = np.random.default_rng(seed)
    a, b = (estimate(random.random(), random.random(99)) for _ in range(2))
    one, other = difference(a, b), difference(b, a)
    assert one.value == -other.value
    assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-12)
    assert one.p_value == other.p_value


@given(st.integers(0, 10_000), st.integers(20, 400), st.floats(-3, 3), st.floats(0.01, 0.4))
def test_p_values_agree_with_the_interval_but_for_a_replicate(seed, replicates, shift, alpha):
    random = np.random.default_rng(seed)
    found = difference(
        estimate(shift, random.normal(shift, 1, replicates)),
        estimate(0, np.zeros(replicates)),
        level=1 - alpha,
    )
    without_zero = found.interval.low > 0 or found.interval.high < 0
    if found.p_value <= alpha - 1e-12:
        assert without_zero
    if without_zero:
        assert found.p_value <= alpha + 4 / (replicates + 1)


def test_p_values_of_equal_systems_are_uniform_or_higher():
    # 400 pairs that truly do not differ: 5 % of them, +- 3.2, may have a p-value below 0.05.
    random = np.random.default_rng(12)
    trials, replicates = 60, 499
    counts = random.multinomial(trials, np.full(trials, 1 / trials), size=replicates) / trials
    below = [
        difference(
            estimate(values.mean(), counts @ values), estimate(0, np.zeros(replicates))
        ).p_value
        < 0.05
        for values in random.normal(0, 1, (400, trials))
    ]
    assert 0.02 <= np.mean(below) <= 0.09


def test_a_replicate_without_a_value_in_either_system_is_left_out():
    a, b = np.ones(100), np.zeros(100)
    a[:2], b[2:5] = np.nan, np.nan
    found = difference(estimate(1, a), estimate(0, b))
    assert (found.interval.replicates, found.interval.undefined) == (95, 5)
    assert found.p_value == pytest.approx(2 / 96)


def test_too_many_replicates_without_a_value_leave_neither_interval_nor_p_value():
    a, b = np.ones(100), np.zeros(100)
    a[:3], b[3:6] = np.nan, np.inf
    found = difference(estimate(1, a), estimate(0, b))
    assert math.isnan(found.interval.low)
    assert math.isnan(found.p_value)
    assert found.value == 1


def test_replicates_of_different_number_cannot_be_paired():
    with pytest.raises(ValueError, match="10 replicates cannot be paired with 9"):
        difference(estimate(0, np.zeros(10)), estimate(0, np.zeros(9)))


def test_holm_by_hand():
    # Sorted .005 .01 .03 .04 times 4 3 2 1 is .02 .03 .06 .04; the last is raised to .06.
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02])


def test_holm_of_one_test_and_of_none_changes_nothing():
    assert holm([0.03]).tolist() == [0.03]
    assert holm([]).size == 0


@given(p_values)
def test_holm_raises_p_values_and_keeps_their_order_below_one(raw):
    adjusted = holm(raw)
    assert (adjusted >= raw).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(raw)]) >= 0).all()


@given(p_values.filter(len))
def test_holm_is_bonferroni_for_the_smallest_and_never_above_it(raw):
    adjusted = holm(raw)
    bonferroni = np.minimum(1, raw * raw.size)
    assert adjusted.min() == bonferroni.min()
    assert (adjusted <= bonferroni).all()


@given(p_values, st.floats(0.001, 0.999))
def test_holm_rejects_what_its_step_down_rule_rejects(raw, alpha):
    rejected = np.zeros(raw.size, dtype=bool)
    for step, place in enumerate(np.argsort(raw, kind="stable")):
        if raw[place] * (raw.size - step) >= alpha:
            break
        rejected[place] = True
    np.testing.assert_array_equal(holm(raw) < alpha, rejected)


def test_holm_is_the_closed_test_that_bonferroni_makes():
    raw = np.array([0.011, 0.02, 0.04, 0.3])
    closed = [
        max(
            min(1, size * min(raw[list(tests)]))
            for size in range(1, 5)
            for tests in combinations_with(place, size)
        )
        for place in range(4)
    ]
    np.testing.assert_allclose(holm(raw), closed)


def combinations_with(place: int, size: int) -> list[tuple[int, ...]]:
    return [tests for tests in combinations(range(4), size) if place in tests]


@pytest.mark.parametrize("wrong", [[-0.1], [1.1], [np.nan, 0.5]])
def test_what_is_no_p_value_is_an_error(wrong):
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(wrong)


def around(values: list[float], deviation: float = 0.1, replicates: int = 999) -> Values:
    noise = np.random.default_rng(4).normal(0, deviation, (replicates, len(values)))
    return np.array(values) + noise


def test_systems_far_apart_have_groups_of_their_own_in_the_order_of_their_values():
    values = np.array([3.0, 1.0, 2.0])
    found = rank_groups(values, around([3.0, 1.0, 2.0]))
    assert found.best == 1
    assert [placing.group for placing in found.placings] == [3, 1, 2]
    assert [placing.leader for placing in found.placings] == [0, 1, 2]
    assert [placing.difference.value for placing in found.placings] == [2, 0, 1]


def test_systems_close_together_share_a_group_that_the_best_leads():
    values = [1.0, 1.05, 3.0, 3.05]
    found = rank_groups(np.array(values), around(values))
    assert [placing.group for placing in found.placings] == [1, 1, 2, 2]
    assert [placing.leader for placing in found.placings] == [0, 0, 2, 2]


def test_where_higher_is_better_the_highest_leads():
    values = [0.7, 0.9, 0.2]
    found = rank_groups(np.array(values), around(values, 0.01), lower_is_better=False)
    assert found.best == 1
    assert [placing.group for placing in found.placings] == [2, 1, 3]
    assert found.placings[0].difference.value == pytest.approx(-0.2)


def test_a_group_may_skip_a_system_that_is_better_but_surely_worse_than_the_leader():
    leader = np.zeros(999)
    surely = leader + 1.0
    perhaps = leader + np.random.default_rng(4).normal(1.2, 2.0, 999)
    found = rank_groups(np.array([0.0, 1.0, 1.2]), np.column_stack([leader, surely, perhaps]))
    assert [placing.group for placing in found.placings] == [1, 2, 1]


def test_more_systems_make_it_harder_to_be_separable():
    # The second is better in 14 of 999 replicates: p = 2 * 15 / 1000 = 0.03, with Holm 0.06 of two.
    second = np.append(np.full(14, -1.0), np.full(985, 1.0))
    alone = rank_groups(np.array([0.0, 1.0]), np.column_stack([np.zeros(999), second]))
    assert [placing.group for placing in alone.placings] == [1, 2]
    assert alone.placings[1].adjusted == pytest.approx(0.03)
    third = second[::-1]
    among = rank_groups(np.array([0.0, 1.0, 1.0]), np.column_stack([np.zeros(999), second, third]))
    assert [placing.group for placing in among.placings] == [1, 1, 1]
    assert [placing.adjusted for placing in among.placings] == pytest.approx([1, 0.06, 0.06])
    assert among.placings[1].difference.p_value == pytest.approx(0.03)


def test_the_interval_of_a_difference_has_the_level_of_the_test():
    values = [1.0, 1.3]
    found = rank_groups(np.array(values), around(values), alpha=0.1)
    interval = found.placings[1].difference.interval
    deviation = math.sqrt(2) * 0.1
    assert interval.level == pytest.approx(0.9)
    assert interval.low == pytest.approx(0.3 - stats.norm.ppf(0.95) * deviation, abs=0.03)


def test_identical_systems_share_the_first_group_in_the_order_given():
    replicates = np.random.default_rng(2).random((99, 1)).repeat(3, axis=1)
    found = rank_groups(np.full(3, 0.5), replicates)
    assert found.best == 0
    assert [(p.group, p.leader, p.adjusted) for p in found.placings] == [(1, 0, 1)] * 3


@given(systems(), st.sampled_from([True, False]))
def test_rank_groups_keep_their_rules(given_systems, lower_is_better):
    values, replicates = given_systems
    found = rank_groups(values, replicates, lower_is_better=lower_is_better)
    placings = found.placings
    worse = values if lower_is_better else -values
    assert worse[found.best] == worse.min()
    assert placings[found.best].group == 1
    leaders = {placing.group: placing.leader for placing in placings}
    assert sorted(leaders) == list(range(1, len(leaders) + 1))
    for place, placing in enumerate(placings):
        assert placing.leader == leaders[placing.group]
        assert worse[placing.leader] <= worse[place]
        assert placing.adjusted >= placing.difference.p_value
        assert (placing.group == 1) == (placing.adjusted >= 0.05)
    in_order = [worse[leaders[group]] for group in sorted(leaders)]
    assert in_order == sorted(in_order)


def test_resamples_without_a_value_of_one_system_are_left_out_for_all():
    values = [1.0, 2.0, 3.0]
    replicates = around(values, replicates=100)
    replicates[:3, 0], replicates[3:5, 2] = np.nan, np.inf
    found = rank_groups(np.array(values), replicates)
    assert [placing.difference.interval.replicates for placing in found.placings] == [95] * 3
    replicates[5, 1] = np.nan
    with pytest.raises(ValueError, match="on 6 of 100 resamples a system has no value"):
        rank_groups(np.array(values), replicates)


def test_a_system_without_a_value_cannot_be_ranked():
    with pytest.raises(ValueError, match="without a value"):
        rank_groups(np.array([1.0, np.nan]), around([1.0, 2.0]))


@pytest.mark.parametrize("shape", [(99,), (2, 99), (99, 3)])
def test_replicates_of_another_shape_are_an_error(shape):
    with pytest.raises(ValueError, match=r"\(R, systems\)"):
        rank_groups(np.zeros(2), np.zeros(shape))


def test_999_replicates_show_no_p_value_below_2_in_1000():
    assert resolution(999) == pytest.approx(0.002)
    assert resolution(999, tests=10) == pytest.approx(0.02)
    assert resolution(9, tests=10) == 1


def test_the_resolution_is_the_p_value_of_the_clearest_difference_among_many():
    replicates = np.column_stack([np.zeros(99), np.ones(99), np.full(99, 2.0)])
    found = rank_groups(np.array([0.0, 1.0, 2.0]), replicates)
    assert found.placings[1].adjusted == pytest.approx(resolution(99, tests=2))


@given(st.integers(1, 500), shares)
def test_the_replicates_needed_are_enough_and_one_less_is_not(tests, alpha):
    needed = replicates_needed(tests, alpha)
    assert resolution(needed, tests) < alpha
    assert needed == 1 or resolution(needed - 1, tests) >= alpha


def test_one_test_at_5_percent_needs_40_replicates():
    # 2 / 40 is 0.05 itself with 39, which is not below it.
    assert replicates_needed() == 40


def test_no_tests_no_replicates_and_a_level_that_is_no_share_are_errors():
    with pytest.raises(ValueError, match="both must be positive"):
        resolution(0)
    with pytest.raises(ValueError, match="both must be positive"):
        replicates_needed(0)
    with pytest.raises(ValueError, match="significance level"):
        replicates_needed(1, 0.0)
