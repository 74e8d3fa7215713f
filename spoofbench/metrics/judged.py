"""What a metric is given: scores by class, and the ASV system beside the countermeasure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spoofbench.metrics.detection import EerPoint, eer_point
from spoofbench.metrics.joint import NONTARGET, SPOOF, TARGET, JointOrder
from spoofbench.metrics.ranked import Ranked


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


ByKind = tuple[NDArray[np.str_], ...]
"""What is known of the targets ``(targets,)``, the non-targets, and the spoofs, in this order."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AsvScores:
    """The scores of a fixed ASV system, from the same partition as the trials that are judged.

    ``target`` ``(targets,)``, ``nontarget`` ``(nontargets,)``, ``spoof`` ``(spoofs,)``, and
    ``attack`` ``(spoofs,)``, which names the attack of each spoof, where that is known.
    ``conditions`` says in what condition each trial was (its codec, ...), ``utterances`` of which
    utterance it was. Raises ValueError unless the scores are finite and there are some of each
    kind.
    """

    target: NDArray[np.float64]
    nontarget: NDArray[np.float64]
    spoof: NDArray[np.float64]
    attack: NDArray[np.str_] | None = None
    conditions: Mapping[str, ByKind] = field(default_factory=dict)
    utterances: ByKind | None = None

    def __post_init__(self) -> None:
        _set(self, "target", _scores(self.target, "ASV scores of targets"))
        _set(self, "nontarget", _scores(self.nontarget, "ASV scores of non-targets"))
        _set(self, "spoof", _scores(self.spoof, "ASV scores of spoofs"))
        if self.attack is not None:
            _set(self, "attack", np.asarray(self.attack, dtype=np.str_))
            if self.attack.shape != self.spoof.shape:
                raise ValueError(
                    f"{self.spoof.size:,} ASV scores of spoofs need as many attacks, "
                    f"but their shape is {self.attack.shape}"
                )

    @cached_property
    def _point(self) -> EerPoint:
        return eer_point(self.target, self.nontarget)

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
        spoof = self.spoof
        if attack is not None:
            attacks = self.attack if self.attack is not None else np.array([], dtype=np.str_)
            spoof = spoof[attacks == attack] if attacks.size else spoof[:0]
            if spoof.size == 0:
                known = ", ".join(np.unique(attacks)) or "none that are named"
                raise ValueError(f"there are no ASV scores of attack {attack!r}, only of {known}")
        return AsvRates(
            miss=_share(self.target < self.threshold),
            false_alarm=_share(self.nontarget >= self.threshold),
            spoof_false_alarm=_share(spoof >= self.threshold),
        )

    def within(self, condition: str, value: str) -> AsvScores | None:
        """Return the ASV system in one condition alone, which has its own threshold there.

        None if one of the three kinds has no trial in it. Raises KeyError for a condition that is
        not known.
        """
        chosen = [known == value for known in self.conditions[condition]]
        if not all(which.any() for which in chosen):
            return None
        target, nontarget, spoof = chosen
        return AsvScores(
            target=self.target[target],
            nontarget=self.nontarget[nontarget],
            spoof=self.spoof[spoof],
            attack=None if self.attack is None else self.attack[spoof],
            conditions={name: _some(known, chosen) for name, known in self.conditions.items()},
            utterances=None if self.utterances is None else _some(self.utterances, chosen),
        )


