"""The groups of trials that results are broken down by: all of them, each attack, each codec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidKeys, InvalidProtocol
from spoofbench.metrics.judged import AsvRates, AsvScores
from spoofbench.protocols import CROSSED
from spoofbench.trials import Trial

POOLED = "pooled"
"""The group of all trials."""

Places = NDArray[np.intp]
"""Which trials: their places in protocol order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joint:
    """The ASV trials whose utterances are judged too, all arrays ``(trials,)``.

    ``kind`` is 0 for a target, 1 for a non-target, 2 for a spoof; ``place`` is the utterance's
    place among the trials of the protocol.
    """

    kind: NDArray[np.int8]
    asv: NDArray[np.float64]
    place: Places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """The trials of one row of a table.

    ``by`` names the column that makes the group (two of them, crossed), and is empty for all
    trials. ``within`` says that bona fide trials are of the group too, as for a codec; otherwise,
    as for an attack, the group's spoofs stand against all bona fide trials.
    """

    by: str
    name: str
    within: bool
    bonafide: Places
    spoof: Places
    asv: AsvRates | None
    joint: Joint | None


def groups_of(
    trials: Sequence[Trial], by: Sequence[str], asv: AsvScores | None, *, joint: bool
) -> tuple[Group, ...]:
    """Return the group of all trials, then those of each of ``by``, in the order of their names.

    ``joint`` asks for the trials that both systems scored. Raises `InvalidProtocol` for a column
    that the trials do not have, `InvalidKeys` for ASV trials of other utterances.
    """
    bonafide = np.array([trial.bonafide for trial in trials], dtype=bool)
    own, spoofs = np.flatnonzero(bonafide), np.flatnonzero(~bonafide)
    both = _joint(trials, asv) if joint and asv is not None else None
    everything = Group(
        by="",
        name=POOLED,
        within=False,
        bonafide=own,
        spoof=spoofs,
        asv=asv.rates() if asv is not None else None,
        joint=both,
    )
    made = [everything]
    for column in by:
        made += _groups(column, trials, everything, asv)
    return tuple(made)


def _groups(
    by: str, trials: Sequence[Trial], everything: Group, asv: AsvScores | None
) -> Iterator[Group]:
    """Give the groups of one column, or of two that are crossed."""
    columns = by.split(CROSSED)
    known = [_Column.of(name, trials, everything) for name in columns]
    values = [column.spoof for column in known]
    for combination in sorted(set(zip(*(v.tolist() for v in values), strict=True))):
        spoof, bonafide = everything.spoof, everything.bonafide
        spoof = spoof[_all_equal(values, combination)]
        shared = [c for c in known if c.shared]
        chosen = [value for c, value in zip(known, combination, strict=True) if c.shared]
        if shared:
            bonafide = bonafide[_all_equal([c.bonafide for c in shared], chosen)]
        yield Group(
            by=by,
            name=_name(combination),
            within=bool(shared),
            bonafide=bonafide,
            spoof=spoof,
            asv=_rates(asv, dict(zip(columns, combination, strict=True))),
            joint=_among(everything.joint, bonafide, spoof, len(trials)),
        )


def _name(values: Sequence[str]) -> str:
    """Join the values of crossed columns so that they can be parted again."""
    if len(values) == 1:
        return values[0]
    return CROSSED.join(value.replace(CROSSED, "x") for value in values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Column:
    """What the bona fide trials and the spoofs say in one column.

    It is ``shared`` if some bona fide trial says what a spoof says: a codec, not an attack.
    """

    bonafide: NDArray[np.str_]
    spoof: NDArray[np.str_]
    shared: bool

    @classmethod
    def of(cls, name: str, trials: Sequence[Trial], everything: Group) -> _Column:
        try:
            values = np.array([trial.column(name) for trial in trials], dtype=np.str_)
        except KeyError:
            raise InvalidProtocol(f"the trials have no column '{name}'") from None
        bonafide, spoof = values[everything.bonafide], values[everything.spoof]
        return cls(
            bonafide=bonafide,
            spoof=spoof,
            shared=not set(np.unique(bonafide)).isdisjoint(np.unique(spoof)),
        )


def _all_equal(values: Sequence[NDArray[np.str_]], wanted: Sequence[str]) -> NDArray[np.bool_]:
    equal = np.ones(values[0].size, dtype=bool)
    for column, value in zip(values, wanted, strict=True):
        equal &= column == value
    return equal


def _rates(asv: AsvScores | None, chosen: dict[str, str]) -> AsvRates | None:
    """Return the rates of the ASV system on such trials, None if it never met any.

    A condition that the ASV trials have too, such as a codec, is looked at by itself. Other columns
    leave the ASV system as it is.
    """
    for column, value in chosen.items():
        if asv is not None and column in asv.conditions:
            asv = asv.within(column, value)
    if asv is None:
        return None
    if "attack" not in chosen:
        return asv.rates()
    known = asv.attack is not None and chosen["attack"] in asv.attack
    return asv.rates(chosen["attack"]) if known else None


def _joint(trials: Sequence[Trial], asv: AsvScores) -> Joint | None:
    if asv.utterances is None:
        return None
    places = {trial.utterance: place for place, trial in enumerate(trials)}
    utterances = np.concatenate(asv.utterances)
    missing = [name for name in utterances.tolist() if name not in places]
    if missing:
        raise InvalidKeys(
            f"{len(missing):,} ASV trials are of utterances that the protocol does not judge, "
            f"such as {missing[0]}",
            hint="a joint metric needs both scores of each trial",
        )
    return Joint(
        kind=np.repeat(np.arange(3, dtype=np.int8), [part.size for part in asv.utterances]),
        asv=np.concatenate([asv.target, asv.nontarget, asv.spoof]),
        place=np.array([places[name] for name in utterances.tolist()], dtype=np.intp),
    )


def _among(joint: Joint | None, bonafide: Places, spoof: Places, trials: int) -> Joint | None:
    """Return the joint trials of these utterances."""
    if joint is None:
        return None
    chosen = np.zeros(trials, dtype=bool)
    chosen[bonafide] = chosen[spoof] = True
    among = chosen[joint.place]
    return Joint(kind=joint.kind[among], asv=joint.asv[among], place=joint.place[among])
