"""How pictures look, and writing them: one style for column width, grey print and all eyes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spoofbench.errors import InvalidSettings, MissingExtra
from spoofbench.files import replaced
from spoofbench.pictures.drawn import Caption

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axis import Axis
    from matplotlib.container import Container
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
WIDTH = 5.0
"""Inches; a column of a two-column paper has 3.5, and everything stays readable there."""

TEXT = 8.0
SMALL = 7.0
"""Sizes of letters, in points, whatever the width of the picture."""
LINE = 1.35
"""Distance of two lines of text, in heights of a letter."""
HANDLE = 0.7
"""Inches that a legend needs beside the text of an entry."""
LEGEND_LINE = 1.5
"""The same in a legend."""
MARGIN = 0.08
"""Inches around a caption."""
POINTS = 72
"""Points in an inch."""

BONAFIDE = "#0072B2"
SPOOF = "#D55E00"
GREY = "#777777"
COLOURS = (BONAFIDE, SPOOF, "#009E73", "#000000", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours that stay apart for the colour-blind (Okabe and Ito, "Color universal design", 2008).

Its yellow is left out: it is too faint on white paper.
"""
DASHES: tuple[Any, ...] = (
    "solid",
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (2.6, 1.2)),
)
MARKERS = "os^DvPX<>*ph8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one system is told from the others: each of the three suffices, up to a handful."""

    colour: str
    dashes: Any
    marker: str


def look(number: int) -> Look:
    """Return the look of system ``number``, counted from 0; the first 35 differ."""
    return Look(
        colour=COLOURS[number % len(COLOURS)],
        dashes=DASHES[number % len(DASHES)],
        marker=MARKERS[number % len(MARKERS)],
    )


def require_matplotlib() -> None:
    """Raise `MissingExtra` unless matplotlib is installed."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise MissingExtra(
            "pictures need matplotlib, which is not installed",
            hint="pip install 'spoofbench[plots]'",
        ) from error


@contextmanager
def styled() -> Iterator[None]:
    """Draw and write in our style within this context, whatever the user's matplotlibrc says.

    Raises `MissingExtra`.
    """
    require_matplotlib()
    from matplotlib import style

    with style.context(["default", _settings()]):
        yield


def _settings() -> dict[str, Any]:
    return {
        "font.size": TEXT,
        "axes.labelsize": TEXT,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "legend.fontsize": SMALL,
        "legend.frameon": False,
        "legend.handlelength": 3.2,
        "legend.borderpad": 0.2,
        "legend.borderaxespad": 0.2,
        "lines.linewidth": 1.3,
        "lines.markersize": 5.0,
        "hatch.linewidth": 0.5,
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.5,
        "text.parse_math": False,  # a label may hold a dollar
        "savefig.dpi": 300,
        "pdf.fonttype": 42,  # many publishers refuse type 3
        "svg.hashsalt": "spoofbench",  # else every SVG has ids of its own
    }


def canvas(caption: Caption, key: Key, *, width: float, height: float) -> Figure:
    """Return a figure with ``caption`` on top and room for ``key`` below.

    ``width``, and ``height``, of the part between them that is for axes, are in inches. Call it
    within `styled`, and `finish` when everything is drawn.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    lines = _caption_lines(caption, width - 2 * MARGIN)
    top = sum(size * LINE for _, size, _ in lines) / POINTS + MARGIN
    whole = top + height + key.height
    between = (0, key.height / whole, 1, height / whole)
    figure = Figure(figsize=(width, whole), layout=ConstrainedLayoutEngine(rect=between))
    up = whole - MARGIN
    for text, size, looks in lines:
        figure.text(MARGIN / width, up / whole, text, size=size, va="top", **looks)
        up -= size * LINE / POINTS
    return figure


def finish(figure: Figure, key: Key, handles: Iterable[Artist | Container]) -> None:
    """Draw the legend, with an entry for each of ``handles``, and settle where everything stands.

    The solver's last digits differ from call to call, so they are dropped.
    """
    key.draw(figure, handles)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(tuple(round(side, 4) for side in axes.get_position(original=True).bounds))


