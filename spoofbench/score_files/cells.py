"""Text cut into cells: a table between blanks, tabs, commas or semicolons, with its faults."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from spoofbench.errors import InvalidScores
from spoofbench.trials import KEY_SPELLINGS

OWN = ("utterance", "speaker", "attack", "key", "score")
"""The header of ``scores.tsv``, and the order in which others write as much of it as they have."""

UTTERANCE_NAMES = (
    *("utterance", "utterance_id", "utt", "utt_id", "uttid", "filename", "file_name", "file"),
    *("filepath", "file_path", "path", "audio_path", "audio_file", "audio_id", "id_audio", "audio"),
    *("wav", "wav_id", "trial", "trial_id", "trialid", "id", "name"),
)
SCORE_NAMES = (
    *("cm-score", "cm_score", "cmscore", "score", "scores", "llr", "prediction", "predictions"),
    *("pred", "probability", "prob", "output"),
)
KEY_NAMES = (
    *("key", "cm-label", "cm_label", "label", "labels", "class", "truth", "ground_truth"),
    *("trial_type", "trialtype"),
)
ATTACK_NAMES = ("attack", "attack_id")
SPEAKER_NAMES = ("speaker", "speaker_id", "spk", "spk_id", "speakerid")
"""What columns are called, in lower case; of several that are there, the first one counts."""

SAMPLE = 1000
"""By so many of its cells the kind of a column is told."""

_MARKS = {"\t": "tabs", ";": "semicolons", ",": "commas", "": "blanks"}
_DECIMAL_COMMA = re.compile(r"\s[-+]?\d+,\d+\s*")
_A_LINE = "a line reads: utterance [attack key] score, or as in scores.tsv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line that cannot be read."""

    line: int
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells by column; ``lines``, like every column, is as long as the table has rows."""

    names: tuple[str, ...]
    """The header; where there is none, the columns' numbers from 1 on."""
    header: bool
    mixed: int
    """The usual number of columns where other lines have more or fewer, and all were filled up to
    the columns of `OWN`; else 0."""
    between: str
    """What stands between the cells, in words."""
    columns: tuple[list[str], ...]
    lines: list[int]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The cells of some lines, and the numbers of these lines from 1 on."""

    cells: list[list[str]]
    lines: list[int]

    def those(self, wanted: Sequence[bool]) -> _Rows:
        if all(wanted):
            return self
        return _Rows(list(compress(self.cells, wanted)), list(compress(self.lines, wanted)))


def table(file: Path, text: str, column: str | None) -> Table:
    """Cut the text of ``file`` into cells, and set aside the header and the lines that do not fit.

    A first line that has a cell called ``column`` is a header. Raises `InvalidScores` for broken
    quotes.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    mark = _mark(lines)
    try:
        rows = _quoted(lines, mark) if mark in (",", ";") and '"' in text else _cut(lines, mark)
    except csv.Error as error:
        raise InvalidScores(f"{file} cannot be read as values in quotes: {error}") from error
    header = _header(rows.cells[0], lines[rows.lines[0] - 1], column) if rows.lines else ()
    if header:
        rows = _Rows(rows.cells[1:], rows.lines[1:])
    if header == OWN and mark == "":  # the header of scores.tsv above lines of another layout
        header = ()
    mixed = 0
    if header:
        rows, faults = _of_width(rows, len(header), f"the header names {len(header)}")
    else:
        rows, faults, mixed = _even(rows, blanks=mark == "")
    width = len(rows.cells[0]) if rows.cells else len(header)
    return Table(
        names=header or tuple(str(place + 1) for place in range(width)),
        header=bool(header),
        mixed=mixed,
        between=_MARKS[mark],
        columns=tuple([row[place] for row in rows.cells] for place in range(width)),
        lines=rows.lines,
        faults=tuple(faults),
    )


