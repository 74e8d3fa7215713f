"""Heat-maps: the EER of each attack under each condition, in numbers and in colours.

The colours are cividis (Nuñez, Anderton and Renslow, PLOS ONE 2018), which the colour-blind see as
others do, and which gets steadily darker in grey print: the darkest cell is the worst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidRun, InvalidSettings
from spoofbench.pictures import style
from spoofbench.pictures.drawn import Caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = "cividis_r"
ROW = 0.21
"""Inches of height of a condition."""
GAP = 0.25
"""What sets clean audio, and all attacks pooled, apart: in widths of a cell."""
SMALLEST = 4.5
"""Points of the smallest number that is still printed."""
BAR = 0.62
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

        end = up_to or float(np.nanmax(cells.values)) or 0.01
        colours = ScalarMappable(Normalize(0, 100 * end, clip=True), COLOURS)
        rows = _row_names(cells.conditions, width)
        kinds = _kinds(cells)
        key = style.Key(list(kinds), width=width)
        top = _top(cells.groups)
        height = ROW * sum(1 + 0.6 * row.count("\n") for row in rows) + top + 0.25
        figure = style.canvas(caption or Caption(), key, width=width, height=height)
        axes = figure.subplots()
        room = width - max(style.text_width(line) for row in rows for line in row.split("\n"))
        columns = len(cells.groups) + 1
        _draw(axes, cells, colours, inches=(room - BAR) / (columns + GAP))
        _name(axes, cells, rows, upright=top > ROW + 0.1)
        bar = figure.colorbar(colours, ax=axes, pad=0.02, aspect=30, fraction=0.05)
        bar.set_label("EER (%)")
        bar.outline.set_linewidth(0.4)  # type: ignore[operator]
        style.finish(figure, key, list(kinds.values()))
    return figure


def _draw(axes: Axes, cells: Cells, colours: Any, *, inches: float) -> None:
    """Draw cells ``inches`` wide with their numbers; those without trials are hatched."""
    from matplotlib.patches import Rectangle

    x, y = places(cells)
    texts = numbers(cells.values, inches)
    bold = worst(cells.values)
    for row, up in enumerate(y):
        for column, along in enumerate(x):
            value = cells.values[row, column]
            missing = bool(np.isnan(value))
            face = "white" if missing else colours.to_rgba(100 * value)
            looks: dict[str, Any] = (
                {"hatch": "//////", "edgecolor": "#AAAAAA"} if missing else {"edgecolor": "white"}
            )
            axes.add_patch(Rectangle((along, up), 1, 1, facecolor=face, linewidth=0.5, **looks))
            if missing or texts is None:
                continue
            axes.text(
                along + 0.5,
                up + 0.52,
                texts.texts[row][column],
                size=texts.size,
                ha="center",
                va="center_baseline",
                color="black" if luminance(face) > LIGHTEST else "white",
                weight="bold" if bold[row] == column else "normal",
            )
    axes.set(xlim=(-0.02, x[-1] + 1.02), ylim=(y[-1] + 1.02, -0.02))


def places(cells: Cells) -> tuple[list[float], list[float]]:
    """Return where columns and rows begin: all trials, and clean audio, stand apart."""
    x = [0.0, *(1 + GAP + n for n in range(len(cells.groups)))]
    y = [0.0, *(1 + GAP + n for n in range(len(cells.conditions) - 1))]
    return x, y


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


def _top(groups: Sequence[str]) -> float:
    """Return the inches above the cells that the names of the groups need."""
    longest = max(style.text_width(name) for name in ("pooled", *groups))
    return longest + 0.1


def _name(axes: Axes, cells: Cells, rows: Sequence[str], *, upright: bool) -> None:
    x, y = places(cells)
    axes.set_xticks([place + 0.5 for place in x], ["pooled", *cells.groups])
    axes.set_yticks([place + 0.5 for place in y], list(rows))
    axes.tick_params(length=0, pad=2, top=False, bottom=False, labeltop=True, labelbottom=False)
    if upright:
        axes.tick_params(axis="x", rotation=90)
    axes.spines[:].set_visible(False)


def _kinds(cells: Cells) -> dict[str, Any]:
    """Return the legend: what bold numbers and hatched cells mean."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    column = cells.by or "group"
    kinds: dict[str, Any] = {
        f"bold: the worst {column} of a condition": Line2D(
            [], [], linestyle="none", marker="$\\mathbf{9}$", color="black", markersize=5
        )
    }
    if np.isnan(cells.values).any():
        kinds["hatched: no such trials"] = Patch(
            facecolor="white", edgecolor="#AAAAAA", hatch="//////"
        )
    return kinds
