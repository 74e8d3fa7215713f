"""The order of trials that both systems scored: found once, whatever the weights."""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spoofbench.metrics.ranked import RankedTrials

TARGET, NONTARGET, SPOOF = 0, 1, 2
"""The kinds of a joint trial."""


class ByTarget(NamedTuple):
    """One score of all trials: targets against non-targets, and targets against spoofs."""

    nontarget: RankedTrials
    spoof: RankedTrials


class JointOrder:
    """How joint trials rank by each score, found when it is first asked for.

    Trials that are reweighted share it, so that a bootstrap sorts once. The arrays are
    ``(trials,)``, as in `JointScores`; they must not be changed afterwards.
    """

    def __init__(
        self, kind: NDArray[np.int8], cm: NDArray[np.float64], asv: NDArray[np.float64]
    ) -> None:
        self._kind = kind
        self._cm = cm
        self._asv = asv
        self._fused: dict[float, ByTarget] = {}

    @cached_property
    def cm(self) -> RankedTrials:
        """The countermeasure's scores: targets and non-targets together against spoofs."""
        return RankedTrials.of(self._cm, self._kind != SPOOF, self._kind == SPOOF)

    @cached_property
    def asv(self) -> RankedTrials:
        """The ASV scores: targets and non-targets together against spoofs."""
        return RankedTrials.of(self._asv, self._kind != SPOOF, self._kind == SPOOF)

    @cached_property
    def is_target(self) -> NDArray[np.bool_]:
        """Which of the targets and non-targets, in the order of their ASV scores, are targets."""
        return np.equal(self._kind[self.asv.bonafide], TARGET)

    @cached_property
    def after(self) -> NDArray[np.intp]:
        """The place after the last target or non-target that has the same score of the CM."""
        scores = self.cm.ranked.bonafide
        return scores.searchsorted(scores, side="right")

    def fused(self, spoof_share: float) -> ByTarget:
        """Return how trials rank by one score made of both; see `fuse`."""
        if spoof_share not in self._fused:
            scores = fuse(self._asv, self._cm, spoof_share)
            target = self._kind == TARGET
            self._fused[spoof_share] = ByTarget(
                nontarget=RankedTrials.of(scores, target, self._kind == NONTARGET),
                spoof=RankedTrials.of(scores, target, self._kind == SPOOF),
            )
        return self._fused[spoof_share]


def fuse(
    asv: NDArray[np.float64], cm: NDArray[np.float64], spoof_share: float
) -> NDArray[np.float64]:
    """Make one score of two log-likelihood ratios ``(trials,)``, natural logarithms.

    ``asv`` says target or non-target, ``cm`` bona fide or spoof. ``spoof_share``, in (0, 1), is the
    prior of spoofs among all that should be rejected. The result,
    -log((1 - spoof_share) e^-asv + spoof_share e^-cm), is the ratio of the likelihood of a target
    to that of a trial that should be rejected, if the two scores are independent. Source: M.
    Todisco et al., "Integrated Presentation Attack Detection and Automatic Speaker Verification:
    Common Features and Gaussian Back-end Fusion", Interspeech 2018; X. Wang et al., "Revisiting and
    Improving Scoring Fusion for Spoofing-aware Speaker Verification Using Compositional Data
    Analysis", Interspeech 2024.
    """
    both = np.logaddexp(math.log1p(-spoof_share) - asv, math.log(spoof_share) - cm)
    return np.negative(both)
