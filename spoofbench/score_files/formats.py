"""Score files as programs write them: which format a file has, and what stands in it.

Nothing is known of a protocol here; `spoofbench.scores` joins what was read with trials.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidScores
from spoofbench.score_files.cells import (
    ATTACK_NAMES,
    KEY_NAMES,
    OWN,
    SAMPLE,
    SCORE_NAMES,
    SPEAKER_NAMES,
    UTTERANCE_NAMES,
    Fault,
    Table,
    are_keys,
    are_labels,
    are_numbers,
    is_number,
    table,
)

_LIST = re.compile(r"\s*[\[(](.*)[\])]\s*", re.DOTALL)
_SAVEZ = "np.savez(FILE, utterances=..., scores=...), with arrays of texts and of numbers"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreFile:
    """What stands in a score file, row by row: ``scores`` and ``lines`` are ``(rows,)``.

    ``scores`` may hold NaN and infinities, and is all NaN where the user must ``choose``. ``keys``,
    ``attacks`` and ``speakers`` are what the rows state, an empty text where a row states nothing.
    """

    path: Path
    format: str
    """The format that was found, in words."""
    utterances: Sequence[str]
    scores: NDArray[np.float64]
    lines: NDArray[np.int64]
    counted: str = "line"
    """What ``lines`` counts: the lines of a text, the entries of an array."""
    written: Sequence[str] = ()
    """The scores as a text spells them, ``(rows,)``; nothing for arrays."""
    keys: Sequence[str] | None = None
    attacks: Sequence[str] | None = None
    speakers: Sequence[str] | None = None
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """Every column that could be the score, by the name that ``--column`` takes."""
    choose: tuple[str, ...] = ()
    """The columns among which the user must choose; empty where the score is clear."""
    logits: tuple[str, str] | None = None
    """The two columns that look like a network's outputs for the two classes, if there are such."""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """The places of the columns by what they hold; -1 for what is not there."""

    utterance: int
    speaker: int = -1
    attack: int = -1
    key: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """The column that is the score, or two: the first less the second, or what to choose from."""

    columns: tuple[str, ...] = ()
    choose: tuple[str, ...] = ()
    logits: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return " less ".join(self.columns)


