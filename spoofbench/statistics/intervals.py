"""Intervals from bootstrap replicates: percentile and BCa.

A replicate that is not finite stands for a resample on which the metric has no value: a class has
vanished. Up to 5 % of them are left out and counted. If there are more, what is left would be a
selection of resamples, and the interval is NaN.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_UNDEFINED = 0.05
"""The largest share of replicates without a value that an interval bears."""


class Interval(NamedTuple):
    """A confidence interval, in the unit of the metric.

    ``low`` and ``high`` are NaN if there is none. ``level`` is the nominal coverage, ``method`` is
    ``percentile`` or ``bca``. ``replicates`` counts those that were used, ``undefined`` those that
    had no value and were left out.
    """

    low: float
    high: float
    level: float
    method: str
    replicates: int
    undefined: int = 0


def percentile(replicates: NDArray[np.float64], level: float = 0.95) -> Interval:
    """Return the central interval that holds the share ``level`` of ``replicates`` ``(R,)``.

    Quantiles are interpolated linearly between order statistics, as `numpy.quantile` does and
    `scipy.stats.bootstrap` too. Source: Efron and Tibshirani (1993), An Introduction to the
    Bootstrap, chapter 13.

    Raises ValueError without replicates, and for a level that is not between 0 and 1.
    """
    _check(replicates, level)
    tail = (1 - level) / 2
    return _between(replicates, tail, 1 - tail, level=level, method="percentile")


def bca(
    value: float,
    replicates: NDArray[np.float64],
    jackknife: NDArray[np.float64],
    level: float = 0.95,
    *,
    samples: NDArray[np.intp] | None = None,
) -> Interval:
    """Return the bias-corrected and accelerated interval of Efron (1987).

    ``value`` is the metric on the trials themselves, ``replicates`` ``(R,)`` on bootstrap weights,
    ``jackknife`` ``(jackknife,)`` on the weights of `resampling.jackknife`, and ``samples``
    ``(jackknife,)`` is what `resampling.jackknife_samples` says; without it all belong to one.

    - Bias correction: z0 is the normal quantile of the share of replicates below the value. Those
      equal to it count half.
    - Acceleration: see `acceleration`. It is 0 if no part that is left out changes the value.
    - The ends are those quantiles of the replicates that are at Phi(z0 + (z0 + z) / (1 - a (z0 +
      z))), z being the normal quantile of either tail; interpolated as in `percentile`.

    The interval is NaN where there is none: if the value or one of ``jackknife`` is not finite, if
    all replicates are on one side of the value (z0 is infinite), and if a (z0 + z) reaches 1. If
    all replicates are equal to the value, both ends are that value.

    Sources: Efron (1987), Better Bootstrap Confidence Intervals, Journal of the American
    Statistical Association 82(397); Efron and Tibshirani (1993), section 14.3.

    Raises ValueError without replicates, without two values in each sample of ``jackknife``, and
    for a level that is not between 0 and 1.
    """
    _check(replicates, level)
    accelerated = acceleration(jackknife, samples)
    defined = replicates[np.isfinite(replicates)]
    if not (math.isfinite(value) and math.isfinite(accelerated) and defined.size):
        return _none(replicates, level=level, method="bca")
    below = float((defined < value).mean() + (defined <= value).mean()) / 2
    if not 0 < below < 1:
        return _none(replicates, level=level, method="bca")
    bias, tail = NormalDist().inv_cdf(below), NormalDist().inv_cdf((1 - level) / 2)
    low, high = (_accelerated(bias, z, accelerated) for z in (tail, -tail))
    return _between(replicates, low, high, level=level, method="bca")


def acceleration(jackknife: NDArray[np.float64], samples: NDArray[np.intp] | None = None) -> float:
    """Return the acceleration: how fast the standard error changes with the value.

    With u_i = (mean of ``jackknife``) - jackknife_i, it is sum u^3 / (6 (sum u^2)^(3/2)): Efron and
    Tibshirani (1993), equation 14.15. If several things are drawn independently, ``samples``
    ``(jackknife,)`` tells their parts apart: then the mean is that of the sample, each u is
    multiplied by (n - 1) / n for the n parts of its sample, and the sums go over all samples
    (Davison and Hinkley (1997), Bootstrap Methods and their Application, section 5.3). For one
    sample this factor cancels.

    It is 0 if all u are 0, and NaN if a value is not finite. Raises ValueError if a sample has less
    than two parts.
    """
    samples = np.zeros(jackknife.size, dtype=np.intp) if samples is None else samples
    if samples.shape != jackknife.shape:
        raise ValueError(f"{jackknife.size} jackknife values are of {samples.size} samples")
    sizes = np.bincount(samples)
    if sizes.size == 0 or sizes.min() < 2:
        raise ValueError("an acceleration needs two jackknife values of each sample")
    if not np.isfinite(jackknife).all():
        return math.nan
    influence = np.zeros(jackknife.size)
    for sample, parts in enumerate(sizes):
        own = samples == sample
        values = jackknife[own]
        # The mean of equal numbers can be off by rounding, and rounding has no skewness.
        if np.ptp(values) > 0:
            influence[own] = (values.mean() - values) * (parts - 1) / parts
    largest = np.abs(influence).max()
    if not largest:
        return 0.0
    influence /= largest  # powers of very small numbers would be 0
    spread = float((influence**2).sum())
    return float((influence**3).sum()) / float(6 * spread**1.5)


def enough_defined(replicates: NDArray[np.float64]) -> bool:
    """Tell whether at most 5 % of ``replicates`` ``(R,)`` are without a value."""
    return float(np.mean(~np.isfinite(replicates))) <= MOST_UNDEFINED


def _accelerated(bias: float, z: float, acceleration: float) -> float:
    """Return the share of replicates at which an end of a BCa interval is, NaN if there is none."""
    corrected = bias + z
    stretch = 1 - acceleration * corrected
    return NormalDist().cdf(bias + corrected / stretch) if stretch > 0 else math.nan


def _between(
    replicates: NDArray[np.float64], low: float, high: float, *, level: float, method: str
) -> Interval:
    """Return the interval between two quantiles of the replicates that have a value."""
    none = _none(replicates, level=level, method=method)
    if math.isnan(low + high) or not enough_defined(replicates):
        return none
    ends = np.quantile(replicates[np.isfinite(replicates)], [low, high])
    return none._replace(low=float(ends[0]), high=float(ends[1]))


def _none(replicates: NDArray[np.float64], *, level: float, method: str) -> Interval:
    """Return an interval without ends."""
    defined = int(np.isfinite(replicates).sum())
    return Interval(
        low=math.nan,
        high=math.nan,
        level=level,
        method=method,
        replicates=defined,
        undefined=replicates.size - defined,
    )


def _check(replicates: NDArray[np.float64], level: float) -> None:
    if replicates.ndim != 1 or replicates.size == 0:
        raise ValueError(f"replicates of the shape {replicates.shape}: a list of them is needed")
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval, {level}, is not between 0 and 1")
