"""Scores of trials: the file ``scores.tsv``, and the score files that others write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidScores
from spoofbench.files import write_text
from spoofbench.trials import Trial

COLUMNS = ("utterance", "speaker", "attack", "key", "score")
KEY_SPELLINGS = {
    "bonafide": True,
    "bona-fide": True,
    "genuine": True,
    "human": True,
    "spoof": False,
    "fake": False,
}
"""How score files in the wild spell the two classes; converted here and nowhere else."""

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
        extra = scores.keys() - {trial.utterance for trial in trials}
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


def read(file: Path, trials: Sequence[Trial]) -> ScoreTable:
    """Read a score file and join it with ``trials``.

    Lines are ``utterance [speaker] [attack] [key] score`` between blanks or tabs, with or without
    the header of ``scores.tsv``; where a key or an attack is given it must be the protocol's.

    Raises `InvalidScores`, naming the line, for one that cannot be used, and for duplicates,
    missing and extra trials.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidScores(f"the score file {file} cannot be read: {error}") from error
    known = {trial.utterance: trial for trial in trials}
    scores: dict[str, float] = {}
    start = 1 if lines and tuple(lines[0].split()) == COLUMNS else 0
    for number, line in enumerate(lines[start:], start=start + 1):
        if not (values := line.split()):
            continue
        utterance = values[0]
        try:
            if utterance in scores:
                raise InvalidScores(
                    f"{utterance} has a score already",
                    hint="was the file appended to by a second run?",
                )
            scores[utterance] = _score(values)
            if utterance in known:
                _check_agreement(values[1:-1], known[utterance])
        except InvalidScores as error:
            raise InvalidScores(f"{file}, line {number}: {error}", hint=error.hint) from None
    if not scores:
        raise InvalidScores(f"{file} holds no scores")
    return ScoreTable.join(trials, scores, source=str(file))


def _score(values: Sequence[str]) -> float:
    if not 2 <= len(values) <= len(COLUMNS):
        raise InvalidScores(
            f"{len(values)} columns",
            hint="a line reads: utterance [attack key] score, or as in scores.tsv",
        )
    try:
        score = float(values[-1].replace("_", "?"))  # Python would read 1_0 as 10
    except ValueError:
        raise InvalidScores(f"the score is '{values[-1]}', not a number") from None
    if not math.isfinite(score):
        raise InvalidScores(
            f"the score of {values[0]} is {values[-1]}",
            hint="a score must be finite; find out why the model gave none",
        )
    return score


def _check_agreement(stated: Sequence[str], trial: Trial) -> None:
    """Raise if a line states another key or attack than the protocol does."""
    if not stated:
        return
    bonafide = KEY_SPELLINGS.get(stated[-1].lower())
    if bonafide is None:
        raise InvalidScores(
            f"the key is '{stated[-1]}'", hint=f"known keys: {', '.join(KEY_SPELLINGS)}"
        )
    if bonafide != trial.bonafide:
        raise InvalidScores(
            f"the key of {trial.utterance} is '{stated[-1]}', the protocol says '{trial.key}'",
            hint="are these the scores of this protocol?",
        )
    if bonafide or len(stated) < 2:
        return  # the attack of bona fide trials is spelt in many ways
    if stated[-2] != trial.attack:
        raise InvalidScores(
            f"the attack of {trial.utterance} is '{stated[-2]}', the protocol says "
            f"'{trial.attack}'",
            hint="are these the scores of this protocol?",
        )


def _mismatch(missing: Sequence[str], extra: Sequence[str], expected: int, found: int) -> str:
    parts = [f"{found:,} scores for {expected:,} trials"]
    if missing:
        parts.append(f"{len(missing):,} trials without a score ({_first(missing)})")
    if extra:
        parts.append(f"{len(extra):,} scores of other utterances ({_first(extra)})")
    return "; ".join(parts)


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
