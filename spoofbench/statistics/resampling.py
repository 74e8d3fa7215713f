"""Which trials might have been drawn instead: bootstrap and jackknife weights.

Nothing is copied and sorted again: a resample is an array of weights ``(trials,)`` that says how
often each trial counts. A metric that takes weights gives one replicate for each array. The weights
depend on the trials alone, so all systems get the same ones, and their replicates are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.int64]
Codes = NDArray[np.int32]

UNITS = ("trial", "speaker", "attack", "speaker+attack")
"""What is drawn with replacement."""

UNKNOWN = ("", "-")
"""How key files write that they do not know a speaker or an attack."""

NO_PART = -1
"""The code of a trial that has no such cluster, and keeps the weight 1 when clusters are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """What is drawn, and which trials go along with it.

    ``unit`` is one of `UNITS`. ``bonafide`` ``(trials,)`` is true for bona fide trials. ``speaker``
    and ``attack`` ``(trials,)`` number the speakers and the attacks from 0 without a gap, and are
    -1 where there is none: an unknown speaker, the attack of a bona fide trial.

    Raises ValueError for another unit, for shapes that differ, without two trials of each class,
    for codes with gaps, for an attack of a bona fide trial, and if the unit needs a speaker or an
    attack that is unknown or the same for all.
    """

    unit: str
    bonafide: NDArray[np.bool_]
    speaker: Codes
    attack: Codes

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"{self.unit!r} cannot be drawn, only {', '.join(UNITS)}")
        _check_shapes(self.bonafide, self.speaker, self.attack)
        if min(self.bonafide.sum(), (~self.bonafide).sum()) < 2:
            raise ValueError("two trials of each class are needed")
        if (self.attack[self.bonafide] != NO_PART).any():
            raise ValueError("a bona fide trial has no attack, its code is -1")
        for codes in (self.speaker, self.attack):
            if not np.bincount(codes[codes != NO_PART]).all():
                raise ValueError("speakers and attacks are numbered from 0 without a gap")
        if "speaker" in self.unit:
            _check_clusters(self.speaker, "speaker", "trials")
        if "attack" in self.unit:
            _check_clusters(self.attack[~self.bonafide], "attack", "spoofs")

    @classmethod
    def of(
        cls,
        *,
        unit: str,
        bonafide: Sequence[bool] | NDArray[np.bool_],
        speaker: Sequence[str] | NDArray[np.str_],
        attack: Sequence[str] | NDArray[np.str_],
    ) -> Self:
        """Return a design from the names of speakers and attacks ``(trials,)``.

        An empty name and ``-`` are unknown. What a bona fide trial has as its attack is ignored.
        The numbers follow the alphabet, so drawing speakers or attacks does not depend on the order
        of the trials. Raises ValueError as the class does.
        """
        is_bonafide = np.asarray(bonafide, dtype=np.bool_)
        _check_shapes(is_bonafide, speaker, attack)
        own = zip(_names(attack), is_bonafide.tolist(), strict=True)
        return cls(
            unit=unit,
            bonafide=is_bonafide,
            speaker=_numbered(_names(speaker)),
            attack=_numbered(["" if of_bonafide else name for name, of_bonafide in own]),
        )

    @property
    def clusters(self) -> dict[str, int]:
        """How many there are of what is drawn, by what it is: ``{"speaker": 67}``."""
        return {factor.name: factor.clusters for factor in _factors(self)}


def weights(design: Design, *, replicates: int, seed: int) -> Iterator[Weights]:
    """Return an iterator over bootstrap weights ``(trials,)``, one array for each replicate.

    - ``trial``: as many bona fide trials and as many spoofs as there are, each from their own.
    - ``speaker``: as many speakers as there are, each with all trials of both classes.
    - ``attack``: as many attacks as there are, each with all its spoofs; bona fide trials keep the
      weight 1.
    - ``speaker+attack``: both draws, multiplied. This is the bootstrap of crossed factors of Owen
      (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1(2).

    Replicate i uses child i of ``seed``, so it is the same however many are asked for. A resample
    can lack a class (all spoofs weigh 0): there a metric has no value.

    Raises ValueError for less than one replicate and for a negative seed.
    """
    if replicates < 1:
        raise ValueError(f"{replicates} replicates: at least one is needed")
    if seed < 0:
        raise ValueError(f"the seed, {seed}, is negative")
    resample = _trials_drawn(design) if design.unit == "trial" else _clusters_drawn(design)
    return (
        resample(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate,))))
        for replicate in range(replicates)
    )


def jackknife(design: Design, *, seed: int, groups: int = 200) -> Iterator[Weights]:
    """Return an iterator over weights ``(trials,)``, each without one part of what is drawn.

    A part is one speaker or one attack with all its trials. Of trials, and of clusters of which
    there are more than ``groups``, a part is one of ``groups`` random groups of equal size (to one
    cluster): the delete-a-group jackknife. For ``trial``, groups of bona fide trials are left out
    first, then groups of spoofs; for ``speaker+attack`` each speaker, then each attack.
    `jackknife_samples` says which of the two an array belongs to.

    Raises ValueError for less than two groups and for a negative seed.
    """
    _check_groups(groups)
    if seed < 0:
        raise ValueError(f"the seed, {seed}, is negative")
    return _left_out(design, np.random.default_rng(seed), groups)