def _caption_lines(caption: Caption, width: float) -> list[tuple[str, float, dict[str, Any]]]:
    """Return the caption's lines, wrapped to ``width`` inches: text, size in points, looks."""
    parts = [
        (caption.title, TEXT, {"weight": "bold"}),
        (caption.trials, SMALL, {"color": "#444444"}),
        (caption.note, SMALL, {"color": "#444444"}),
        *((stamp, SMALL, {"weight": "bold", "color": "#A03000"}) for stamp in caption.stamps),
    ]
    return [
        (line, size, looks)
        for text, size, looks in parts
        for line in wrapped(text, width, size=size, bold="weight" in looks)
    ]


def wrapped(text: str, width: float, *, size: float = SMALL, bold: bool = False) -> list[str]:
    """Break ``text`` into lines of at most ``width`` inches at letters of ``size`` points."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size=size, bold=bold) <= width:
            lines[-1] += f" {word}"
        else:
            lines += _broken(word, width, size=size, bold=bold)
    return lines


def _broken(word: str, width: float, *, size: float, bold: bool) -> list[str]:
    """Break a word that is longer than a line."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(pieces[-1] + letter, size=size, bold=bold) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def text_width(text: str, *, size: float = SMALL, bold: bool = False) -> float:
    """Return the width of a line of text in inches at letters of ``size`` points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS


class Key:
    """The legend below a picture, whose height is known before the picture is drawn.

    ``sections`` are lists of entries, each list with columns of its own, wrapped to ``width``
    inches. Make and draw it within `styled`.
    """

    def __init__(self, *sections: Sequence[str], width: float) -> None:
        self.sections = [_Section(texts, width - 2 * MARGIN) for texts in sections if texts]
        self.height = sum(section.height for section in self.sections) + 2.5 * MARGIN

    def draw(self, figure: Figure, handles: Iterable[Artist | Container]) -> None:
        """Draw the legend at the bottom of ``figure``, an entry for each of ``handles``."""
        left = iter(handles)
        top = self.height - 1.5 * MARGIN
        for section in self.sections:
            legend = figure.legend(
                handles=list(islice(left, len(section.texts))),
                labels=section.texts,
                ncols=section.columns,
                loc="upper left",
                bbox_to_anchor=(MARGIN / figure.get_figwidth(), top / figure.get_figheight()),
                borderaxespad=0,
                borderpad=0,
            )
            legend.set_in_layout(False)
            top -= section.height


class _Section:
    """Entries of a legend in columns, wrapped to ``width`` inches."""

    def __init__(self, texts: Sequence[str], width: float) -> None:
        widest = max(text_width(text) for text in texts) + HANDLE
        self.columns = max(1, min(len(texts), int(width / widest)))
        self.texts = ["\n".join(wrapped(text, width - HANDLE)) for text in texts]
        lines = [text.count("\n") + 1 for text in self.texts]
        rows = -(-len(lines) // self.columns)
        tallest = max(sum(lines[start : start + rows]) for start in range(0, len(lines), rows))
        self.height = tallest * SMALL * LEGEND_LINE / POINTS + MARGIN / 2


def plain_logarithmic(axis: Axis) -> None:
    """Label the powers of ten of a logarithmic axis by plain numbers: 0.01, 1, 10,000."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_formatter(NullFormatter())


def _plain(value: float, _place: object) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def format_of(file: Path) -> str:
    """Return the format that a file name asks for. Raises `InvalidSettings` for another."""
    ending = file.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise InvalidSettings(
            f"{file}: a picture is not written as '{file.suffix}'"
            if ending
            else f"{file}: the name does not say in which format the picture is to be",
            hint="end the name in .png (screens), .svg (web pages) or .pdf (papers)",
        )
    return ending


def check(file: Path) -> None:
    """Raise `InvalidSettings` or `MissingExtra` now if `save` would only after all the work."""
    format_of(file)
    require_matplotlib()


def save(figure: Figure, file: Path) -> None:
    """Write ``figure`` in the format of the file's ending, whole or not at all.

    The same figure gives the same bytes. Raises `InvalidSettings` for another ending,
    `StorageError` where the file cannot be written.
    """
    kind = format_of(file)
    undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    with styled(), replaced(file) as beside:
        figure.savefig(beside, format=kind, metadata=undated)