def parse(file: Path, *, column: str | None = None) -> ScoreFile:
    """Find out which format ``file`` has, and read it.

    ``column`` is the score: a name of the header, or a column's number from 1 on, or two of these
    with a minus between them for the first less the second. Lines that cannot be read become
    faults.

    Raises `InvalidScores` for a file that is no table, has no numbers, or lacks ``column``.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidScores(f"the score file {file} cannot be read: {error}") from error
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _from_archive(file, content, column)
    return _from_table(file, table(file, _decoded(file, content), column), column)


def _decoded(file: Path, content: bytes) -> str:
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # as PowerShell redirects output
    try:
        return content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidScores(
            f"the score file {file} cannot be read: {error}",
            hint="a score file is a text in UTF-8, or an .npz archive of arrays",
        ) from error


def _from_table(file: Path, read: Table, column: str | None) -> ScoreFile:
    if not read.lines and not read.faults:
        raise InvalidScores(f"{file} holds no scores")
    layout = _named(read) if read.header else _guessed(read)
    cells = _number_cells(read, layout)
    values = {name: _values(column) for name, column in cells.items()}
    choice = _choice(file, read, cells, column)
    written, scores = _scores(read, cells, values, choice)
    bad = [] if choice.choose else _unreadable(written, scores)
    fine = np.ones(len(read.lines), dtype=bool)
    fine[bad] = False
    faults = [*read.faults, *(_no_number(read.lines[row], written[row]) for row in bad)]

    def kept(cells: list[str]) -> list[str]:
        return list(compress(cells, fine)) if bad else cells

    def at(place: int) -> list[str] | None:
        return kept(read.columns[place]) if place >= 0 else None

    return ScoreFile(
        path=file,
        format=_in_words(read, layout, choice),
        utterances=kept(read.columns[layout.utterance]) if read.columns else [],
        scores=scores[fine],
        lines=np.array(read.lines, dtype=np.int64)[fine],
        written=kept(written),
        keys=at(layout.key),
        attacks=at(layout.attack),
        speakers=at(layout.speaker),
        numbers={name: numbers[fine] for name, numbers in values.items()},
        choose=choice.choose,
        logits=choice.logits,
        faults=tuple(sorted(faults, key=lambda fault: fault.line)),
    )


def _named(read: Table) -> _Layout:
    """Tell the columns by the header."""
    lower = [name.lower() for name in read.names]

    def place(names: Iterable[str]) -> int:
        return next((lower.index(name) for name in names if name in lower), -1)

    utterance = place(UTTERANCE_NAMES)
    if utterance < 0:
        texts = [place for place, cells in enumerate(read.columns) if not are_numbers(cells)]
        utterance = texts[0] if texts else 0
    key = place(KEY_NAMES)
    if key >= 0 and read.columns and are_numbers(read.columns[key]):
        key = -1  # 0 and 1 do not say which class is which
    return _Layout(
        utterance=utterance, speaker=place(SPEAKER_NAMES), attack=place(ATTACK_NAMES), key=key
    )


def _guessed(read: Table) -> _Layout:
    """Tell the columns by what stands in them, where no header says it.

    The utterance is the text that repeats least; the key is one of the known spellings, and what
    stands before it is the attack and, before that, the speaker.
    """
    if read.mixed:
        return _Layout(utterance=0, speaker=1, attack=2, key=3)
    columns = read.columns
    texts = [place for place, cells in enumerate(columns) if not are_numbers(cells)]
    keys = [place for place in texts if are_keys(columns[place])]
    names = [place for place in texts if place not in keys and any(columns[place])]
    if not columns:
        return _Layout(utterance=0)
    utterance = max([*names, 0], key=lambda place: len(set(columns[place][:SAMPLE])))
    last = len(columns) - 1
    before = last - 1
    if not keys and last > 1 and last not in texts and before in names and before != utterance:
        spellings = set(columns[before][:SAMPLE])  # of two classes, though not known ones
        keys = [before] if len(spellings) <= 2 else []
    key = keys[-1] if keys else -1
    names = [place for place in names if place != utterance]
    attack = key - 1 if key - 1 in names else -1
    speaker = attack - 1 if attack - 1 in names else -1
    return _Layout(utterance=utterance, speaker=speaker, attack=attack, key=key)


def _number_cells(read: Table, layout: _Layout) -> dict[str, list[str]]:
    """Return the columns of numbers by name, lists of numbers taken apart."""
    found: dict[str, list[str]] = {}
    others = (layout.utterance, layout.key, layout.attack, layout.speaker)
    for place, (name, cells) in enumerate(zip(read.names, read.columns, strict=False)):
        if place in others:
            continue
        if are_numbers(cells):
            found[name] = cells
        elif cells and (width := len(_parts(cells[0]))):
            apart = [parts if len(parts := _parts(c)) == width else [c] * width for c in cells]
            found |= {f"{name}[{i}]": [parts[i] for parts in apart] for i in range(width)}
    return found


def _parts(cell: str) -> list[str]:
    """Return the parts of a list such as ``[-3.7, 3.8]``; none of what is no list."""
    match = _LIST.fullmatch(cell)
    return re.split(r"[,\s]+", match[1].strip()) if match else []


def _choice(
    file: Path, read: Table, numbers: Mapping[str, list[str]], column: str | None
) -> _Choice:
    """Choose the column that is the score."""
    if column is not None:
        return _Choice(columns=_asked(file, column, [*numbers, *read.names], read.names))
    names = [name for name, cells in numbers.items() if not are_labels(cells)] or list(numbers)
    pair = (names[0], names[1]) if len(names) == 2 else None
    if read.header:
        lower = [name.lower() for name in read.names]
        if lower == _DEEPFENSE:
            return _Choice(columns=(read.names[3],), logits=(read.names[2], read.names[3]))
        if lower == _ANTIDEEPFAKE and pair and pair[0].endswith("[0]"):
            return _Choice(columns=(pair[1], pair[0]), logits=pair)
        known = [read.names[lower.index(name)] for name in SCORE_NAMES if name in lower]
        if known and (known[0] in names or not names):
            return _Choice(columns=(known[0],))
    if len(names) > 1:
        return _Choice(choose=tuple(names), logits=pair)
    if not names and read.header and read.lines:
        raise InvalidScores(
            f"{file} has no column of numbers among: {', '.join(read.names)}",
            hint="a score is a number, higher = more bona fide",
        )
    return _Choice(columns=tuple(names) or read.names[-1:])


def _asked(
    file: Path, column: str, known: Sequence[str], numbered: Sequence[str]
) -> tuple[str, ...]:
    """Return the column, or the two of a difference, that ``--column`` means."""

    def resolve(name: str) -> str | None:
        exact = [other for other in known if other == name]
        alike = exact or [other for other in known if other.lower() == name.lower()]
        if alike:
            return alike[0]
        place = int(name) - 1 if name.isdecimal() else -1
        return numbered[place] if 0 <= place < len(numbered) else None

    if one := resolve(column.strip()):
        return (one,)
    for minus in re.finditer("-", column):
        first = resolve(column[: minus.start()].strip())
        second = resolve(column[minus.end() :].strip())
        if first and second:
            return (first, second)
    raise InvalidScores(
        f"{file} has no column '{column}'",
        hint=f"--column takes one of: {', '.join(dict.fromkeys(known))}; or a column's number from "
        "1 on; or two of them with a minus between, such as 3-2",
    )


def _scores(
    read: Table,
    cells: Mapping[str, list[str]],
    values: Mapping[str, NDArray[np.float64]],
    choice: _Choice,
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the score of each row as it is spelt and as a number."""
    if not choice.columns:
        return [""] * len(read.lines), np.full(len(read.lines), np.nan)
    spelt = dict(zip(read.names, read.columns, strict=False)) | dict(cells)
    numbers = [
        values[name] if name in values else _values(spelt.get(name, [])) for name in choice.columns
    ]
    if len(numbers) == 1:
        return spelt.get(choice.columns[0], []), numbers[0]
    with np.errstate(invalid="ignore"):
        difference = numbers[0] - numbers[1]
    first, second = (spelt[name] for name in choice.columns)
    pairs = zip(first, second, strict=True)
    return [b if is_number(a) and not is_number(b) else a for a, b in pairs], difference


