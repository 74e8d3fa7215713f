"""What a metric is given: scores by class, and the ASV system beside the countermeasure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spoofbench.metrics.detection import EerPoint, eer_point


class AsvRates(NamedTuple):
    """The error rates of an ASV system at its own threshold.

    ``miss``: share of targets rejected. ``false_alarm``: share of non-targets accepted.
    ``spoof_false_alarm``: share of spoofs accepted.
    """

    miss: float
    false_alarm: float
    spoof_false_alarm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TandemCosts:
    """The priors of the three kinds of trial, and what each error costs.

    ``c_miss``: rejecting a target. ``c_fa``: accepting a non-target. ``c_fa_spoof``: accepting a
    spoof. Raises ValueError unless the priors are in (0, 1) and sum to 1, and the costs positive.
    """

    p_spoof: float
    p_target: float
    p_nontarget: float
    c_miss: float
    c_fa: float
    c_fa_spoof: float

    def __post_init__(self) -> None:
        priors = (self.p_spoof, self.p_target, self.p_nontarget)
        if not (all(0 < prior < 1 for prior in priors) and abs(sum(priors) - 1) <= 1e-9):
            raise ValueError(
                f"the priors of spoof, target and non-target, {priors}, are not three numbers "
                "between 0 and 1 that sum to 1"
            )
        costs = (self.c_miss, self.c_fa, self.c_fa_spoof)
        if not all(0 < cost < math.inf for cost in costs):
            raise ValueError(f"the costs of miss, false alarm and spoof, {costs}, are not positive")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AsvScores:
    """The scores of a fixed ASV system, from the same partition as the trials that are judged.

    ``target`` ``(targets,)``, ``nontarget`` ``(nontargets,)``, ``spoof`` ``(spoofs,)``, and
    ``attack`` ``(spoofs,)``, which names the attack of each spoof. Raises ValueError unless the
    scores are finite and there are some of each kind.
    """

    target: NDArray[np.float64]
    nontarget: NDArray[np.float64]
    spoof: NDArray[np.float64]
    attack: NDArray[np.str_]
    _point: EerPoint = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _set(self, "target", _scores(self.target, "ASV scores of targets"))
        _set(self, "nontarget", _scores(self.nontarget, "ASV scores of non-targets"))
        _set(self, "spoof", _scores(self.spoof, "ASV scores of spoofs"))
        _set(self, "attack", np.asarray(self.attack, dtype=np.str_))
        if self.attack.shape != self.spoof.shape:
            raise ValueError(
                f"{self.spoof.size:,} ASV scores of spoofs need as many attacks, "
                f"but their shape is {self.attack.shape}"
            )
        _set(self, "_point", eer_point(self.target, self.nontarget))

    @property
    def threshold(self) -> float:
        """The threshold at this system's own EER, from targets and non-targets alone.

        As in the official scorers it is the highest score that is rejected at the EER. As a
        threshold it accepts that score, so the rates are a trial off those that the EER averages.
        """
        return self._point.highest_rejected

    def eer(self) -> float:
        """Return this system's EER between targets and non-targets, as a fraction."""
        return self._point.eer

    def rates(self, attack: str | None = None) -> AsvRates:
        """Return the rates at `threshold`, those of spoofs over all of them or over one ``attack``.

        Raises ValueError for an attack of which there are no ASV trials.
        """
        spoof = self.spoof if attack is None else self.spoof[self.attack == attack]
        if spoof.size == 0:
            known = ", ".join(np.unique(self.attack))
            raise ValueError(f"there are no ASV scores of attack {attack!r}, only of {known}")
        return AsvRates(
            miss=_share(self.target < self.threshold),
            false_alarm=_share(self.nontarget >= self.threshold),
            spoof_false_alarm=_share(spoof >= self.threshold),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What a metric judges: ``bonafide`` ``(bonafide,)`` and ``spoof`` ``(spoof,)`` scores.

    Higher = more bona fide. ``asv`` and ``costs`` are there where the protocol has an ASV system
    and the metric asked for it. Raises ValueError unless the scores are finite and of both classes.
    """

    bonafide: NDArray[np.float64]
    spoof: NDArray[np.float64]
    asv: AsvRates | None = None
    costs: TandemCosts | None = None

    def __post_init__(self) -> None:
        _set(self, "bonafide", _scores(self.bonafide, "scores of bona fide trials"))
        _set(self, "spoof", _scores(self.spoof, "scores of spoof trials"))


_set = object.__setattr__  # the one way to convert a field of a frozen dataclass


def _scores(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return ``values`` as ``(trials,)`` float64; raise ValueError unless finite and non-empty."""
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"the {what} must have one dimension, their shape is {scores.shape}")
    if scores.size == 0:
        raise ValueError(f"there are no {what}")
    unusable = np.count_nonzero(~np.isfinite(scores))
    if unusable:
        raise ValueError(f"{unusable:,} of {scores.size:,} {what} are not finite")
    return scores


def _share(which: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(which) / which.size)