def is_number(cell: str) -> bool:
    """Say whether ``cell`` spells a number, NaN and infinity among them."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python would read 1_0 as 10


def are_numbers(cells: Sequence[str]) -> bool:
    """Say whether most of ``cells`` are numbers, judged by the first ones."""
    sample = cells[:SAMPLE]
    return 2 * sum(map(is_number, sample)) > len(sample)


def are_keys(cells: Sequence[str]) -> bool:
    """Say whether most of ``cells`` name a class, judged by the first ones."""
    sample = cells[:SAMPLE]
    return 2 * sum(cell.lower() in KEY_SPELLINGS for cell in sample) > len(sample)


def are_labels(cells: Sequence[str]) -> bool:
    """Say whether all of ``cells`` are 0 or 1: classes, as a number each."""
    return set(cells[:SAMPLE]) <= {"0", "1"} and set(cells) <= {"0", "1"}


def _mark(lines: Sequence[str]) -> str:
    """Return what stands between the cells of most lines; nothing for blanks."""
    sample = [line for line in lines[:SAMPLE] if line.strip()]
    sample = sample[1:] or sample  # the first one may be a header
    for mark in ("\t", ";", ","):
        having = [line for line in sample if mark in line]
        if 2 * len(having) > len(sample):
            decimal = mark == "," and all(_DECIMAL_COMMA.search(line) for line in having)
            return "" if decimal else mark
    return ""


def _cut(lines: Sequence[str], mark: str) -> _Rows:
    rows = [line.split() for line in lines]
    numbers = [number for number, row in enumerate(rows, start=1) if row]
    if not mark:
        return _Rows(rows if len(numbers) == len(rows) else [row for row in rows if row], numbers)
    marked = (lines[number - 1].split(mark) for number in numbers)
    return _Rows([[cell.strip() for cell in row] for row in marked], numbers)


def _quoted(lines: Sequence[str], mark: str) -> _Rows:
    reader = csv.reader(lines, delimiter=mark, skipinitialspace=True)
    pairs = [([cell.strip() for cell in row], reader.line_num) for row in reader if any(row)]
    return _Rows([row for row, _ in pairs], [number for _, number in pairs])


def _header(row: Sequence[str], line: str, column: str | None) -> tuple[str, ...]:
    """Return the names of the columns if ``row``, cut from ``line``, holds such; else nothing."""
    if len(row) == 1:
        row = [cell for cell in re.split(r"[\s,;]+", line) if cell]
    names = tuple(cell.lstrip("#").strip() for cell in row)
    names = names[1:] if row and row[0] == "#" else names
    lower = {name.lower() for name in names}
    known = lower & {*UTTERANCE_NAMES, *SCORE_NAMES}
    chosen = column is not None and column.lower() in lower
    return names if (known or chosen) and not any(map(is_number, names)) else ()


def _of_width(rows: _Rows, width: int, said: str) -> tuple[_Rows, list[Fault]]:
    """Part the rows that have ``width`` cells from the others, which are faults."""
    fits = [len(row) == width for row in rows.cells]
    faults = [
        Fault(line=line, what=f"{len(row)} columns, {said}", hint=_A_LINE)
        for row, line, fit in zip(rows.cells, rows.lines, fits, strict=True)
        if not fit
    ]
    return rows.those(fits), faults


def _even(rows: _Rows, *, blanks: bool) -> tuple[_Rows, list[Fault], int]:
    """Bring the rows of a table without header to one width; say the usual one if it takes filling.

    Between blanks a line may leave out what it does not know: utterance [speaker] [attack] [key]
    score. In other tables the usual width counts.
    """
    widths = Counter(map(len, rows.cells))
    usual = widths.most_common(1)[0][0] if widths else 2
    if len(widths) == 1 and usual > 1:
        return rows, [], 0
    sample = [row for row in rows.cells[:SAMPLE] if len(row) == usual]
    score_last = are_numbers([row[-1] for row in sample])
    if not blanks or usual > len(OWN) or not score_last:
        return *_of_width(rows, max(usual, 2), f"most lines have {max(usual, 2)}"), 0
    faults = [
        Fault(line=line, what=f"{len(row)} columns", hint=_A_LINE)
        for row, line in zip(rows.cells, rows.lines, strict=True)
        if not 2 <= len(row) <= len(OWN)
    ]
    rows = rows.those([2 <= len(row) <= len(OWN) for row in rows.cells])
    if len(set(map(len, rows.cells))) < 2:
        return rows, faults, 0
    filled = [[row[0], *[""] * (len(OWN) - len(row)), *row[1:]] for row in rows.cells]
    return _Rows(filled, rows.lines), faults, usual