def jackknife_samples(design: Design, *, groups: int = 200) -> NDArray[np.intp]:
    """Return what each array of `jackknife` leaves a part of, ``(jackknife,)``.

    It is 0 for the first thing that is drawn (bona fide trials; speakers) and 1 for the second
    (spoofs; attacks). `intervals.bca` needs it where two things are drawn.

    Raises ValueError for less than two groups.
    """
    _check_groups(groups)
    parts = [min(groups, factor.clusters) for factor in _factors(design)]
    return np.repeat(np.arange(len(parts)), parts)


class _Factor(NamedTuple):
    """One thing that is drawn: its name, each trial's code ``(trials,)``, how many there are."""

    name: str
    codes: NDArray[np.int32]
    clusters: int


def _factors(design: Design) -> tuple[_Factor, ...]:
    """Return what a design draws, independently of each other: one thing or two."""
    if design.unit == "trial":
        return (
            _factor("bona fide trial", _counted(design.bonafide)),
            _factor("spoof", _counted(~design.bonafide)),
        )
    codes = {"speaker": design.speaker, "attack": design.attack}
    return tuple(_factor(name, codes[name]) for name in design.unit.split("+"))


def _factor(name: str, codes: Codes) -> _Factor:
    return _Factor(name, codes, int(codes.max()) + 1)


def _counted(chosen: NDArray[np.bool_]) -> Codes:
    """Return numbers for the chosen trials, each a cluster of its own."""
    return np.where(chosen, np.cumsum(chosen) - 1, NO_PART).astype(np.int32)


def _trials_drawn(design: Design) -> Callable[[np.random.Generator], Weights]:
    """Return what draws trials of each class by their places; one count serves both classes."""
    bonafide, spoof = np.flatnonzero(design.bonafide), np.flatnonzero(~design.bonafide)
    trials = design.bonafide.size
    # The one buffer for all replicates halves the time: fresh memory costs more than the draw.
    drawn = np.empty(trials, dtype=np.intp)

    def resample(random: np.random.Generator) -> Weights:
        own = random.integers(bonafide.size, size=bonafide.size)
        others = random.integers(spoof.size, size=spoof.size)
        # With mode "clip" numpy writes straight into the buffer; no place is out of range.
        bonafide.take(own, out=drawn[: bonafide.size], mode="clip")
        spoof.take(others, out=drawn[bonafide.size :], mode="clip")
        return np.bincount(drawn, minlength=trials)

    return resample


def _clusters_drawn(design: Design) -> Callable[[np.random.Generator], Weights]:
    """Return what draws clusters of each factor; a trial's weight is the product of its counts."""
    factors = _factors(design)

    def resample(random: np.random.Generator) -> Weights:
        counts = [_drawn(random, factor.clusters).take(factor.codes) for factor in factors]
        return counts[0] if len(counts) == 1 else counts[0] * counts[1]

    return resample


def _drawn(random: np.random.Generator, clusters: int) -> Weights:
    """Return how often each of ``clusters`` is drawn, and at the end, at `NO_PART`, a 1."""
    counts = np.bincount(random.integers(clusters, size=clusters), minlength=clusters + 1)
    counts[NO_PART] = 1
    return counts


def _left_out(design: Design, random: np.random.Generator, groups: int) -> Iterator[Weights]:
    for factor in _factors(design):
        parts = min(groups, factor.clusters)
        group = np.arange(factor.clusters) % parts
        if factor.clusters > parts:
            random.shuffle(group)
        of_trial = np.append(group, NO_PART).take(factor.codes)
        for part in range(parts):
            yield (of_trial != part).astype(np.int64)


def _names(names: Sequence[str] | NDArray[np.str_]) -> Sequence[str]:
    return names.tolist() if isinstance(names, np.ndarray) else names


def _numbered(names: Sequence[str]) -> Codes:
    """Return the place of each name in the alphabet, `NO_PART` where it is unknown."""
    known = sorted(set(names).difference(UNKNOWN))
    number = {name: place for place, name in enumerate(known)} | dict.fromkeys(UNKNOWN, NO_PART)
    return np.fromiter(map(number.__getitem__, names), dtype=np.int32, count=len(names))


def _check_shapes(
    bonafide: NDArray[np.bool_],
    speaker: Sequence[str] | NDArray[Any],
    attack: Sequence[str] | NDArray[Any],
) -> None:
    if bonafide.ndim != 1 or not bonafide.size == len(speaker) == len(attack):
        raise ValueError(
            f"{bonafide.size:,} trials have {len(speaker):,} speakers and {len(attack):,} attacks: "
            "one of each is needed for a trial"
        )


def _check_clusters(codes: Codes, name: str, trials: str) -> None:
    """Raise ValueError unless each of these trials has a code and there are two of them."""
    if unknown := int((codes == NO_PART).sum()):
        raise ValueError(
            f"the {name} of {unknown:,} of {codes.size:,} {trials} is unknown: "
            f"{name}s cannot be drawn"
        )
    if codes.max() < 1:
        raise ValueError(f"there is only one {name}: two are needed to draw {name}s")


def _check_groups(groups: int) -> None:
    if groups < 2:
        raise ValueError(f"{groups} groups: at least two are needed")
