"""Reliability: what posteriors promise against what happens, for scores taken as LLRs.

A score that is a log-likelihood ratio (natural logarithm), and a prior, give the posterior that a
trial is bona fide. Of the trials with a posterior of 80 %, 80 % should be bona fide, if classes
come in the proportion of the prior. Trials are weighted so that they do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidSettings
from spoofbench.pictures import style
from spoofbench.pictures.drawn import Caption, Drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer
    from matplotlib.figure import Figure

BINS = 10
"""Bins of equal width between posterior 0 and 1."""
NORMAL_95 = 1.959963984540054
"""The two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bins:
    """What happened in each bin of posteriors; all arrays are ``(bins,)``, NaN where it is empty.

    ``predicted`` is the mean posterior, ``observed`` the share of bona fide, both at the prior,
    ``low`` and ``high`` the ends of the 95 % Wilson interval of ``observed``. ``bonafide`` and
    ``spoof`` count the trials.
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    bonafide: NDArray[np.int64]
    spoof: NDArray[np.int64]


def figure_of(
    systems: Sequence[Drawn],
    *,
    caption: Caption | None = None,
    prior: float = 0.5,
    width: float = style.WIDTH,
) -> Figure:
    """Draw observed shares against posteriors, and below how many trials have which posterior.

    ``prior`` is that of bona fide, ``width`` is in inches; `style.save` writes the figure. Raises
    `InvalidSettings` for a prior that is none, `MissingExtra` without matplotlib.
    """
    binned = [bins_of(system.bonafide, system.spoof, prior=prior) for system in systems]
    with style.styled():
        entries = [", ".join([system.label, *system.numbers]) for system in systems]
        note = f"scores as LLRs, prior of bona fide {prior:g}; 95 % intervals"
        key = style.Key(entries, width=width)
        said = replace(caption or Caption(), note=note)
        figure = style.canvas(said, key, width=width, height=width + 0.3)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        _frame(above, below)
        handles = [
            _draw(above, below, bins, style.look(number)) for number, bins in enumerate(binned)
        ]
        style.finish(figure, key, handles)
    return figure


def posteriors(scores: NDArray[np.float64], *, prior: float) -> NDArray[np.float64]:
    """Return the posteriors that trials are bona fide, if ``scores`` are LLRs; ``(trials,)``."""
    from scipy.special import expit

    return np.asarray(expit(scores + math.log(prior / (1 - prior))), dtype=np.float64)


def bins_of(bonafide: NDArray[np.float64], spoof: NDArray[np.float64], *, prior: float) -> Bins:
    """Sort trials into bins by their posterior, weighted so that bona fide has its prior.

    Within a bin the odds of bona fide are multiplied by the same factor for every trial, so the
    Wilson interval of the counts is carried over to the prior. Raises `InvalidSettings` unless the
    prior lies between 0 and 1.
    """
    if not 0 < prior < 1:
        raise InvalidSettings(f"--prior {prior}: a prior lies between 0 and 1")
    own, others = posteriors(bonafide, prior=prior), posteriors(spoof, prior=prior)
    own_bin, other_bin = _bin(own), _bin(others)
    counts = np.bincount(own_bin, minlength=BINS), np.bincount(other_bin, minlength=BINS)
    weights = prior / len(bonafide), (1 - prior) / len(spoof)
    sums = weights[0] * np.bincount(own_bin, own, BINS)
    sums += weights[1] * np.bincount(other_bin, others, BINS)
    with np.errstate(invalid="ignore"):  # 0 / 0 in an empty bin is the NaN that is promised
        predicted = sums / (weights[0] * counts[0] + weights[1] * counts[1])
        share = counts[0] / (counts[0] + counts[1])
    low, high = wilson(counts[0], counts[0] + counts[1])
    factor = weights[0] / weights[1]
    return Bins(
        predicted=predicted,
        observed=_with_odds_times(share, factor),
        low=_with_odds_times(low, factor),
        high=_with_odds_times(high, factor),
        bonafide=counts[0],
        spoof=counts[1],
    )


def _bin(posterior: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.minimum((posterior * BINS).astype(np.intp), BINS - 1)


def wilson(
    hits: NDArray[np.int64], trials: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % intervals of shares (Wilson, JASA 1927); NaN where there are no trials."""
    z2 = NORMAL_95**2
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (hits + z2 / 2) / (trials + z2)
        half = NORMAL_95 * np.sqrt(hits * (trials - hits) / trials + z2 / 4) / (trials + z2)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def _with_odds_times(share: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return the share whose odds are ``factor`` times those of ``share``."""
    return factor * share / (factor * share + 1 - share)


def _frame(above: Axes, below: Axes) -> None:
    above.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.7, zorder=1)
    above.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    above.set_ylabel("observed share of bona fide")
    below.set_xlabel("predicted posterior of bona fide")
    below.set_ylabel("trials")
    below.set_yscale("log")
    style.plain_logarithmic(below.yaxis)
    for axes in (above, below):
        axes.grid(visible=True)
        axes.set_axisbelow(True)


def _draw(above: Axes, below: Axes, bins: Bins, look: style.Look) -> ErrorbarContainer:
    """Draw one system into both parts; return what stands for it in the legend."""
    some = ~np.isnan(bins.observed)
    ends = np.stack([bins.observed - bins.low, bins.high - bins.observed])
    points = above.errorbar(
        bins.predicted[some],
        bins.observed[some],
        yerr=ends[:, some].clip(min=0),
        color=look.colour,
        linestyle=look.dashes,
        marker=look.marker,
        linewidth=1,
        elinewidth=0.8,
        capsize=2,
        clip_on=False,
        zorder=3,
    )
    below.stairs(
        bins.bonafide + bins.spoof,
        np.linspace(0, 1, BINS + 1),
        color=look.colour,
        linestyle=look.dashes,
        linewidth=1.2,
        baseline=0.5,
    )
    below.set_ylim(bottom=0.5)
    return points
