"""DET curves: miss rate against false-alarm rate, on axes of normal deviates.

After Martin et al., "The DET curve in assessment of detection task performance", Eurospeech 1997:
normally distributed scores give straight lines, and good systems are not squeezed into a corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spoofbench.metrics.detection import eer_point_of
from spoofbench.metrics.judged import DetectionCosts
from spoofbench.metrics.ranked import OperatingPoints, Ranked
from spoofbench.pictures import style
from spoofbench.pictures.drawn import Caption, Drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

RATES = tuple(
    percentage / 100
    for percentage in (
        *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40),
        *(60, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9),
    )
)
"""Where axes may begin, end, and have labels."""
FINENESS = 2_000
"""Steps that the side of the picture is divided into; what is finer is not drawn.

On a picture 10 cm wide a step is a twentieth of a millimetre, an eighth of the width of the line.
"""
MOST_MARKED = 7
"""Up to so many curves the points of costs are marked too; with more they would hide each other."""
ROOM = 0.6
"""Normal deviates between the outermost marks and the ends of the axes."""
RING = 7.5
"""Size of a hollow mark in points, so that a filled one is seen in it."""
TIE_STEPS = 100
"""Pieces in which a tie of both classes is drawn: straight in rates, thus bent on these axes."""


class Mark(NamedTuple):
    """An operating point that is marked, and the normalised cost there."""

    false_alarm: float
    miss: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One system, ready to be drawn: its operating points, and those that are marked."""

    label: str
    numbers: tuple[str, ...]
    points: OperatingPoints
    eer: float
    at_eer: Mark
    at_best: Mark | None
    at_threshold: Mark | None
    trials: int
    """How many trials the rarer class has."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks that there are."""
        marks = (self.at_eer, self.at_best, self.at_threshold)
        return tuple(mark for mark in marks if mark is not None)


def figure_of(
    systems: Sequence[Drawn],
    *,
    caption: Caption | None = None,
    costs: DetectionCosts | None = None,
    llr: bool = False,
    width: float = style.WIDTH,
) -> Figure:
    """Draw a DET curve for each system; `style.save` writes the figure.

    Marked are the EER and the point of the least normalised detection cost (of ASVspoof 5 unless
    ``costs`` says otherwise). The threshold at which a countermeasure works is marked if ``costs``
    states it, or with ``llr``, where scores are log-likelihood ratios and it is the Bayes
    threshold. ``width`` is in inches. Raises `MissingExtra` without matplotlib.
    """
    costs = costs or DetectionCosts()
    marked = len(systems) <= MOST_MARKED
    curves = [curve_of(system, costs, marked=marked, llr=llr) for system in systems]
    with style.styled():
        kinds = _kinds(curves[0], costs)
        entries = [_entry(curve) for curve in curves]
        key = style.Key(entries, list(kinds), width=width)
        figure = style.canvas(caption or Caption(), key, width=width, height=width - 0.15)
        axes = figure.subplots()
        _frame(axes, *limits(curves), room=width * 0.8)
        handles = [_draw(axes, curve, style.look(number)) for number, curve in enumerate(curves)]
        style.finish(figure, key, [*handles, *kinds.values()])
    return figure


def curve_of(system: Drawn, costs: DetectionCosts, *, marked: bool, llr: bool) -> Curve:
    """Return the curve of one system, its EER, and if ``marked`` the points of its costs."""
    ranked = Ranked.of(system.bonafide, system.spoof)
    at_eer = eer_point_of(ranked)
    works = llr or costs.threshold is not None
    return Curve(
        label=system.label,
        numbers=system.numbers,
        points=ranked.points(),
        eer=at_eer.eer,
        at_eer=_mark(at_eer.false_alarm, at_eer.miss, costs),
        at_best=_best(ranked, costs) if marked else None,
        at_threshold=_at(ranked, costs) if marked and works else None,
        trials=min(ranked.all_bonafide, ranked.all_spoof),
    )


def _mark(false_alarm: float, miss: float, costs: DetectionCosts) -> Mark:
    bonafide, spoof = (1 - costs.p_spoof) * costs.c_miss, costs.p_spoof * costs.c_fa
    cost = (bonafide * miss + spoof * false_alarm) / min(bonafide, spoof)
    return Mark(false_alarm, miss, cost)


