"""Trials: one utterance to be judged each, with what is known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spoofbench.errors import IncompleteCorpus, InvalidKeys, InvalidSettings

NO_ATTACK = "-"
"""The attack of a bona fide trial."""

UNNAMED = "spoof"
"""The attack of a spoof where nothing names any."""

KEY_SPELLINGS = {
    "bonafide": True,
    "bona-fide": True,
    "bona_fide": True,
    "genuine": True,
    "human": True,
    "real": True,
    "spoof": False,
    "spoofed": False,
    "fake": False,
}
"""How key files and score files in the wild spell the two classes, in lower case."""

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One utterance, its true class, and where its audio is.

    ``attack`` names the system that made a spoof, and is ``-`` for bona fide. ``audio`` is a path
    below the corpus folder. ``columns`` holds what else the key file knows (codec, ...).
    """

    utterance: str
    speaker: str
    attack: str
    bonafide: bool
    audio: str
    columns: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    @property
    def key(self) -> str:
        """The trial's true class as files spell it."""
        return "bonafide" if self.bonafide else "spoof"

    def column(self, name: str) -> str:
        """Return what the key file says in the column ``name``; raise KeyError if it has none."""
        if name in ("utterance", "speaker", "attack", "key"):
            return str(getattr(self, name))
        return self.columns[name]


def check_counts(trials: Sequence[Trial], *, bonafide: int, spoof: int, source: str) -> None:
    """Raise `IncompleteCorpus` unless there are as many trials as the protocol expects."""
    found = Counter(trial.bonafide for trial in trials)
    if found[True] != bonafide or found[False] != spoof:
        raise IncompleteCorpus(
            f"{source} lists {found[True]:,} bona fide and {found[False]:,} spoof trials, "
            f"the protocol expects {bonafide:,} and {spoof:,}",
            hint="the key file was cut or changed: take it from the corpus again",
        )


def check_total(trials: Sequence[Trial], *, expected: int, source: str) -> None:
    """Raise `IncompleteCorpus` unless there are as many trials, of both classes together."""
    if len(trials) != expected:
        raise IncompleteCorpus(
            f"{source} lists {len(trials):,} such trials, the protocol expects {expected:,}",
            hint="the key file was cut or changed: take it from the corpus again",
        )


def check_unique(trials: Iterable[Trial], *, source: str) -> None:
    """Raise `InvalidKeys` if an utterance is listed twice."""
    seen: dict[str, int] = {}
    for position, trial in enumerate(trials, start=1):
        if (first := seen.setdefault(trial.utterance, position)) != position:
            raise InvalidKeys(
                f"{source} lists {trial.utterance} twice, as trials {first:,} and {position:,}",
                hint="take the key file from the corpus again",
            )


def missing_audio(trials: Iterable[Trial], root: Path) -> list[Trial]:
    """Return the trials whose audio is not below ``root``. Each folder is listed once."""
    present: dict[str, frozenset[str]] = {}
    missing = []
    for trial in trials:
        folder, _, name = trial.audio.rpartition("/")
        if folder not in present:
            place = root / folder
            names = (entry.name for entry in place.iterdir()) if place.is_dir() else ()
            present[folder] = frozenset(names)
        if name not in present[folder]:
            missing.append(trial)
    return missing


def limit(trials: Sequence[Trial], count: int) -> tuple[Trial, ...]:
    """Return ``count`` trials in protocol order, half of each class as far as there are any.

    They are spread evenly over each class's list, so that speakers and attacks are mixed.

    Raises `InvalidSettings` for a count below 1.
    """
    if count < 1:
        raise InvalidSettings(f"--limit {count}: at least one trial is needed")
    places = {key: [i for i, t in enumerate(trials) if t.bonafide is key] for key in (True, False)}
    bonafide = min(len(places[True]), max(count // 2, count - len(places[False])))
    chosen = _spread(places[True], bonafide) | _spread(places[False], count - bonafide)
    return tuple(trials[place] for place in sorted(chosen))


def _spread(places: Sequence[int], count: int) -> set[int]:
    count = min(count, len(places))
    return {places[i * len(places) // count] for i in range(count)}
