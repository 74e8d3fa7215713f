"""Histograms of scores: bona fide against spoof, and against the spoofs of each attack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spoofbench.metrics.detection import EerPoint, eer_point
from spoofbench.pictures import style
from spoofbench.pictures.drawn import Caption, Drawn

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCORE = "score (higher = more bona fide)"
FEWEST, MOST = 10, 80
"""Bins of a histogram."""
ROW = 0.34
"""Inches of height for each group."""
CLASSES: tuple[dict[str, Any], ...] = (
    {"facecolor": style.BONAFIDE + "44", "edgecolor": style.BONAFIDE},
    {"facecolor": style.SPOOF + "33", "edgecolor": style.SPOOF, "hatch": "/////"},
)
"""How bona fide and spoof look: apart by colour, and in grey by hatching."""


class Bins(NamedTuple):
    """Edges ``(bins + 1,)`` that all histograms of a picture share, and how much lies outside."""

    edges: NDArray[np.float64]
    outside: int


def figure_of(
    system: Drawn,
    *,
    caption: Caption | None = None,
    log: bool = False,
    width: float = style.WIDTH,
) -> Figure:
    """Draw the densities of both classes and the threshold of the EER; `style.save` writes it.

    With ``log`` the density has a logarithmic axis, on which the few errors of a good system are
    seen. ``width`` is in inches. Raises `MissingExtra` without matplotlib.
    """
    bins = bins_of(system.bonafide, system.spoof)
    point = eer_point(system.bonafide, system.spoof)
    classes = [densities(scores, bins) for scores in (system.bonafide, system.spoof)]
    with style.styled():
        key = style.Key(_texts(system, point), width=width)
        figure = style.canvas(caption or Caption(), key, width=width, height=width * 0.55)
        axes = figure.subplots()
        base = min(float(density[density > 0].min()) for density in classes) / 2 if log else 0.0
        handles = [
            _stairs(axes, density, bins, looks, base=base)
            for density, looks in zip(classes, CLASSES, strict=True)
        ]
        if log:
            axes.set_yscale("log")
            style.plain_logarithmic(axes.yaxis)
        axes.set_ylim(bottom=base)
        axes.set_ylabel("density")
        handles += _threshold(axes, point)
        _finish(axes, bins)
        style.finish(figure, key, handles)
    return figure


def figure_by_group(
    system: Drawn,
    groups: Sequence[Drawn],
    *,
    caption: Caption | None = None,
    width: float = style.WIDTH,
) -> Figure:
    """Draw the spoofs of each group (attack, ...) in a row, with the bona fide trials beside them.

    All areas are equal. The threshold is that of the EER of all trials; at the end of a row stands
    the EER of its group. ``width`` is in inches. Raises `MissingExtra` without matplotlib.
    """
    bins = bins_of(system.bonafide, system.spoof)
    point = eer_point(system.bonafide, system.spoof)
    rows = [[densities(scores, bins) for scores in (g.bonafide, g.spoof)] for g in groups]
    tallest = max(float(density.max()) for row in rows for density in row) or 1.0
    with style.styled():
        key = style.Key(_texts(system, point), width=width)
        height = ROW * len(groups) + 0.6
        figure = style.canvas(caption or Caption(), key, width=width, height=height)
        axes = figure.subplots()
        handles: list[Artist] = []
        for base, row in zip(_bases(groups), rows, strict=True):
            handles = [
                _stairs(axes, base + 0.92 * density / tallest, bins, looks, base=base)
                for density, looks in zip(row, CLASSES, strict=True)
            ]
        _name_rows(axes, groups)
        handles += _threshold(axes, point)
        _finish(axes, bins)
        style.finish(figure, key, handles)
    return figure


def bins_of(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> Bins:
    """Choose bins for both classes: finer the more trials there are, without endless tails.

    Where scores are few distinct values, each has a bin of its own.
    """
    scores = np.concatenate([bonafide, spoof])
    low, high = _ends(bonafide, spoof)
    inside = np.unique(scores[(scores >= low) & (scores <= high)])
    outside = int(np.count_nonzero((scores < low) | (scores > high)))
    step = float(np.diff(inside).min()) if inside.size > 1 else 1.0
    count = round((high - low) / step) + 1
    if inside.size * 4 <= scores.size and count <= MOST:
        return Bins(np.asarray(low + step * (np.arange(count + 1) - 0.5)), outside)
    count = int(np.clip(2 * math.sqrt(min(len(bonafide), len(spoof))), FEWEST, MOST))
    if low == high:
        low, high = low - 0.5, high + 0.5
    return Bins(np.linspace(low, high, count + 1), outside)


def _ends(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> tuple[float, float]:
    """Return the lowest and the highest score that is shown.

    That is half as far again beyond the middle 98 % of both classes, if scores reach so far.
    """
    middle = np.array([np.quantile(part, [0.01, 0.99]) for part in (bonafide, spoof)])
    low, high = float(middle.min()), float(middle.max())
    least = float(min(bonafide.min(), spoof.min()))
    most = float(max(bonafide.max(), spoof.max()))
    if low == high:
        return least, most
    return max(least, low - (high - low) / 2), min(most, high + (high - low) / 2)


def densities(scores: NDArray[np.float64], bins: Bins) -> NDArray[np.float64]:
    """Return the density of ``scores`` in each bin, ``(bins,)``: shares of all trials per width."""
    counts, _ = np.histogram(scores, bins.edges)
    return counts / (len(scores) * np.diff(bins.edges))


def _stairs(
    axes: Axes, heights: NDArray[np.float64], bins: Bins, looks: dict[str, Any], *, base: float
) -> Artist:
    return axes.stairs(heights, bins.edges, baseline=base, fill=True, linewidth=0.9, **looks)


def _bases(groups: Sequence[Drawn]) -> range:
    """Return where the row of each group begins, the first one on top."""
    return range(len(groups) - 1, -1, -1)


def _name_rows(axes: Axes, groups: Sequence[Drawn]) -> None:
    """Write the name of each group at the beginning of its row, its EER at the end."""
    bases = list(_bases(groups))
    axes.set_ylim(0, len(groups))
    axes.set_yticks([base + 0.3 for base in bases], [group.label for group in groups])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for base, group in zip(bases, groups, strict=True):
        axes.annotate(
            f"EER {100 * eer_point(group.bonafide, group.spoof).eer:.2f} %",
            (1.01, base + 0.3),
            xycoords=("axes fraction", "data"),
            va="center",
            size=style.SMALL,
        )


def _threshold(axes: Axes, point: EerPoint) -> list[Artist]:
    """Draw the threshold of the EER, if it is a score at all."""
    if not np.isfinite(point.threshold):
        return []
    return [axes.axvline(point.threshold, color="black", linestyle=(0, (4, 2)), linewidth=0.9)]


def _texts(system: Drawn, point: EerPoint) -> list[str]:
    """Return what the legend says."""
    texts = [f"bona fide ({len(system.bonafide):,})", f"spoof ({len(system.spoof):,})"]
    if np.isfinite(point.threshold):
        texts.append(f"threshold of the EER ({100 * point.eer:.2f} %): {point.threshold:.4g}")
    return texts


def _finish(axes: Axes, bins: Bins) -> None:
    axes.set_xlim(bins.edges[0], bins.edges[-1])
    beyond = f"; {bins.outside:,} trials lie beyond" if bins.outside else ""
    axes.set_xlabel(SCORE + beyond)
