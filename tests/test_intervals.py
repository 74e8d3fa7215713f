from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from spoofbench.statistics.intervals import (
    Interval,
    acceleration,
    bca,
    enough_defined,
    percentile,
)
from spoofbench.statistics.resampling import Design, jackknife, jackknife_samples

Values = NDArray[np.float64]

many = st.lists(st.floats(-50, 50), min_size=1, max_size=60).map(np.array)
levels = st.floats(0.5, 0.995)


def skewed(size: int = 40, seed: int = 1) -> Values:
    return np.random.default_rng(seed).lognormal(0, 0.8, size)


def resampled(*samples: Values, method: str, level: float = 0.95) -> Any:
    """SciPy's bootstrap of the mean, or of the difference of two means."""

    def statistic(*arrays: Values, axis: int = -1) -> Values:
        means = [array.mean(axis=axis) for array in arrays]
        return means[0] if len(means) == 1 else means[0] - means[1]

    return stats.bootstrap(
        samples,
        statistic,
        n_resamples=999,
        confidence_level=level,
        method=method,
        rng=np.random.default_rng(2),
    )


def means_without_one(values: Values) -> Values:
    return np.array([np.delete(values, place).mean() for place in range(values.size)])


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_percentile_intervals_are_those_of_scipy(level):
    theirs = resampled(skewed(), method="percentile", level=level)
    ours = percentile(theirs.bootstrap_distribution, level)
    assert ends(ours) == pytest.approx(tuple(theirs.confidence_interval), rel=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("seed", range(4))
def test_bca_intervals_of_a_mean_are_those_of_scipy(level, seed):
    values = skewed(seed=seed)
    theirs = resampled(values, method="BCa", level=level)
    ours = bca(values.mean(), theirs.bootstrap_distribution, means_without_one(values), level)
    assert ends(ours) == pytest.approx(tuple(theirs.confidence_interval), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_bca_intervals_over_two_classes_are_those_of_scipy_for_two_samples(seed):
    bonafide, spoof = skewed(30, seed), -skewed(17, seed + 50)
    theirs = resampled(bonafide, spoof, method="BCa")
    values = np.concatenate([bonafide, spoof])
    design = Design.of(
        unit="trial",
        bonafide=np.arange(47) < 30,
        speaker=["-"] * 47,
        attack=["A01"] * 47,
    )
    without_one = [
        np.average(values[:30], weights=counts[:30]) - np.average(values[30:], weights=counts[30:])
        for counts in jackknife(design, seed=1)
    ]
    ours = bca(
        bonafide.mean() - spoof.mean(),
        theirs.bootstrap_distribution,
        np.array(without_one),
        samples=jackknife_samples(design),
    )
    assert ends(ours) == pytest.approx(tuple(theirs.confidence_interval), rel=1e-9)


def test_the_acceleration_of_a_mean_is_its_skewness_over_six_roots_of_n():
    values = skewed()
    expected = stats.skew(values) / (6 * math.sqrt(values.size))
    assert acceleration(means_without_one(values)) == pytest.approx(expected, rel=1e-9)


def test_leaving_out_groups_gives_about_the_acceleration_of_leaving_out_trials():
    # Of 20,000 exponential numbers the mean has the acceleration 2 / (6 sqrt(20,000)) = 0.00236.
    # That of 200 groups scatters by sqrt(6) / (6 * 200) = 0.00204 about it.
    size = 20_000
    design = Design.of(
        unit="trial",
        bonafide=np.arange(2 * size) < size,
        speaker=["-"] * (2 * size),
        attack=["A01"] * (2 * size),
    )
    values = np.append(np.random.default_rng(6).exponential(1, size), np.zeros(size))
    means = np.array(
        [(values * kept).sum() / kept[:size].sum() for kept in jackknife(design, seed=1)]
    )
    grouped = acceleration(means, jackknife_samples(design))
    assert grouped == pytest.approx(0.00236, abs=3 * 0.00204)


def test_without_bias_and_without_skewness_bca_is_the_percentile_interval():
    replicates = np.linspace(-1, 1, 1001)
    symmetric = np.array([-1.0, 0.0, 1.0])
    assert ends(bca(0.0, replicates, symmetric)) == pytest.approx(ends(percentile(replicates)))


def test_replicates_that_equal_the_value_count_half():
    # 30 below, 40 equal, 30 above: no bias. Counting them below or above would shift both ends.
    replicates = np.repeat([1.0, 2.0, 3.0], [30, 40, 30])
    spread_out = replicates + np.linspace(0, 1e-9, 100)
    flat = np.ones(5)
    assert ends(bca(2.0, replicates, flat)) == ends(percentile(replicates))
    assert bca(2.0, spread_out, flat).low <= percentile(spread_out).low


def test_a_bias_moves_the_interval_against_it():
    replicates = np.linspace(0, 1, 1001)
    flat = np.ones(5)
    below, above = bca(0.4, replicates, flat), bca(0.6, replicates, flat)
    assert below.low < percentile(replicates).low < above.low
    assert below.high < percentile(replicates).high < above.high


def test_replicates_that_all_equal_the_value_leave_an_interval_without_width():
    interval = bca(0.0, np.zeros(100), np.zeros(7))
    assert ends(interval) == (0.0, 0.0)


@pytest.mark.parametrize("value", [0.9, 2.1])
def test_a_value_outside_all_replicates_has_no_bca_interval(value):
    interval = bca(value, np.linspace(1, 2, 100), np.array([0.0, 1.0, 3.0]))
    assert all(math.isnan(end) for end in ends(interval))
    assert interval.replicates == 100


def test_equal_values_without_each_part_have_no_acceleration():
    assert acceleration(np.full(7, 0.1)) == 0.0


def test_a_part_without_which_there_is_no_value_leaves_no_bca_interval():
    without = np.array([0.1, np.nan, 0.3])
    assert math.isnan(acceleration(without))
    assert math.isnan(bca(0.5, np.linspace(0, 1, 100), without).low)


def test_an_acceleration_beyond_what_the_formula_bears_leaves_no_interval():
    # Of n parts only one has an influence: the skewness is (n - 2) / sqrt(n (n - 1)), its maximum.
    one_of_many = np.zeros(400)
    one_of_many[0] = -1.0
    assert acceleration(one_of_many) == pytest.approx(398 / math.sqrt(400 * 399) / 6, rel=1e-9)
    # z0 = 3.09 for 1,000 of 1,001 below, z = 3.89 at this level: 0.166 * 6.98 is above 1.
    interval = bca(999.5, np.arange(1001.0), one_of_many, 0.9999)
    assert all(math.isnan(end) for end in ends(interval))
    assert not math.isnan(bca(999.5, np.arange(1001.0), one_of_many, 0.95).high)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_up_to_5_percent_of_replicates_without_a_value_are_left_out_and_counted(method):
    values = np.linspace(0, 1, 95)
    replicates = np.append(values, [np.nan] * 4 + [np.inf])
    symmetric = np.array([0.0, 1.0, 2.0])
    interval = {
        "percentile": lambda: percentile(replicates),
        "bca": lambda: bca(0.5, replicates, symmetric),
    }[method]()
    assert ends(interval) == pytest.approx((0.025, 0.975))
    assert (interval.replicates, interval.undefined) == (95, 5)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_more_than_5_percent_of_replicates_without_a_value_leave_no_interval(method):
    replicates = np.append(np.linspace(0, 1, 94), [np.nan] * 6)
    symmetric = np.array([0.0, 1.0, 2.0])
    interval = {
        "percentile": lambda: percentile(replicates),
        "bca": lambda: bca(0.5, replicates, symmetric),
    }[method]()
    assert all(math.isnan(end) for end in ends(interval))
    assert (interval.replicates, interval.undefined) == (94, 6)
    assert not enough_defined(replicates)


def test_replicates_without_any_value_leave_no_interval():
    for interval in (
        percentile(np.full(10, np.nan)),
        bca(0.5, np.full(10, np.nan), np.array([0.0, 1.0])),
    ):
        assert all(math.isnan(end) for end in ends(interval))
        assert (interval.replicates, interval.undefined) == (0, 10)


def test_an_interval_says_how_it_was_made():
    replicates = np.linspace(0, 1, 100)
    assert percentile(replicates, 0.9)[2:] == (0.9, "percentile", 100, 0)
    assert bca(0.5, replicates, np.array([0.0, 1.0]), 0.9)[2:] == (0.9, "bca", 100, 0)


@given(many, levels, levels)
def test_a_higher_level_gives_an_interval_that_holds_the_other(replicates, one, another):
    narrow, wide = (percentile(replicates, level) for level in sorted([one, another]))
    rounding = 1e-12 * (1 + np.abs(replicates).max())
    assert wide.low <= narrow.low + rounding
    assert narrow.high <= wide.high + rounding


@given(many, st.floats(-50, 50))
def test_bca_stays_within_the_replicates_or_says_nothing(replicates, value):
    interval = bca(value, replicates, replicates.repeat(2))
    if not math.isnan(interval.low):
        assert replicates.min() <= interval.low <= interval.high <= replicates.max()


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_that_is_no_share_is_an_error(level):
    with pytest.raises(ValueError, match="not between 0 and 1"):
        percentile(np.zeros(5), level)


def test_no_replicates_are_an_error():
    with pytest.raises(ValueError, match="a list of them is needed"):
        percentile(np.zeros(0))


def test_an_acceleration_needs_two_values_of_each_sample():
    with pytest.raises(ValueError, match="two jackknife values of each sample"):
        acceleration(np.array([0.1, 0.2, 0.3]), np.array([0, 0, 1]))
    with pytest.raises(ValueError, match="two jackknife values of each sample"):
        bca(0.5, np.linspace(0, 1, 9), np.zeros(0))


def test_jackknife_values_and_their_samples_belong_together():
    with pytest.raises(ValueError, match="3 jackknife values are of 2 samples"):
        acceleration(np.zeros(3), np.array([0, 1]))
