"""Scores of trials: the file ``scores.tsv``, and the score files that others write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidScores
from spoofbench.files import write_text
from spoofbench.score_files.cells import OWN, Fault
from spoofbench.score_files.formats import ScoreFile, parse
from spoofbench.trials import KEY_SPELLINGS, UNNAMED, Trial

COLUMNS = OWN
"""The header of ``scores.tsv``."""

AUDIO_ENDINGS = frozenset({"wav", "flac", "mp3", "ogg", "opus", "m4a"})
ARENA_PREFIX = "ITW_"

NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """The trials of a protocol in its order, and one finite score each, higher = more bona fide."""

    trials: tuple[Trial, ...]
    scores: NDArray[np.float64]
    """``(trials,)``"""

    @classmethod
    def join(cls, trials: Sequence[Trial], scores: Mapping[str, float], *, source: str) -> Self:
        """Give each trial its score. Raises `InvalidScores` unless they fit one to one."""
        missing = [trial.utterance for trial in trials if trial.utterance not in scores]
        alike = not missing and len(scores) == len(trials)
        extra = () if alike else scores.keys() - {trial.utterance for trial in trials}
        if missing or extra:
            classes = {trial.bonafide for trial in trials if trial.utterance in scores}
            only = f"; all are {'bona fide' if True in classes else 'spoof'}"
            raise InvalidScores(
                f"{source}: "
                + _mismatch(missing, sorted(extra), len(trials), len(scores))
                + (only if len(classes) == 1 else ""),
                hint="are these the scores of this protocol? every trial needs one score",
            )
        values = np.array([scores[trial.utterance] for trial in trials], dtype=np.float64)
        if not np.isfinite(values).all():
            worst = trials[int(np.flatnonzero(~np.isfinite(values))[0])].utterance
            raise InvalidScores(f"{source}: the score of {worst} is not a finite number")
        return cls(trials=tuple(trials), scores=values)

    @property
    def bonafide(self) -> NDArray[np.bool_]:
        """The trials' true classes, ``(trials,)``."""
        return np.array([trial.bonafide for trial in self.trials])

    def column(self, name: str) -> NDArray[np.str_]:
        """Return what each trial says in the column ``name``, ``(trials,)``.

        Raises `InvalidScores` for a column that the key file does not have.
        """
        if name in ("attack", "speaker"):
            return np.array([getattr(trial, name) for trial in self.trials])
        try:
            return np.array([trial.columns[name] for trial in self.trials])
        except KeyError:
            raise InvalidScores(f"the trials have no column '{name}'") from None

    def negated(self) -> Self:
        """Return the table with every score negated."""
        return type(self)(trials=self.trials, scores=-self.scores)