def _values(cells: list[str]) -> NDArray[np.float64]:
    """Return the numbers that ``cells`` spell, NaN for what spells none."""
    try:
        return np.array(list(map(float, cells)), dtype=np.float64)
    except ValueError:
        return np.array([float(cell) if is_number(cell) else np.nan for cell in cells])


def _unreadable(written: list[str], scores: NDArray[np.float64]) -> list[int]:
    """Return the rows whose score is spelt as no number."""
    if "_" in "".join(written):
        return [row for row, cell in enumerate(written) if not is_number(cell)]
    return [row for row in np.flatnonzero(np.isnan(scores)).tolist() if not is_number(written[row])]


def _no_number(line: int, cell: str) -> Fault:
    comma = re.fullmatch(r"[-+]?\d+,\d+", cell)
    return Fault(
        line=line,
        what=f"the score is '{cell}', not a number",
        hint="write decimal points, not commas"
        if comma
        else "if another column is the score, or the first line is a header, --column says which",
    )


_DEEPFENSE = ["id_audio", "label", "score_class0", "score_class1"]
_ANTIDEEPFAKE = ["id", "score", "label"]
_HEADERS = {
    OWN: "scores.tsv of spoofbench",
    ("filename", "cm-score"): "ASVspoof 5 track 1 (also WeDefense's llr.txt)",
    tuple(_DEEPFENSE): "DeepFense CSV",
}


def _in_words(read: Table, layout: _Layout, choice: _Choice) -> str:
    """Name the format that was found."""
    lower = tuple(name.lower() for name in read.names)
    if read.header:
        if lower in _HEADERS:
            return _HEADERS[lower]
        if list(lower) == _ANTIDEEPFAKE and choice.logits:
            return "AntiDeepfake CSV"
        if {"filename", "cm-score", "asv-score"} <= set(lower):
            return "ASVspoof 5 track 2"
    elif read.mixed:
        usual = {2: "2021 two columns", 4: "2019 four columns"}.get(read.mixed)
        return f"{usual or f'{read.mixed} columns'}, in some lines more or fewer"
    elif read.between in ("blanks", "tabs") and len(choice.columns) == 1:
        score = read.names.index(choice.columns[0]) if choice.columns[0] in read.names else -1
        places = (layout.utterance, layout.attack, layout.key, score)
        if (len(lower), places) == (2, (0, -1, -1, 1)):
            arena = bool(read.lines) and read.columns[0][0].startswith("ITW_")
            return "the Arena's scores.txt" if arena else "2021 two columns"
        if (len(lower), places) == (4, (0, 1, 2, 3)):
            return "2019 four columns"
        if (len(lower), places) == (4, (1, -1, 3, 2)):
            return "ASVspoof 5 four columns"
    of = f"{len(lower)} columns between {read.between}{', with a header' * read.header}"
    roles = [f"utterance in column {read.names[layout.utterance]}" if read.names else ""]
    roles.append(f"score in column {choice.name}" if choice.name else "")
    return f"{of}: {', '.join(filter(None, roles))}"


