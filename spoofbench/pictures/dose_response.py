"""Dose-response curves: an error rate against the level of an augmentation, from easy to hard."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spoofbench.errors import InvalidRun
from spoofbench.pictures import style
from spoofbench.pictures.drawn import Caption

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROWEST = 1.45
"""Inches of width that a panel needs, its labels included."""
HEIGHT = 1.75
"""Inches of height of a panel, its labels included."""
SPAN = 8.0
"""Levels whose ends differ by this factor or more have a logarithmic axis, unless they are dB."""
CHANCE = 0.5
"""The EER of a countermeasure that knows nothing."""
CHANCE_LINE: dict[str, Any] = {
    "color": style.GREY,
    "linewidth": 0.7,
    "linestyle": (0, (1, 3)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What is drawn: the name of a metric, whether it is shown in percent, and its chance level."""

    title: str = "EER"
    percent: bool = True
    chance: float = math.nan

    @property
    def factor(self) -> float:
        """By what a value is multiplied where it is shown."""
        return 100.0 if self.percent else 1.0

    def in_words(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{100 * value:.2f} %" if self.percent else f"{value:.4f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A model on clean audio; ``low`` and ``high`` end the interval, NaN for none."""

    label: str
    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A model at several levels, from easy to hard, which may be none; all are ``(points,)``.

    ``low`` and ``high`` end the intervals of ``values``, NaN for none.
    """

    levels: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One augmentation: a line for each model, in the order of the models."""

    name: str
    unit: str
    lines: tuple[Line, ...]

    @property
    def levels(self) -> tuple[float, ...]:
        """All levels at which some model was run, from easy to hard."""
        longest = max((line.levels for line in self.lines), key=len)
        falling = longest[0] > longest[-1]
        return tuple(sorted({x for line in self.lines for x in line.levels}, reverse=falling))


def figure_of(
    models: Sequence[Baseline],
    panels: Sequence[Panel],
    *,
    caption: Caption | None = None,
    scale: Scale | None = None,
    width: float = style.WIDTH,
) -> Figure:
    """Draw a panel for each augmentation; levels get harder to the right.

    The level line of a model is its value on clean audio. Intervals are shaded. ``width`` is in
    inches; `style.save` writes the figure. Raises `InvalidRun` without a panel, `MissingExtra`
    without matplotlib.
    """
    if not panels:
        raise InvalidRun("there is no augmentation at several levels to draw")
    scale = scale or Scale(chance=CHANCE)
    with style.styled():
        kinds = _kinds(models, panels, scale)
        key = style.Key([_entry(model, scale) for model in models], list(kinds), width=width)
        rows, columns = grid(len(panels), width)
        figure = style.canvas(caption or Caption(), key, width=width, height=HEIGHT * rows)
        grown = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for axes, panel in zip(grown, panels, strict=False):
            _frame(axes, panel, inches=width / columns - 0.4)
            for number, (model, line) in enumerate(zip(models, panel.lines, strict=True)):
                _draw(axes, model, line, style.look(number), scale)
        for number, axes in enumerate(grown[: len(panels)]):
            if number % columns == 0:
                axes.set_ylabel(f"{scale.title} (%)" if scale.percent else scale.title)
        for axes in grown[len(panels) :]:
            axes.set_axis_off()
        _heights(grown[: len(panels)], models, panels, scale)
        style.finish(figure, key, [*_handles(len(models)), *kinds.values()])
    return figure


def grid(panels: int, width: float) -> tuple[int, int]:
    """Return in how many rows and columns ``panels`` stand on ``width`` inches."""
    most = max(1, min(panels, int(width / NARROWEST)))
    rows = math.ceil(panels / most)
    return rows, math.ceil(panels / rows)


def _entry(model: Baseline, scale: Scale) -> str:
    said = f"{model.label}: clean {scale.title} {scale.in_words(model.value)}"
    if math.isnan(model.low):
        return said
    return f"{said} [{scale.in_words(model.low)}, {scale.in_words(model.high)}]"


def _handles(models: int) -> Iterable[Artist]:
    """Return what stands for each model in the legend."""
    from matplotlib.lines import Line2D

    for look in map(style.look, range(models)):
        yield Line2D([], [], color=look.colour, linestyle=look.dashes, marker=look.marker)


def _kinds(models: Sequence[Baseline], panels: Sequence[Panel], scale: Scale) -> dict[str, Artist]:
    """Return the legend of what is drawn beside the curves."""
    from matplotlib.lines import Line2D

    hollow: dict[str, Any] = {"marker": "o", "markerfacecolor": "white"}
    kinds: dict[str, Artist] = {
        "thin, hollow mark: clean": Line2D([], [], color=style.GREY, linewidth=0.8, **hollow)
    }
    if _shows_chance(models, panels, scale):
        kinds[f"chance: {100 * scale.chance:g} %"] = Line2D([], [], **CHANCE_LINE)
    return kinds


def _shows_chance(models: Sequence[Baseline], panels: Sequence[Panel], scale: Scale) -> bool:
    return _highest(models, panels) > 0.8 * scale.chance  # never above NaN


def _highest(models: Sequence[Baseline], panels: Sequence[Panel]) -> float:
    """Return the highest number that is drawn."""
    numbers = [x for model in models for x in (model.value, model.high)]
    numbers += [x for panel in panels for own in panel.lines for x in (*own.values, *own.high)]
    return max((x for x in numbers if math.isfinite(x)), default=1.0)


def _heights(
    grown: Iterable[Axes], models: Sequence[Baseline], panels: Sequence[Panel], scale: Scale
) -> None:
    """Let all panels begin at nothing and end a little above the highest number."""
    top = _highest(models, panels)
    chance = _shows_chance(models, panels, scale)
    if chance:
        top = max(top, scale.chance)
    for axes in grown:
        if chance:
            axes.axhline(scale.factor * scale.chance, zorder=1, **CHANCE_LINE)
        axes.set_ylim(0, scale.factor * (1.06 * top or 1.0))


def _frame(axes: Axes, panel: Panel, *, inches: float) -> None:
    """Set up a panel that is ``inches`` wide: levels that get harder to the right, and a grid."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    levels = panel.levels
    if min(levels) > 0 and max(levels) / min(levels) >= SPAN and "dB" not in panel.unit:
        axes.set_xscale("log")
        places = np.log(np.array(levels))
    else:
        places = np.array(levels)
    along = np.abs(places - places[0])
    axes.xaxis.set_major_locator(FixedLocator(levels))
    axes.xaxis.set_major_formatter(FixedFormatter(names(levels, along / along[-1] * inches)))
    axes.xaxis.set_minor_locator(NullLocator())
    room = (places[-1] - places[0]) * np.array([-0.13, 0.05]) + places[[0, -1]]
    axes.set_xlim(*(np.exp(room) if axes.get_xscale() == "log" else room))
    axes.set_xlabel(panel.unit or "level")
    axes.set_title("\n".join(style.wrapped(panel.name, inches, size=style.TEXT)), size=style.TEXT)
    axes.tick_params(axis="y", labelleft=True)
    axes.grid(visible=True, axis="y")
    axes.set_axisbelow(True)


def names(levels: Sequence[float], inches: Sequence[float]) -> list[str]:
    """Return the labels of levels, empty where there is no room beside the one before.

    ``inches`` is how far each lies from the first. The last one, the hardest, is always there.
    """
    texts = [f"{level:g}".replace("-", "\N{MINUS SIGN}") for level in levels]
    half = [style.text_width(text) / 2 + 0.03 for text in texts]
    end = inches[-1] - half[-1]
    made, free = [], -math.inf
    for text, own, place in zip(texts[:-1], half, inches, strict=False):
        fits = place - own >= free and place + own <= end
        made.append(text if fits else "")
        free = place + own if fits else free
    return [*made, texts[-1]]


def _draw(axes: Axes, model: Baseline, line: Line, look: style.Look, scale: Scale) -> None:
    """Draw one model into a panel: its level on clean audio, its curve, and the intervals."""
    start = axes.get_xlim()[0]
    clean = scale.factor * model.value
    axes.axhline(clean, color=look.colour, linestyle=look.dashes, linewidth=0.7, zorder=2)
    hollow: dict[str, Any] = {
        "marker": look.marker,
        "markerfacecolor": "white",
        "markersize": 4.5,
    }
    axes.plot([start], [clean], color=look.colour, clip_on=False, zorder=5, **hollow)
    if not line.levels:
        return
    values, low, high = (scale.factor * np.array(x) for x in (line.values, line.low, line.high))
    if np.isfinite(low).any():
        axes.fill_between(
            line.levels, low, high, color=look.colour, alpha=0.18, linewidth=0, zorder=1.5
        )
    axes.plot(
        line.levels,
        values,
        color=look.colour,
        linestyle=look.dashes,
        marker=look.marker,
        markersize=4,
        label=model.label,
        clip_on=False,
        zorder=3,
    )