def write(table: ScoreTable, file: Path) -> None:
    """Write ``scores.tsv``: a header, then one line for each trial in protocol order.

    Scores have as many digits as give the same number back.
    """
    lines = ["\t".join(COLUMNS)]
    lines += [
        f"{t.utterance}\t{t.speaker}\t{t.attack}\t{t.key}\t{float(score)!r}"
        for t, score in zip(table.trials, table.scores, strict=True)
    ]
    write_text(file, "\n".join(lines) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The trials' scores as a file gives them, and what had to be done to get them."""

    table: ScoreTable
    found: ScoreFile
    left_out: int
    """Scores of trials that the protocol leaves out, which were not used."""
    respelt: int
    """Utterances that the file spells with a folder or an ending, which the protocol does not."""


def read(
    file: Path,
    trials: Sequence[Trial],
    *,
    left_out: frozenset[str] = frozenset(),
    column: str | None = None,
) -> ScoreTable:
    """Read a score file of any known format and join it with ``trials``.

    Scores of the utterances ``left_out`` are passed over; ``column`` is as in `formats.parse`.

    Raises `InvalidScores`, naming the line, for one that cannot be used, and for duplicates,
    missing and extra trials, and for a key or an attack that is not the protocol's.
    """
    return match(parse(file, column=column), trials, left_out=left_out).table


def match(
    found: ScoreFile, trials: Sequence[Trial], *, left_out: frozenset[str] = frozenset()
) -> Reading:
    """Join what was found in a score file with ``trials``; raises as `read` does."""
    if found.choose:
        raise InvalidScores(
            f"{found.path} has {len(found.choose)} columns that could be the score: "
            + ", ".join(found.choose),
            hint="--column NAME, or its number, says which one is",
        )
    known = {trial.utterance: trial for trial in trials}
    names, respelt = spelt_as(known, found.utterances, left_out)
    scores = dict(zip(names, found.scores.tolist(), strict=True))
    faults = [*found.faults[:1], *_first_faults(found, names, known)]
    if len(scores) < len(names):
        faults.append(_repeated(found, names))
    if faults:
        first = min(faults, key=lambda fault: fault.line)
        raise InvalidScores(
            f"{found.path}, {found.counted} {first.line}: {first.what}", hint=first.hint
        )
    others = scores.keys() & left_out
    for name in others:
        del scores[name]
    return Reading(
        table=ScoreTable.join(trials, scores, source=str(found.path)),
        found=found,
        left_out=len(others),
        respelt=respelt,
    )


def spelt_as(
    trials: Mapping[str, Trial], utterances: Sequence[str], left_out: frozenset[str] = frozenset()
) -> tuple[Sequence[str], int]:
    """Return ``utterances`` as the protocol spells them, and how many it spells otherwise.

    ``trials`` are those of the protocol by utterance. Names that it knows stay. Of the others,
    folder and audio ending are dropped, and those of the protocol's names for the comparison, where
    that makes them one of its names and no two of them the same.
    """
    strangers = {name for name in utterances if name not in trials and name not in left_out}
    if not strangers:
        return utterances, 0
    bare: dict[str, str | None] = {}
    for name in trials.keys() | left_out:
        short = _bare(name)
        bare[short] = None if short in bare else name
    meant = {name: own for name in strangers if (own := bare.get(_bare(name))) is not None}
    return [meant.get(name, name) for name in utterances], sum(name in meant for name in utterances)


def _bare(utterance: str) -> str:
    """Return an utterance without folder, audio ending and the Arena's prefix of In-the-Wild."""
    name = re.split(r"[/\\]", utterance)[-1]
    stem, _, ending = name.rpartition(".")
    return (stem if stem and ending.lower() in AUDIO_ENDINGS else name).removeprefix(ARENA_PREFIX)


def _first_faults(
    found: ScoreFile, names: Sequence[str], known: Mapping[str, Trial]
) -> Iterator[Fault]:
    """Return the first fault of each kind among the lines that could be read."""
    bad = np.flatnonzero(~np.isfinite(found.scores))
    if bad.size:
        row = int(bad[0])
        value = found.written[row] if found.written else found.scores[row]
        yield Fault(
            line=int(found.lines[row]),
            what=f"the score of {names[row]} is {value}",
            hint="a score must be finite; find out why the model gave none",
        )
    yield from disagreements(found, names, known, most=1)


def _repeated(found: ScoreFile, names: Sequence[str]) -> Fault:
    """Return the first line that gives a score to an utterance that has one."""
    rows: dict[str, int] = {}
    row = next(row for row, name in enumerate(names) if rows.setdefault(name, row) != row)
    return Fault(
        line=int(found.lines[row]),
        what=f"{names[row]} has a score already",
        hint="was the file appended to by a second run?",
    )


def disagreements(
    found: ScoreFile, names: Sequence[str], known: Mapping[str, Trial], *, most: int | None = None
) -> list[Fault]:
    """Return the lines, ``most`` of them at most, whose key or attack is not the protocol's."""
    if found.keys is None:
        return []
    faults: list[Fault] = []
    spellings = {key: KEY_SPELLINGS.get(key.lower()) for key in set(found.keys)}
    attacks = found.attacks or [""] * len(names)
    for row, (name, key, attack) in enumerate(zip(names, found.keys, attacks, strict=True)):
        trial = known.get(name)
        if trial is None or not key:
            continue
        bonafide = spellings[key]
        # What stands for the attack of bona fide trials is spelt in many ways.
        unsaid = not attack or trial.attack == UNNAMED
        if bonafide == trial.bonafide and (bonafide or unsaid or attack == trial.attack):
            continue
        faults.append(_disagreement(int(found.lines[row]), key, attack, trial))
        if len(faults) == most:
            break
    return faults


def _disagreement(line: int, key: str, attack: str, trial: Trial) -> Fault:
    bonafide = KEY_SPELLINGS.get(key.lower())
    asked = "are these the scores of this protocol?"
    if bonafide is None:
        known = ", ".join(KEY_SPELLINGS)
        return Fault(line=line, what=f"the key is '{key}'", hint=f"known keys: {known}")
    if bonafide != trial.bonafide:
        what = f"the key of {trial.utterance} is '{key}', the protocol says '{trial.key}'"
    else:
        what = f"the attack of {trial.utterance} is '{attack}', the protocol says '{trial.attack}'"
    return Fault(line=line, what=what, hint=asked)


def _mismatch(missing: Sequence[str], extra: Sequence[str], expected: int, found: int) -> str:
    parts = [f"{found:,} scores for {expected:,} trials"]
    if missing:
        parts.append(f"{len(missing):,} trials without a score ({_first(missing)})")
    if extra:
        parts.append(f"{len(extra):,} scores of other utterances ({_first(extra)})")
    return "; ".join(parts)


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