def _some(known: ByKind, chosen: Sequence[NDArray[np.bool_]]) -> ByKind:
    return tuple(values[which] for values, which in zip(known, chosen, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionCosts:
    """The prior of spoofs and what the countermeasure's own errors cost, without an ASV system.

    ``c_miss``: rejecting a bona fide trial. ``c_fa``: accepting a spoof. ``threshold`` is where the
    countermeasure works; None stands for the Bayes threshold of these costs. Raises ValueError
    unless the prior is in (0, 1), the costs are positive and the threshold is finite.
    """

    p_spoof: float = 0.05
    c_miss: float = 1.0
    c_fa: float = 10.0
    threshold: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.p_spoof < 1:
            raise ValueError(f"the prior of spoofs, {self.p_spoof}, is not between 0 and 1")
        if not all(0 < cost < math.inf for cost in (self.c_miss, self.c_fa)):
            raise ValueError(
                f"the costs of miss and false alarm, ({self.c_miss}, {self.c_fa}), are not positive"
            )
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ValueError(f"the threshold, {self.threshold}, is not finite")

    @property
    def bayes_threshold(self) -> float:
        """The log-likelihood ratio above which accepting costs less than rejecting (natural log).

        At the costs of ASVspoof 5 track 1 it is -log(1.9) = -0.642.
        """
        return math.log(self.p_spoof * self.c_fa) - math.log((1 - self.p_spoof) * self.c_miss)

    @property
    def operating_threshold(self) -> float:
        """The stated threshold, else the Bayes threshold."""
        return self.bayes_threshold if self.threshold is None else self.threshold


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointScores:
    """Trials that both systems scored, as joint metrics need them; all arrays are ``(trials,)``.

    ``kind`` is 0 for a target, 1 for a non-target, 2 for a spoof. ``cm`` are the countermeasure's
    scores, ``asv`` those of the ASV system. ``weights`` says how often each trial counts. ``order``
    holds how the scores rank. Raises ValueError unless scores are finite, sizes equal, and there
    are trials of each kind.
    """

    kind: NDArray[np.int8]
    cm: NDArray[np.float64]
    asv: NDArray[np.float64]
    weights: NDArray[np.int64] | None = None
    order: JointOrder = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _set(self, "cm", _scores(self.cm, "countermeasure scores of joint trials"))
        _set(self, "asv", _scores(self.asv, "ASV scores of joint trials"))
        if not self.kind.shape == self.cm.shape == self.asv.shape:
            raise ValueError("joint trials need a kind, a countermeasure score and an ASV score")
        if not np.isin(self.kind, (TARGET, NONTARGET, SPOOF)).all():
            raise ValueError("the kind of a joint trial is 0 (target), 1 (non-target) or 2 (spoof)")
        _check_kinds(self.kind, self.weights)
        _set(self, "order", JointOrder(self.kind, self.cm, self.asv))

    def reweighted(self, weights: NDArray[np.int64]) -> JointScores:
        """Return the same trials, each counted as often as its integer weight says, ``(trials,)``.

        Raises ValueError if a kind has no weight left.
        """
        _check_kinds(self.kind, weights)
        again = copy(self)
        _set(again, "weights", weights)
        return again


def _check_kinds(kind: NDArray[np.int8], weights: NDArray[np.int64] | None) -> None:
    """Raise ValueError unless there are trials of each kind, by weight."""
    if weights is not None and weights.shape != kind.shape:
        raise ValueError(f"{kind.size:,} joint trials have {weights.size:,} weights")
    counts = np.bincount(kind, weights=weights, minlength=3)
    for number, name in ((TARGET, "target"), (NONTARGET, "non-target"), (SPOOF, "spoof")):
        if counts[number] == 0:
            raise ValueError(f"there are no {name} trials with both scores")


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What a metric judges: ``bonafide`` ``(bonafide,)`` and ``spoof`` ``(spoof,)`` scores.

    Higher = more bona fide. They are sorted on construction, ascending; ``ranked`` holds them with
    what follows from their order, and with the weights of a bootstrap. ``asv`` and ``costs`` are
    there where the protocol has an ASV system, ``joint`` where its trials are known one by one,
    each if the metric asked for it. Raises ValueError unless the scores are finite and of both
    classes.
    """

    bonafide: NDArray[np.float64]
    spoof: NDArray[np.float64]
    asv: AsvRates | None = None
    costs: TandemCosts | None = None
    detection: DetectionCosts = field(default_factory=DetectionCosts)
    joint: JointScores | None = None
    ranked: Ranked = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ranked = Ranked.of(
            _scores(self.bonafide, "scores of bona fide trials"),
            _scores(self.spoof, "scores of spoof trials"),
        )
        _set(self, "ranked", ranked)
        _set(self, "bonafide", ranked.bonafide)
        _set(self, "spoof", ranked.spoof)

    @cached_property
    def surprise(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What each sorted score costs as a log-likelihood ratio, in nats: bona fide, then spoof.

        It is log(1 + e^-s) for a bona fide trial and log(1 + e^s) for a spoof. It does not depend
        on weights, so that what is reweighted has it too once it is known.
        """
        return np.logaddexp(0, -self.bonafide), np.logaddexp(0, self.spoof)

    def reweighted(
        self,
        bonafide: NDArray[np.int64],
        spoof: NDArray[np.int64],
        joint: NDArray[np.int64] | None = None,
    ) -> Judged:
        """Return the same trials, each counted as often as its integer weight says.

        ``bonafide`` and ``spoof`` are in the order of the sorted scores, ``joint`` in that of the
        joint trials, which are gone if a kind of them has no weight left. Raises ValueError if a
        class has none.
        """
        if not bonafide.any() or not spoof.any():
            raise ValueError("a class has no trials")
        again = copy(self)
        _set(again, "ranked", self.ranked.reweighted(bonafide, spoof))
        if self.joint is not None and joint is not None:
            whole = np.bincount(self.joint.kind, weights=joint, minlength=3).all()
            _set(again, "joint", self.joint.reweighted(joint) if whole else None)
        return again

    def repeated(self) -> Judged:
        """Return the trials with those of weight 3 standing three times, those of weight 0 gone.

        For metrics that know nothing of weights: they give what a weighted metric gives.
        """
        return Judged(
            bonafide=np.repeat(self.bonafide, self.ranked.bonafide_weights),
            spoof=np.repeat(self.spoof, self.ranked.spoof_weights),
            asv=self.asv,
            costs=self.costs,
            detection=self.detection,
            joint=None if self.joint is None else _repeated(self.joint),
        )


def _repeated(joint: JointScores) -> JointScores:
    if joint.weights is None:
        return joint
    return JointScores(
        kind=np.repeat(joint.kind, joint.weights),
        cm=np.repeat(joint.cm, joint.weights),
        asv=np.repeat(joint.asv, joint.weights),
    )


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