def _best(ranked: Ranked, costs: DetectionCosts) -> Mark:
    corners = ranked.corners()
    of_miss, of_false_alarm = (1 - costs.p_spoof) * costs.c_miss, costs.p_spoof * costs.c_fa
    best = int(np.argmin(of_miss * corners.miss + of_false_alarm * corners.false_alarm))
    return _mark(float(corners.false_alarm[best]), float(corners.miss[best]), costs)


def _at(ranked: Ranked, costs: DetectionCosts) -> Mark:
    threshold = costs.operating_threshold
    return _mark(
        ranked.false_alarms_at(threshold) / ranked.all_spoof,
        ranked.missed_at(threshold) / ranked.all_bonafide,
        costs,
    )


def limits(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the lowest and the highest rate that the axes show, both of `RATES`.

    They hold what is marked with some room, but no rates that the trials cannot tell from none.
    """
    marked = [rate for curve in curves for mark in curve.marks for rate in mark[:2]]
    finest = min(1 / curve.trials for curve in curves)
    some = [rate for rate in marked if 0 < rate < 1] or [finest]
    low, high, least = _probit(np.array([min(some), max(some), finest]))
    low, high = max(low - ROOM, least), high + ROOM
    below = [rate for rate in RATES if _probit(np.array(rate)) <= low and rate <= 0.05]
    above = [rate for rate in RATES if _probit(np.array(rate)) >= high and rate >= 0.2]
    return (below or RATES)[-1 if below else 0], (above or RATES)[0 if above else -1]


def path(
    points: OperatingPoints, low: float, high: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the false-alarm and miss rates that a line is drawn through, each ``(corners,)``.

    It is the exact staircase, cut a little outside of ``low`` and ``high``, without corners that
    are nearer than a step of `FINENESS` to the one before. A curve that would be outside of the
    picture altogether, as that of a system without errors, runs along its edge.
    """
    false_alarm, miss = _with_ties(points.false_alarm, points.miss, low, high)
    seen = (false_alarm >= low) & (false_alarm <= high) & (miss >= low) & (miss <= high)
    bottom, top = _probit(np.array([low, high]))
    outside = (top - bottom) / 20 if seen.any() else 0.0
    edges = _rate(np.array([bottom - outside, top + outside]))
    false_alarm, miss = false_alarm.clip(*edges), miss.clip(*edges)
    moved = np.append(True, (np.diff(false_alarm) != 0) | (np.diff(miss) != 0))
    false_alarm, miss = false_alarm[moved], miss[moved]
    cells = np.stack([_probit(false_alarm), _probit(miss)]) // ((top - bottom) / FINENESS)
    new = (np.diff(cells, axis=1) != 0).any(axis=0)
    # The last point in a cell and the first in the next: what is level stays exactly level.
    kept = np.append(new, True) | np.insert(new, 0, True)
    turning = _turns(false_alarm[kept], miss[kept])
    return false_alarm[kept][turning], miss[kept][turning]


def _with_ties(
    false_alarm: NDArray[np.float64], miss: NDArray[np.float64], low: float, high: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put points between the ends of each tie of both classes, evenly on these axes."""
    both = np.flatnonzero((np.diff(false_alarm) != 0) & (np.diff(miss) != 0))
    # Small ties are straight enough as they are, and there may be very many.
    both = both[np.abs(np.diff(false_alarm))[both] + np.diff(miss)[both] > 1e-3]
    if not both.size:
        return false_alarm, miss
    bottom, top = _probit(np.array([low, high]))
    steps = _rate(np.linspace(bottom - 1, top + 1, TIE_STEPS))
    places, more_false_alarm, more_miss = [], [], []
    for start in both:
        ends = slice(start, start + 2)
        by_miss = np.interp(steps, miss[ends], [0, 1])
        by_false_alarm = np.interp(steps, false_alarm[ends][::-1], [1, 0])
        shares = np.unique(np.concatenate([by_miss, by_false_alarm]))
        shares = shares[(shares > 0) & (shares < 1)]
        places.append(np.full(shares.size, start + 1))
        more_false_alarm.append(np.interp(shares, [0, 1], false_alarm[ends]))
        more_miss.append(np.interp(shares, [0, 1], miss[ends]))
    at = np.concatenate(places)
    return (
        np.insert(false_alarm, at, np.concatenate(more_false_alarm)),
        np.insert(miss, at, np.concatenate(more_miss)),
    )


def _turns(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each point whether the line must pass it: not where it goes straight on."""
    level, upright = np.diff(y) == 0, np.diff(x) == 0
    straight_on = (level[1:] & level[:-1]) | (upright[1:] & upright[:-1])
    return np.concatenate([[True], ~straight_on, [True]])


def _probit(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import ndtri

    return np.asarray(ndtri(rate), dtype=np.float64)


def _rate(deviate: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import ndtr

    return np.asarray(ndtr(deviate), dtype=np.float64)


def _frame(axes: Axes, low: float, high: float, *, room: float) -> None:
    """Set up square axes of normal deviates, ``room`` inches wide: in rates, labels in percent."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    shown = [rate for rate in RATES if low <= rate <= high]
    names = _names(shown, room)
    for set_scale in (axes.set_xscale, axes.set_yscale):
        set_scale("function", functions=(_probit, _rate))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(shown))
        axis.set_major_formatter(FixedFormatter(names))
        axis.set_minor_locator(NullLocator())
    axes.set(xlim=(low, high), ylim=(low, high))
    axes.set_xlabel("false-alarm rate (% of spoofs accepted)")
    axes.set_ylabel("miss rate (% of bona fide rejected)")
    axes.set_box_aspect(1)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    axes.plot([low, high], [low, high], color=style.GREY, linewidth=0.7, zorder=1)
    axes.annotate(
        "equal rates",
        (0.97, 0.97),
        xycoords="axes fraction",
        xytext=(-2, 3),
        textcoords="offset points",
        rotation=45,
        rotation_mode="anchor",
        ha="right",
        size=style.SMALL,
        color=style.GREY,
    )


def _names(rates: Sequence[float], room: float) -> list[str]:
    """Return the labels in percent, empty where there is no room beside the one before."""
    places = _probit(np.array(rates))
    inches = (places - places[0]) / (places[-1] - places[0]) * room
    names: list[str] = []
    free = -room
    for rate, place in zip(rates, inches, strict=True):
        name = f"{100 * rate:.10g}"
        half = style.text_width(name) / 2 + 0.03
        fits = place - half >= free
        names.append(name if fits else "")
        free = place + half if fits else free
    return names


def _draw(axes: Axes, curve: Curve, look: style.Look) -> Line2D:
    """Draw one curve with its marks; return what stands for it in the legend."""
    from matplotlib.lines import Line2D

    low, high = axes.get_xlim()
    false_alarm, miss = path(curve.points, low, high)
    axes.plot(
        false_alarm,
        miss,
        color=look.colour,
        linestyle=look.dashes,
        zorder=2.6,  # above the frame
        clip_on=bool(false_alarm.min() < low or miss.min() < low),
        label=curve.label,
    )
    for mark, filled in ((curve.at_eer, True), (curve.at_best, False), (curve.at_threshold, None)):
        if mark is not None:
            axes.plot(
                *np.clip(mark[:2], low, high),
                color=look.colour,
                marker="x" if filled is None else look.marker,
                markerfacecolor=look.colour if filled else "none",
                markersize=RING if filled is False else None,
                linestyle="none",
                clip_on=False,
                zorder=4,
            )
    return Line2D([], [], color=look.colour, linestyle=look.dashes, marker=look.marker)


def _entry(curve: Curve) -> str:
    """Return what the legend says of a system."""
    numbers = [f"EER {100 * curve.eer:.2f} %"]
    if curve.at_best is not None:
        numbers.append(f"min DCF {curve.at_best.cost:.4f}")
    if curve.at_threshold is not None:
        numbers.append(f"DCF at threshold {curve.at_threshold.cost:.4f}")
    return f"{curve.label}: {', '.join([*numbers, *curve.numbers])}"


def _kinds(curve: Curve, costs: DetectionCosts) -> dict[str, Line2D]:
    """Return the legend of the marks: what each kind stands for, and how it looks."""
    from matplotlib.lines import Line2D

    def mark(marker: str, face: str, size: float | None = None) -> Line2D:
        return Line2D(
            [],
            [],
            color=style.GREY,
            marker=marker,
            markerfacecolor=face,
            markersize=size,
            linestyle="none",
        )

    if curve.at_best is None:
        return {"mark: EER": mark("o", style.GREY)}
    stated = f"P_spoof {costs.p_spoof:g}, C_miss {costs.c_miss:g}, C_fa {costs.c_fa:g}"
    kinds = {
        "filled: EER": mark("o", style.GREY),
        f"hollow: min DCF ({stated})": mark("o", "none", RING),
    }
    if curve.at_threshold is not None:
        kind = "Bayes threshold" if costs.threshold is None else "stated threshold"
        kinds[f"cross: {kind}, {costs.operating_threshold:.3f}"] = mark("x", style.GREY)
    return kinds
