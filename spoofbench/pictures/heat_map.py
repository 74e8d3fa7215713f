"""Heat-maps: the EER of each attack under each condition, in numbers and in colours.

The colours are cividis (Nuñez, Anderton and Renslow, PLOS ONE 2018), which the colour-blind see as
others do, and which gets steadily darker in grey print: the darkest cell is the worst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidRun, InvalidSettings
from spoofbench.groups import POOLED
from spoofbench.pictures import style
from spoofbench.pictures.drawn import Caption

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = "cividis_r"
ROW = 0.21
"""Inches of height of a condition."""
LINE = 0.62
"""Height of a line of a name, in rows."""
GAP = 0.25
"""What sets clean audio, and all attacks pooled, apart: in widths or heights of a cell."""
HATCH = "#999999"
LOWEST_END = 0.01
"""Where colours end if every EER is nothing."""
SMALLEST = 4.5
"""Points of the smallest number that is still printed."""
BAR = 0.68
"""Inches beside the cells for the colour bar."""
LIGHTEST = 0.18
"""Relative luminance above which a cell has black letters: there black and white read alike."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """EERs as fractions, ``values`` ``(conditions, 1 + groups)``: all trials first, then groups.

    The first condition is clean audio. NaN is a cell without trials. ``by`` says what makes the
    groups: ``attack``.
    """

    conditions: tuple[str, ...]
    groups: tuple[str, ...]
    by: str
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.conditions), 1 + len(self.groups)):
            raise ValueError(f"values of shape {self.values.shape} do not fit their names")


def figure_of(
    cells: Cells,
    *,
    caption: Caption | None = None,
    up_to: float | None = None,
    width: float = style.WIDTH,
) -> Figure:
    """Draw a row for each condition, a column for each attack and one for all of them.

    Colours go from an EER of 0 to ``up_to`` (a fraction), the highest one if unset; pictures with
    the same end can be compared. In bold is the worst attack of each condition. Numbers that do not
    fit into their cells are left out. ``width`` is in inches; `style.save` writes the figure.
    Raises `InvalidRun` without any number, `InvalidSettings` for a scale that has no end,
    `MissingExtra` without matplotlib.
    """
    if not np.isfinite(cells.values).any():
        raise InvalidRun("no cell of the heat-map has trials of both classes")
    if up_to is not None and not 0 < up_to <= 1:
        raise InvalidSettings(f"colours up to an EER of {100 * up_to:g} %: it is between 0 and 100")
    with style.styled():
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        end = up_to or float(np.nanmax(cells.values)) or LOWEST_END
        colours = ScalarMappable(Normalize(0, 100 * end, clip=True), COLOURS)
        rows = _row_names(cells.conditions, width)
        names = max(style.text_width(line) for row in rows for line in row.split("\n"))
        cell = (width - names - BAR) / (len(cells.groups) + 1 + GAP)
        longest = max(style.text_width(name) for name in (POOLED, *cells.groups))
        above = longest if (upright := longest > cell - 0.04) else style.SMALL / style.POINTS
        heights = [max(1.0, LINE * (1 + row.count("\n"))) for row in rows]
        kinds = _kinds(cells)
        key = style.Key(list(kinds), width=width)
        inside = ROW * (sum(heights) + GAP)
        said = replace(caption or Caption(), note=_note(cells, cell))
        figure = style.canvas(said, key, width=width, height=inside + above + 0.15)
        axes = figure.subplots()
        _draw(axes, cells, colours, heights, inches=cell)
        _name(axes, cells, rows, heights, upright=upright)
        bar = figure.colorbar(
            colours, ax=axes, pad=0.02, aspect=inside / (0.025 * width), fraction=0.05
        )
        bar.set_label("EER (%)")
        style.finish(figure, key, list(kinds.values()))
    return figure


def _draw(
    axes: Axes, cells: Cells, colours: Any, heights: Sequence[float], *, inches: float
) -> None:
    """Draw cells ``inches`` wide with their numbers; those without trials are hatched."""
    from matplotlib.patches import Rectangle

    x, y = starts([1.0] * (len(cells.groups) + 1)), starts(heights)
    texts = numbers(cells.values, inches)
    bold = worst(cells.values)
    for row, up in enumerate(y):
        for column, along in enumerate(x):
            value = cells.values[row, column]
            missing = bool(np.isnan(value))
            face = "white" if missing else colours.to_rgba(100 * value)
            looks: dict[str, Any] = (
                {"hatch": "//////", "edgecolor": HATCH, "zorder": 1.5}
                if missing
                else {"edgecolor": "white"}
            )
            axes.add_patch(
                Rectangle((along, up), 1, heights[row], facecolor=face, linewidth=0.5, **looks)
            )
            if missing or texts is None:
                continue
            axes.text(
                along + 0.5,
                up + heights[row] / 2,
                texts.texts[row][column],
                size=texts.size,
                ha="center",
                va="center_baseline",
                color="black" if luminance(face) > LIGHTEST else "white",
                weight="bold" if bold[row] == column else "normal",
            )
    axes.set(xlim=(-0.02, x[-1] + 1.02), ylim=(y[-1] + heights[-1] + 0.02, -0.02))


def starts(sizes: Sequence[float]) -> list[float]:
    """Return where rows, or columns, of these sizes begin; the first stands apart."""
    ends = np.cumsum(sizes)
    return [0.0, *(float(end) + GAP for end in ends[:-1])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What stands in the cells, and the size of its letters in points."""

    texts: list[list[str]]
    size: float


