"""Key files with one trial a line: ``speaker utterance - attack key``, or in any other order."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path, PurePosixPath
from string import Formatter

from spoofbench.errors import CorpusNotFound, InvalidKeys
from spoofbench.protocols import PATH, Data
from spoofbench.trials import KEY_SPELLINGS, NO_ATTACK, UNNAMED, Trial
from spoofbench_readers.names import names_of

HEADINGS = frozenset(
    {"key", "keys", "label", "labels", "class", "cm-label", "cm_label", "target", "type", "truth"}
)
"""What stands above the column of keys in a file with a header, in lower case."""

_NO_ATTACKS = frozenset({NO_ATTACK, ""} | {word for word, own in KEY_SPELLINGS.items() if own})
"""How files spell the attack of a bona fide trial, in lower case."""

_OWN = frozenset({"utterance", "speaker", "attack", "key", PATH, "-"})
_NOTHING: Mapping[str, str] = {}
_AGAIN = "take the key file from the corpus again"

Row = tuple[int, Sequence[str]]
"""A line's number, from 1, and its cells."""


def read_trials(data: Data, root: Path) -> Sequence[Trial]:
    """Read one trial from each line of the key file, in its order; a header is passed over.

    Raises `CorpusNotFound` without the file, `InvalidKeys` for a line with the wrong number of
    columns, an unknown key, an attack that contradicts its key, or a name that is a path.
    """
    file = root / data.keys
    text = _text(file)
    layout = _Layout.of(data, slashes="/" in text or "\\" in text)
    rows = _blank_rows(text) if data.delimiter == "blank" else _csv_rows(text, data, file)
    trials = []
    for number, cells in _without_header(rows, layout):
        try:
            trials.append(layout.trial(cells))
        except InvalidKeys as error:
            raise InvalidKeys(f"{file}, line {number}: {error}", hint=error.hint) from None
    return trials if layout.utterance is not None else _named(trials)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusNotFound(f"the key file {file} cannot be read: {error}") from error


def _blank_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if cells := line.split():
            yield number, cells


def _csv_rows(text: str, data: Data, file: Path) -> Iterator[Row]:
    delimiter = "\t" if data.delimiter == "tab" else data.delimiter
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in lines:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield lines.line_num, stripped
    except csv.Error as error:
        raise InvalidKeys(f"{file}, line {lines.line_num}: {error}") from error


