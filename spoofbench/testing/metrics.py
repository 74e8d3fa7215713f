"""The contract of metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoofbench.contracts import Metric
from spoofbench.metrics.judged import AsvRates, DetectionCosts, Judged, TandemCosts
from spoofbench.specs import MetricSpec
from spoofbench.testing.clauses import Broken, Check, NotApplicable, state_untouched

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSubject:
    """A metric's spec, and the metric."""

    spec: MetricSpec
    metric: Metric

    def of(self, judged: Judged) -> float:
        """Compute the metric; raise `NotApplicable` where it needs each trial's ASV score."""
        if self.spec.needs_joint:
            raise NotApplicable("it needs the ASV score of each trial")
        return self.metric(judged)


def judged(apart: float) -> Judged:
    """Return scores whose classes are ``apart``, with an ASV system."""
    random = np.random.default_rng(0)
    return judged_of(random.normal(apart, 1, 60), random.normal(-apart, 1, 200))


def judged_of(bonafide: Scores, spoof: Scores) -> Judged:
    """Return these scores, with an ASV system and the costs of ASVspoof."""
    return Judged(
        bonafide=bonafide,
        spoof=spoof,
        detection=DetectionCosts(p_spoof=0.05, c_miss=1, c_fa=10, threshold=0.0),
        asv=AsvRates(miss=0.02, false_alarm=0.02, spoof_false_alarm=0.4),
        costs=TandemCosts(
            p_spoof=0.05, p_target=0.9405, p_nontarget=0.0095, c_miss=1, c_fa=10, c_fa_spoof=10
        ),
    )


def it_is_a_finite_float(subject: MetricSubject) -> None:
    """The metric is one finite number, a fraction or a cost and no percentage."""
    given = subject.of(judged(1.0))
    if not isinstance(given, float) or not math.isfinite(given):
        raise Broken("a finite float", repr(given), "Return float(...).")
    if subject.spec.percent and not 0 <= given <= 1:
        raise Broken("a fraction, as the spec says percent", f"{given}", "Do not multiply by 100.")


def better_separation_is_no_worse(subject: MetricSubject) -> None:
    """Classes that are farther apart are judged as better, in the direction of the spec."""
    poor, good = subject.of(judged(0.2)), subject.of(judged(3.0))
    better = good >= poor if subject.spec.higher_is_better else good <= poor
    if not better or good == poor:
        raise Broken(
            f"better than {poor:.4g} for classes far apart",
            f"{good:.4g}",
            "Is higher_is_better right? Is bona fide taken for spoof?",
        )


def scores_are_not_written_into(subject: MetricSubject) -> None:
    """The scores stay as they were, and so does the process."""
    given = judged(1.0)
    before = given.bonafide.copy(), given.spoof.copy()
    with state_untouched():
        subject.of(given)
    if not (np.array_equal(given.bonafide, before[0]) and np.array_equal(given.spoof, before[1])):
        raise Broken("the scores untouched", "changed ones", "Sort a copy.")


def ties_are_survived(subject: MetricSubject) -> None:
    """Scores that are all the same give a number, or a ValueError that says why not."""
    same = judged_of(np.full(60, 0.5), np.full(200, 0.5))
    try:
        given = subject.of(same)
    except ValueError:
        return
    if not math.isfinite(given):
        raise Broken("a number or a ValueError for ties", f"{given}", "Merge ties.")


CLAUSES: tuple[Check, ...] = (
    it_is_a_finite_float,
    better_separation_is_no_worse,
    scores_are_not_written_into,
    ties_are_survived,
)