def _from_archive(file: Path, content: bytes, column: str | None) -> ScoreFile:
    """Read an ``.npz``: an array of texts, the utterances, and one of numbers, the scores."""
    arrays = _arrays(file, content)
    texts = {name: _texts(file, a) for name, a in arrays.items() if a.dtype.kind in "US"}
    keys = next((name for name, cells in texts.items() if cells and are_keys(cells)), None)
    utterances = _called([name for name in texts if name != keys], UTTERANCE_NAMES)
    if utterances is None:
        raise _lacks(file, arrays, "one array of texts, the utterances")
    rows = len(texts[utterances])
    if rows == 0:
        raise InvalidScores(f"{file} holds no scores")
    numbers = _number_arrays(arrays, rows)
    if not numbers:
        raise _lacks(file, arrays, f"an array of {rows:,} numbers, as many as {utterances} has")
    names = list(numbers)
    likely = _called(names, SCORE_NAMES)
    columns: tuple[str, ...] = (likely,) if likely else ()
    if column is not None:
        columns = _asked(file, column, names, names)
    scores = np.full(rows, np.nan)
    if columns:
        with np.errstate(invalid="ignore"):
            scores = numbers[columns[0]] - (numbers[columns[1]] if len(columns) > 1 else 0)
    return ScoreFile(
        path=file,
        format=f".npz archive: utterances in '{utterances}'"
        + (f", scores in '{' less '.join(columns)}'" if columns else ""),
        utterances=texts[utterances],
        scores=scores,
        lines=np.arange(1, rows + 1),
        counted="entry",
        keys=texts[keys] if keys and len(texts[keys]) == rows else None,
        numbers=numbers,
        choose=() if columns else tuple(names),
        logits=(names[0], names[1]) if not columns and len(names) == 2 else None,
    )


def _arrays(file: Path, content: bytes) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        MemoryError,  # a header may claim any size
        RuntimeError,  # encrypted, or packed in a way that zipfile does not know
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InvalidScores(f"the score file {file} cannot be read: {error}", hint=_SAVEZ) from None


def _texts(file: Path, array: NDArray[np.generic]) -> list[str]:
    try:
        return [
            cell.decode() if isinstance(cell, bytes) else str(cell)
            for cell in array.ravel().tolist()
        ]
    except UnicodeDecodeError as error:
        raise InvalidScores(f"the score file {file} cannot be read: {error}") from error


def _called(names: Sequence[str], known: Sequence[str]) -> str | None:
    """Return the only one of ``names``, else the first that is called like one of ``known``."""
    if len(names) == 1:
        return names[0]
    lower = {name.lower(): name for name in names}
    wanted = (spelling for name in known for spelling in (name, f"{name}s"))
    return next((lower[name] for name in wanted if name in lower), None)


def _number_arrays(
    arrays: Mapping[str, NDArray[np.generic]], rows: int
) -> dict[str, NDArray[np.float64]]:
    """Return the arrays with a number for each row; wide ones by column, labels only if alone."""
    found: dict[str, NDArray[np.float64]] = {}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu" or array.shape[:1] != (rows,) or array.ndim > 2:
            continue
        wide = array.astype(np.float64).reshape(rows, -1)
        width = wide.shape[1]
        found |= {f"{name}[{i}]" if width > 1 else name: wide[:, i] for i in range(width)}
    scores = {name: a for name, a in found.items() if not np.isin(a, (0, 1)).all()}
    return scores or found


def _lacks(file: Path, arrays: Mapping[str, NDArray[np.generic]], wanted: str) -> InvalidScores:
    said = ", ".join(f"{name} ({a.dtype}, {a.shape})" for name, a in arrays.items())
    return InvalidScores(f"{file} does not hold {wanted}, but: {said or 'nothing'}", hint=_SAVEZ)
