"""Reading the scores of the fixed ASV system, which the tandem metrics need."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from spoofbench.errors import InvalidKeys
from spoofbench.metrics.judged import AsvScores, TandemCosts
from spoofbench.protocols import ExpectAsv, Only, Protocol, Tandem
from spoofbench.trials import UNNAMED, Trial

KEYS = ("target", "nontarget", "spoof")

Row = tuple[int, list[str]]
"""A line's number, from 1, and what stands in it between blanks."""

_NO_CONDITION = ("attack", "key", "score", "utterance", "speaker", "-")


def read(root: Path, tandem: Tandem) -> AsvScores:
    """Read the ASV scores that ``tandem`` names, below ``root``.

    Raises `InvalidKeys`, naming the line, for one that cannot be used, and for counts that are not
    those expected: the scores of another part of the corpus.
    """
    file = root / tandem.scores
    columns = (*tandem.columns, "score") if tandem.keys else tandem.columns
    place = {name: number for number, name in enumerate(columns)}
    conditions = [n for n in place if n not in _NO_CONDITION and n not in tandem.only]
    kept = [name for name in ("attack", "utterance", *conditions) if name in place]
    kinds = {key: _Kind(columns=[(place[name], []) for name in kept]) for key in KEYS}
    lines = _joined(root, tandem) if tandem.keys else _table(file)
    _sort_in(lines, kinds, columns, tandem.only, file)
    _check_counts({key: len(kinds[key].scores) for key in KEYS}, tandem.expect, file)
    column = {
        name: tuple(np.array(kinds[key].columns[number][1], dtype=np.str_) for key in KEYS)
        for number, name in enumerate(kept)
    }
    return AsvScores(
        target=np.array(kinds["target"].scores),
        nontarget=np.array(kinds["nontarget"].scores),
        spoof=np.array(kinds["spoof"].scores),
        attack=column["attack"][-1] if "attack" in column else None,
        conditions={name: column[name] for name in conditions},
        utterances=column.get("utterance"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """The trials of one kind while they are read: their scores, and what some columns say."""

    scores: list[float] = field(default_factory=list)
    columns: list[tuple[int, list[str]]]
    """The place of each column in a line, and what it says of each trial."""


def _sort_in(
    lines: Iterator[Row], kinds: Mapping[str, _Kind], columns: Sequence[str], only: Only, file: Path
) -> None:
    """Put each of ``lines``, if it is meant, to the trials of its kind."""
    key_at, score_at, width = columns.index("key"), columns.index("score"), len(columns)
    wanted = [(columns.index(column), frozenset(values)) for column, values in only.items()]
    for number, values in lines:
        try:
            score, kind = float(values[score_at]), kinds[values[key_at]]
            if len(values) != width or not math.isfinite(score):
                raise ValueError
        except (ValueError, KeyError, IndexError):
            raise _fault(values, columns, f"{file}, line {number}") from None
        if wanted and not all(values[at] in meant for at, meant in wanted):
            continue
        kind.scores.append(score)
        for at, found in kind.columns:
            found.append(values[at])


def of(protocol: Protocol, root: Path) -> AsvScores | None:
    """Return the ASV scores of ``protocol``, or None if it has no ASV system."""
    return None if protocol.tandem is None else read(root, protocol.tandem)


def costs_of(tandem: Tandem) -> TandemCosts:
    """Return the priors and costs that a protocol names."""
    return TandemCosts(
        p_spoof=tandem.p_spoof,
        p_target=tandem.p_target,
        p_nontarget=tandem.p_nontarget,
        c_miss=tandem.c_miss,
        c_fa=tandem.c_fa,
        c_fa_spoof=tandem.c_fa_spoof,
    )


def check_part(scores: AsvScores, trials: Sequence[Trial], protocol: Protocol) -> None:
    """Raise `InvalidKeys` if the spoofs of the ASV trials cannot be those of the protocol.

    They are of another part of the corpus if they know attacks, or codecs, that the protocol does
    not, and the other way round. That one side lacks some is no fault: a few trials were chosen, or
    an attack never met the ASV system.
    """
    spoofs = [trial for trial in trials if not trial.bonafide]
    known = {name: parts[-1] for name, parts in scores.conditions.items()}
    if scores.attack is not None and any(trial.attack != UNNAMED for trial in spoofs):
        known["attack"] = scores.attack
    for column, values in known.items():
        try:
            judged = {trial.column(column) for trial in spoofs}
        except KeyError:
            continue  # the protocol knows nothing of it
        met = set(values.tolist())
        if met - judged and judged - met:
            file = protocol.tandem.scores if protocol.tandem else "the ASV scores"
            raise InvalidKeys(
                f"{file}: the spoofs say in the column {column}: {_some(met)}; "
                f"those of {protocol.name} say: {_some(judged)}",
                hint="these are the ASV scores of another part of the corpus",
            )


def _some(values: Collection[str]) -> str:
    first, *others = sorted(values)
    if len(others) < 3:
        return ", ".join([first, *others])
    return f"{first}, {others[0]}, ..., {others[-1]}"


def _joined(root: Path, tandem: Tandem) -> Iterator[Row]:
    """Give the lines of the key file with their scores, and the numbers of the lines of these.

    The files belong together line by line. From the first line on that does not name the trial of
    its key, they are joined by speaker and utterance, which must then be unique.
    """
    file, key_file = root / tandem.scores, root / tandem.keys
    names = [tandem.columns.index(n) for n in ("speaker", "utterance") if n in tandem.columns]
    before_score = slice(-1 - len(names), -1)
    keys, rows = _table(key_file), _table(file)
    for key, row in zip_longest(keys, rows):
        if key is None or row is None:
            raise InvalidKeys(
                f"{file} has {'more' if key is None else 'fewer'} lines than its key file "
                f"{key_file}",
                hint="one of them was cut: take both from the corpus again",
            )
        (_, trial), (number, scored) = key, row
        if scored[before_score] != [trial[at] for at in names if at < len(trial)]:
            found = _by_trial(chain([row], rows), before_score, file)
            for line, trial in chain([key], keys):
                yield _with_score(trial, found, names, f"{file}: line {line} of {key_file}")
            if found:
                raise InvalidKeys(f"{file}: {len(found):,} scores of trials not in {key_file}")
            return
        yield number, [*trial, scored[-1]]


def _by_trial(rows: Iterator[Row], names: slice, file: Path) -> dict[tuple[str, ...], Row]:
    """Return the rest of a score file by what stands before the score."""
    found: dict[tuple[str, ...], Row] = {}
    for number, row in rows:
        trial = tuple(row[names])
        if trial in found:
            raise InvalidKeys(
                f"{file}, line {number}: '{' '.join(trial)}' is listed twice, and the lines are "
                "in another order than those of the key file",
                hint="take both files from the corpus again",
            )
        found[trial] = (number, row)
    return found


def _with_score(
    trial: list[str], found: dict[tuple[str, ...], Row], names: Sequence[int], where: str
) -> Row:
    name = tuple(trial[at] for at in names if at < len(trial))
    if name not in found:
        raise InvalidKeys(
            f"{where}, '{' '.join(name)}', has no score of its own",
            hint="take both files from the corpus again",
        )
    number, row = found.pop(name)
    return number, [*trial, row[-1]]


def _table(file: Path) -> Iterator[Row]:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if values := line.split():
                    yield number, values
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidKeys(f"the ASV score file {file} cannot be read: {error}") from error


def _fault(values: Sequence[str], columns: Sequence[str], where: str) -> InvalidKeys:
    return InvalidKeys(
        f"{where}: '{' '.join(values)}' does not read: {' '.join(columns)}",
        hint=f"known keys: {', '.join(KEYS)}; a score is a finite number",
    )


def _check_counts(counts: dict[str, int], expect: ExpectAsv | None, file: Path) -> None:
    if expect is not None and counts != expect.model_dump():
        raise InvalidKeys(
            f"{file} has {_said(counts)}; the protocol expects {_said(expect.model_dump())}",
            hint="these are the ASV scores of another part of the corpus, or a cut file",
        )
    for key, number in counts.items():
        if number == 0:
            raise InvalidKeys(f"{file} has no {key} trial")


def _said(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {key}" for key, number in counts.items())
