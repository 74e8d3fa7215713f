"""Scores of two classes, sorted once: everything that depends on their order alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


class OperatingPoints(NamedTuple):
    """Thresholds, ascending, and the two error rates at each: all ``(points,)``."""

    threshold: NDArray[np.float64]
    miss: NDArray[np.float64]
    false_alarm: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """Scores in ascending order, and how often each trial counts.

    ``bonafide`` ``(bonafide,)`` and ``spoof`` ``(spoof,)`` are the scores. ``missed``
    ``(bonafide + 1,)`` counts the bona fide trials before each place, ``rejected`` ``(spoof + 1,)``
    the spoofs; where trials are weighted, as in a bootstrap, a trial of weight 3 counts as three.
    ``first`` ``(bonafide,)`` is the place of the first bona fide trial with the same score.
    ``below`` and ``up_to`` ``(bonafide,)`` are the places among the spoofs that each bona fide
    score has: how many spoofs score less, and how many not more.
    """

    bonafide: NDArray[np.float64]
    spoof: NDArray[np.float64]
    missed: NDArray[np.int64]
    rejected: NDArray[np.int64]
    first: NDArray[np.intp]
    below: NDArray[np.intp]
    up_to: NDArray[np.intp]

    @classmethod
    def of(cls, bonafide: ArrayLike, spoof: ArrayLike) -> Self:
        """Sort the scores; every trial counts once."""
        own = np.sort(np.asarray(bonafide, dtype=np.float64))
        others = np.sort(np.asarray(spoof, dtype=np.float64))
        return cls(
            bonafide=own,
            spoof=others,
            missed=np.arange(own.size + 1),
            rejected=np.arange(others.size + 1),
            first=own.searchsorted(own),
            below=others.searchsorted(own),
            up_to=others.searchsorted(own, side="right"),
        )

    def reweighted(self, bonafide: NDArray[np.int64], spoof: NDArray[np.int64]) -> Ranked:
        """Return the same scores with these integer weights, ``(bonafide,)`` and ``(spoof,)``.

        They are in the order of the sorted scores.
        """
        return Ranked(
            bonafide=self.bonafide,
            spoof=self.spoof,
            missed=before(bonafide),
            rejected=before(spoof),
            first=self.first,
            below=self.below,
            up_to=self.up_to,
        )

    @cached_property
    def all_bonafide(self) -> int:
        """How many bona fide trials there are, by weight."""
        return int(self.missed[-1])

    @cached_property
    def all_spoof(self) -> int:
        """How many spoofs there are, by weight."""
        return int(self.rejected[-1])

    @property
    def bonafide_weights(self) -> NDArray[np.int64]:
        """How often each bona fide trial counts, ``(bonafide,)``."""
        return np.diff(self.missed)

    @property
    def spoof_weights(self) -> NDArray[np.int64]:
        """How often each spoof counts, ``(spoof,)``."""
        return np.diff(self.rejected)

    def missed_at(self, threshold: float) -> int:
        """Count the bona fide trials that score less than ``threshold``."""
        return int(self.missed[self.bonafide.searchsorted(threshold)])

    def false_alarms_at(self, threshold: float) -> int:
        """Count the spoofs that score ``threshold`` or more."""
        return self.all_spoof - int(self.rejected[self.spoof.searchsorted(threshold)])

    def corners(self) -> OperatingPoints:
        """Return the few operating points among which every weighing of the two rates has its best.

        Their thresholds are the bona fide scores, ``(bonafide,)``, and infinity. At any other
        threshold the lowest accepted trial is a spoof, and rejecting it lowers P_fa and leaves
        P_miss alone.
        """
        return self._corners

    @cached_property
    def _corners(self) -> OperatingPoints:
        missed = np.append(self.missed.take(self.first), self.all_bonafide)
        rejected = np.append(self.rejected.take(self.below), self.all_spoof)
        return OperatingPoints(
            threshold=np.append(self.bonafide, np.inf),
            miss=missed / self.all_bonafide,
            false_alarm=(self.all_spoof - rejected) / self.all_spoof,
        )

    def points(self) -> OperatingPoints:
        """Return every operating point, from rejecting nothing (0, 1) to rejecting all (1, 0).

        There is one threshold for each distinct score, and infinity.
        """
        thresholds = np.append(np.unique(np.concatenate([self.bonafide, self.spoof])), np.inf)
        missed = self.missed.take(self.bonafide.searchsorted(thresholds))
        rejected = self.rejected.take(self.spoof.searchsorted(thresholds))
        return OperatingPoints(
            threshold=thresholds,
            miss=missed / self.all_bonafide,
            false_alarm=(self.all_spoof - rejected) / self.all_spoof,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankedTrials:
    """Trials of two classes ranked by a score, and which trial each of the sorted scores is of.

    ``bonafide`` ``(bonafide,)`` and ``spoof`` ``(spoof,)`` are places among all trials, in the
    order of the scores in ``ranked``.
    """

    ranked: Ranked
    bonafide: NDArray[np.intp]
    spoof: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        scores: NDArray[np.float64],
        bonafide: NDArray[np.bool_],
        spoof: NDArray[np.bool_],
    ) -> Self:
        """Rank ``scores`` ``(trials,)``; the other two say which trials are of which class."""
        own, others = _sorted(scores, bonafide), _sorted(scores, spoof)
        return cls(ranked=Ranked.of(scores[own], scores[others]), bonafide=own, spoof=others)

    def weighted(self, weights: NDArray[np.int64] | None) -> Ranked:
        """Return the ranked scores; ``weights`` ``(trials,)`` say how often each trial counts."""
        if weights is None:
            return self.ranked
        return self.ranked.reweighted(weights.take(self.bonafide), weights.take(self.spoof))


def _sorted(scores: NDArray[np.float64], which: NDArray[np.bool_]) -> NDArray[np.intp]:
    places = np.flatnonzero(which)
    return places[np.argsort(scores[places], kind="stable")]


def before(weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many there are before each place, and in all: ``(places + 1,)``."""
    counts = np.zeros(weights.size + 1, dtype=np.int64)
    np.cumsum(weights, out=counts[1:])
    return counts