def numbers(values: NDArray[np.float64], inches: float) -> Numbers | None:
    """Return EERs in percent that fit into cells ``inches`` wide: with a decimal, else without.

    None if they would be too small to read.
    """
    for decimals in (1, 0):
        texts = [[f"{100 * value:.{decimals}f}" for value in row] for row in values]
        shown = [text for row in texts for text in row if text != "nan"]
        widest = max(style.text_width(text, size=style.SMALL, bold=True) for text in shown)
        size = min(6.5, style.SMALL * 0.9 * inches / widest)
        if size >= SMALLEST:
            return Numbers(texts=texts, size=size)
    return None


def worst(values: NDArray[np.float64]) -> list[int]:
    """Return the column of the highest value in each row, all trials (column 0) aside; -1: none."""
    groups = np.where(np.isnan(values[:, 1:]), -np.inf, values[:, 1:])
    return [1 + int(row.argmax()) if row.size and np.isfinite(row.max()) else -1 for row in groups]


def luminance(colour: Any) -> float:
    """Return the relative luminance of a colour, 0 for black and 1 for white (WCAG 2.1)."""
    from matplotlib.colors import to_rgb

    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _row_names(conditions: Sequence[str], width: float) -> list[str]:
    return ["\n".join(style.wrapped(name, 0.3 * width)) for name in conditions]


def _name(
    axes: Axes, cells: Cells, rows: Sequence[str], heights: Sequence[float], *, upright: bool
) -> None:
    """Write the names of the rows, and above them those of the columns."""
    names = [POOLED, *cells.groups]
    x, y = starts([1.0] * len(names)), starts(heights)
    axes.set_xticks([start + 0.5 for start in x], names)
    axes.set_yticks([start + own / 2 for start, own in zip(y, heights, strict=True)], list(rows))
    axes.tick_params(length=0, pad=2, top=False, bottom=False, labeltop=True, labelbottom=False)
    if upright:
        axes.tick_params(axis="x", rotation=90)
    axes.spines[:].set_visible(False)


def _note(cells: Cells, inches: float) -> str:
    """Say what stands in the cells."""
    if numbers(cells.values, inches) is None:
        return "EER; the cells are too narrow for numbers, a wider picture has them"
    return f"EER in %; in bold the worst {cells.by or 'group'} of each condition"


def _kinds(cells: Cells) -> dict[str, Artist]:
    """Return the legend: what hatched cells mean, if there are any."""
    from matplotlib.patches import Patch

    if not np.isnan(cells.values).any():
        return {}
    return {"hatched: no such trials": Patch(facecolor="white", edgecolor=HATCH, hatch="//////")}