def _without_header(rows: Iterator[Row], layout: _Layout) -> Iterator[Row]:
    """Pass over the first row if a heading stands where the key would be."""
    for number, cells in rows:
        if len(cells) != layout.width or cells[layout.key].lower() not in HEADINGS:
            yield number, cells
        break
    yield from rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where in a row what stands, and how a trial is made of it."""

    names: Sequence[str]
    width: int
    key: int
    utterance: int | None
    speaker: int | None
    attack: int | None
    others: Sequence[str]
    """The other columns that have a name."""
    values: Callable[[Sequence[str]], tuple[str, ...]]
    """Takes what stands in these from a row."""
    audio: Callable[..., str]
    """Makes the path of the audio of all cells of a row."""
    check: Callable[[Sequence[str]], None] | None
    """Raises `InvalidKeys` for a row with a name that could lead elsewhere."""
    met: dict[tuple[str, ...], Mapping[str, str]] = field(default_factory=dict)
    """The columns of trials met before, which many trials share."""

    @classmethod
    def of(cls, data: Data, *, slashes: bool) -> _Layout:
        """Lay out the rows of a key file; names need a check only where there are ``slashes``."""
        place = {name: number for number, name in enumerate(data.columns)}
        others = [name for name in place if name not in _OWN]
        return cls(
            names=data.columns,
            width=len(data.columns),
            key=place["key"],
            utterance=place.get("utterance"),
            speaker=place.get("speaker"),
            attack=place.get("attack"),
            others=others,
            values=_taker([place[name] for name in others]),
            audio=_formatter(data.audio, place),
            check=_check_of(data) if slashes or data.delimiter != "blank" else None,
        )

    def trial(self, cells: Sequence[str]) -> Trial:
        """Return the trial of one row. Raises `InvalidKeys`, without saying where."""
        if len(cells) != self.width:
            raise InvalidKeys(
                f"{len(cells)} columns where there should be {self.width} ({' '.join(self.names)})",
                hint=_AGAIN,
            )
        key = cells[self.key]
        bonafide = KEY_SPELLINGS.get(key)
        if bonafide is None and (bonafide := KEY_SPELLINGS.get(key.lower())) is None:
            raise InvalidKeys(f"the key is '{key}'", hint=f"known keys: {', '.join(KEY_SPELLINGS)}")
        if self.check is not None:
            self.check(cells)
        return Trial(
            utterance="" if self.utterance is None else cells[self.utterance],
            speaker="" if self.speaker is None else cells[self.speaker],
            attack=self._attack(cells, bonafide=bonafide),
            bonafide=bonafide,
            audio=self.audio(*cells),
            columns=self._columns(cells) if self.others else _NOTHING,
        )

    def _attack(self, cells: Sequence[str], *, bonafide: bool) -> str:
        if self.attack is None:
            return NO_ATTACK if bonafide else UNNAMED
        attack = cells[self.attack]
        if bonafide is not (attack.lower() in _NO_ATTACKS):
            raise InvalidKeys(
                f"the key is '{cells[self.key]}' and the attack is '{attack}'",
                hint="bona fide trials have the attack '-', spoofs another",
            )
        return NO_ATTACK if bonafide else attack

    def _columns(self, cells: Sequence[str]) -> Mapping[str, str]:
        values = self.values(cells)
        if (columns := self.met.get(values)) is None:
            columns = self.met[values] = dict(zip(self.others, values, strict=True))
        return columns


def _taker(places: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Return what takes the cells at ``places`` from a row; the quickest way for each number."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: tuple(cells[place] for place in places)


def _formatter(audio: str, place: Mapping[str, int]) -> Callable[..., str]:
    """Turn ``flac/{utterance}.flac`` into what makes such a path of all cells of a row."""
    parts = []
    for literal, name, spec, conversion in Formatter().parse(audio):
        parts.append(literal.replace("{", "{{").replace("}", "}}"))
        if name is not None:
            parts.append(f"{{{place[name]}{f'!{conversion}' * bool(conversion)}")
            parts.append(f"{f':{spec}' * bool(spec)}}}")
    return "".join(parts).format


def _check_of(data: Data) -> Callable[[Sequence[str]], None]:
    """Return what checks a row: names may not be paths, and a path must stay in its folder."""
    place = {name: number for number, name in enumerate(data.columns)}
    path = place.get(PATH)
    used = {name for _, name, _, _ in Formatter().parse(data.audio) if name} | {"utterance"}
    names = [place[name] for name in place if path is None or name in used - {PATH}]

    def check(cells: Sequence[str]) -> None:
        for at in names:
            if "/" in cells[at] or "\\" in cells[at]:
                raise InvalidKeys("a slash in a name", hint="names may not be paths")
        if any(mark in cell for cell in cells for mark in "\t\r\n"):
            raise InvalidKeys(
                "a line break or a tab in a cell", hint="is a quotation mark missing?"
            )
        if path is not None:
            _check_path(cells[path])

    return check


def _check_path(path: str) -> None:
    """Raise `InvalidKeys` for a path that could lead out of the folder of the audio."""
    as_path = PurePosixPath(path)
    if not as_path.name or as_path.is_absolute() or "\\" in path or ".." in as_path.parts:
        raise InvalidKeys(
            f"'{path}' is not a path below the folder of the audio",
            hint="paths have forward slashes and no '..', and start in the folder of the key file, "
            "or in that of --data",
        )


def _named(trials: Sequence[Trial]) -> list[Trial]:
    """Call each trial by its audio."""
    names = names_of([trial.audio for trial in trials])
    return [replace(trial, utterance=name) for trial, name in zip(trials, names, strict=True)]
