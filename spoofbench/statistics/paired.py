"""Which systems differ: bootstrap differences on the same trials, Holm's correction, rank groups.

All replicates here were computed with the same weights (`resampling.weights` of one design and one
seed), replicate for replicate. So what makes the trials of a resample easy or hard is the same for
both systems, and cancels in the difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spoofbench.statistics.intervals import Interval, enough_defined, percentile


class Estimate(NamedTuple):
    """A metric of one system: its value on all trials, and its ``replicates`` ``(R,)``."""

    value: float
    replicates: NDArray[np.float64]


class Difference(NamedTuple):
    """How much one system differs from another, in the unit of the metric.

    ``p_value`` is two-sided, and NaN if ``interval`` has no ends.
    """

    value: float
    interval: Interval
    p_value: float


class Placing(NamedTuple):
    """Where a system stands.

    ``group`` counts from 1. ``leader`` is the place, among the systems as they were given, of the
    best of its group, from which it is not separable. ``difference`` is this system minus the best
    of all. ``adjusted`` is the p-value of that difference after Holm's correction over all systems
    but the best.
    """

    group: int
    leader: int
    difference: Difference
    adjusted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RankGroups:
    """Where each system stands, in the order given; ``best`` is the place of the best of them."""

    best: int
    placings: tuple[Placing, ...]


def difference(a: Estimate, b: Estimate, *, level: float = 0.95) -> Difference:
    """Return by how much ``a`` exceeds ``b``, with a percentile interval and a p-value.

    p = min(1, 2 (1 + min(#{d* <= 0}, #{d* >= 0})) / (R + 1)) over the R replicates d* of the
    difference. This inverts the percentile interval: Efron and Tibshirani (1993), section 15.4; the
    two ones, without which a p-value could be 0, are those of Monte-Carlo tests: Davison and
    Hinkley (1997), chapter 4. If p <= 1 - level, the interval does not hold 0.

    Replicates that are not finite are left out, see `intervals`; if more than 5 % of them are not,
    the interval and the p-value are NaN.

    Raises ValueError unless there are equally many replicates of both.
    """
    if a.replicates.shape != b.replicates.shape:
        raise ValueError(
            f"{a.replicates.size:,} replicates cannot be paired with {b.replicates.size:,}"
        )
    with np.errstate(invalid="ignore"):
        replicates = a.replicates - b.replicates
    interval = percentile(replicates, level)
    p_value = math.nan if math.isnan(interval.low) else _two_sided(replicates)
    return Difference(value=a.value - b.value, interval=interval, p_value=p_value)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return ``p_values`` ``(tests,)`` adjusted so that any wrong rejection has a chance below p.

    The smallest is multiplied by the number of tests, the next one by one less, and so on; none
    becomes smaller than the one before it, or greater than 1. It holds under any dependence of the
    tests. Source: Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure,
    Scandinavian Journal of Statistics 6(2).

    Raises ValueError unless all are between 0 and 1.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    if not ((raw >= 0) & (raw <= 1)).all():
        raise ValueError("p-values are between 0 and 1")
    order = np.argsort(raw, kind="stable")
    adjusted = np.empty_like(raw)
    adjusted[order] = np.maximum.accumulate(raw[order] * np.arange(raw.size, 0, -1))
    return np.minimum(adjusted, 1)


def rank_groups(
    values: NDArray[np.float64],
    replicates: NDArray[np.float64],
    *,
    alpha: float = 0.05,
    lower_is_better: bool = True,
) -> RankGroups:
    """Group the systems that these trials cannot tell from the best of their group.

    ``values`` ``(systems,)`` are the metric on all trials, ``replicates`` ``(R, systems)`` on
    resamples. The best system leads group 1. All others are tested against it, with Holm's
    correction over these tests; those whose adjusted p-value is ``alpha`` or more belong to its
    group. The best of the remaining ones leads the next group, and so on. Of equal values the first
    is the better one.

    Intervals have the level 1 - ``alpha``. Resamples on which a system has no value are left out
    for all of them.

    The best is chosen on the same trials that test it, so its lead is a little overstated. A
    group's members need not be neighbours: one that is a little worse but varies less with the
    leader can be separable while its follower is not.

    Raises ValueError for shapes that do not fit, a value that is not finite, and if more than 5 %
    of the resamples have to be left out.
    """
    if replicates.ndim != 2 or values.shape != replicates.shape[1:] or values.size == 0:
        raise ValueError(
            f"values of the shape {values.shape} do not belong to replicates of the shape "
            f"{replicates.shape}: it should be (systems,) and (R, systems)"
        )
    estimates = _estimates(values, replicates)
    order = np.argsort(values if lower_is_better else -values, kind="stable").tolist()
    leader_of = _leaders(order, estimates, alpha)
    leaders = [place for place in order if leader_of[place] == place]
    best, *others = order
    differences = [difference(each, estimates[best], level=1 - alpha) for each in estimates]
    adjusted = np.ones(values.size)
    adjusted[others] = holm([differences[place].p_value for place in others])
    return RankGroups(
        best=best,
        placings=tuple(
            Placing(
                group=leaders.index(leader_of[place]) + 1,
                leader=leader_of[place],
                difference=differences[place],
                adjusted=float(adjusted[place]),
            )
            for place in range(values.size)
        ),
    )


def resolution(replicates: int, tests: int = 1) -> float:
    """Return the smallest p-value that so many replicates can show.

    It is after Holm's correction over ``tests``: that of the clearest of them. Raises ValueError
    unless both are positive.
    """
    if replicates < 1 or tests < 1:
        raise ValueError(f"{replicates} replicates and {tests} tests: both must be positive")
    return min(1.0, 2 / (replicates + 1) * tests)


def replicates_needed(tests: int = 1, alpha: float = 0.05) -> int:
    """Return the least number of replicates whose `resolution` is below ``alpha``.

    With less, no difference among so many tests can be significant, however large it is.

    Raises ValueError for less than one test and for an alpha that is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"the significance level, {alpha}, is not between 0 and 1")
    fewest = max(1, math.ceil(2 * tests / alpha) - 1)
    return fewest if resolution(fewest, tests) < alpha else fewest + 1


def _two_sided(replicates: NDArray[np.float64]) -> float:
    """Return the p-value of a difference of 0."""
    defined = replicates[np.isfinite(replicates)]
    fewer = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    return min(1.0, 2 * (1 + fewer) / (defined.size + 1))


def _estimates(
    values: NDArray[np.float64], replicates: NDArray[np.float64]
) -> tuple[Estimate, ...]:
    """Return each system's estimate, without the resamples on which one of them has no value."""
    defined = np.isfinite(replicates).all(axis=1)
    if not np.isfinite(values).all():
        raise ValueError("a system without a value cannot be ranked")
    if not enough_defined(np.where(defined, 0, np.nan)):
        raise ValueError(
            f"on {np.sum(~defined):,} of {defined.size:,} resamples a system has no value: "
            "too many for ranks"
        )
    return tuple(
        Estimate(float(value), replicates[defined, place]) for place, value in enumerate(values)
    )


def _leaders(order: Sequence[int], estimates: Sequence[Estimate], alpha: float) -> dict[int, int]:
    """Return the leader of each system; ``order`` has the best first."""
    leader_of: dict[int, int] = {}
    remaining = list(order)
    while remaining:
        leader, *others = remaining
        leader_of[leader] = leader
        adjusted = holm([difference(estimates[o], estimates[leader]).p_value for o in others])
        separable = {place: bool(p < alpha) for place, p in zip(others, adjusted, strict=True)}
        leader_of |= {place: leader for place in others if not separable[place]}
        remaining = [place for place in others if separable[place]]
    return leader_of
