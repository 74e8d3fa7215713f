"""Metrics of both systems together, trial by trial: a-DCF and the concurrent t-EER."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spoofbench.metrics.joint import JointOrder
from spoofbench.metrics.judged import JointScores, Judged, TandemCosts
from spoofbench.metrics.ranked import Ranked, before


def a_dcf(judged: Judged) -> float:
    """Return the least a-DCF of the two scores fused into one; see `min_adcf` and `joint.fuse`.

    Both scores are read as log-likelihood ratios. The share of spoofs among the trials that should
    be rejected follows from the priors. Raises ValueError without joint trials, and without costs.
    """
    joint = _joint(judged)
    costs = judged.costs
    if costs is None:
        raise ValueError(
            "an a-DCF needs priors and costs: they come from the [tandem] table of a protocol"
        )
    order = joint.order.fused(costs.p_spoof / (costs.p_spoof + costs.p_nontarget))
    return _least_adcf(
        order.nontarget.weighted(joint.weights), order.spoof.weighted(joint.weights), costs
    )


def min_adcf(
    target: NDArray[np.float64],
    nontarget: NDArray[np.float64],
    spoof: NDArray[np.float64],
    costs: TandemCosts,
) -> float:
    """Return the least a-DCF of one score that should accept targets and reject the rest.

    The scores are ``(targets,)``, ``(nontargets,)`` and ``(spoofs,)``, on any scale. The cost is
    over the better of accepting and rejecting all. Source: H.-j. Shim et al., "a-DCF: an
    architecture agnostic metric with application to spoofing-robust speaker verification", Odyssey
    2024. Raises ValueError unless there are trials of each kind.
    """
    if not (target.size and nontarget.size and spoof.size):
        raise ValueError("an a-DCF needs scores of targets, non-targets and spoofs")
    return _least_adcf(Ranked.of(target, nontarget), Ranked.of(target, spoof), costs)


def _least_adcf(nontarget: Ranked, spoof: Ranked, costs: TandemCosts) -> float:
    """Return the least cost; both rank the same targets, so their thresholds are the same."""
    points = nontarget.corners()
    of_miss = costs.c_miss * costs.p_target
    of_nontarget, of_spoof = costs.c_fa * costs.p_nontarget, costs.c_fa_spoof * costs.p_spoof
    cost = (
        of_miss * points.miss
        + of_nontarget * points.false_alarm
        + of_spoof * spoof.corners().false_alarm
    )
    return float(np.min(cost) / min(of_miss, of_nontarget + of_spoof))


def t_eer(judged: Judged) -> float:
    """Return the concurrent t-EER: the rate at which three errors of the two systems are equal.

    A trial is accepted if both systems accept it, each at its own threshold. The errors are
    rejected targets, accepted non-targets and accepted spoofs:

    - miss = P_miss_cm + (1 - P_miss_cm) P_miss_asv
    - false_alarm = (1 - P_miss_cm) P_fa_asv
    - spoof_false_alarm = P_fa_cm P_fa_spoof_asv

    P_miss_cm is counted over targets and non-targets, and each product takes the two systems'
    decisions to be independent within a class. For a threshold of the ASV system, the first two are
    equal where P_miss_cm is (P_fa_asv - P_miss_asv) / (1 - P_miss_asv + P_fa_asv). P_fa_cm at that
    rate is read off the countermeasure's ROC curve: between two of its points as if the trials that
    share the score between them were parted at random. Of all thresholds of the ASV system the one
    counts at which the larger of false_alarm and spoof_false_alarm is least. It is returned.

    So where the three errors can be made equal, they are, but for a step of one trial. Where no
    thresholds make them equal (the countermeasure has no errors, say), it is the nearest that can
    be done. Source: T. Kinnunen et al., "t-EER: Parameter-Free Tandem Evaluation of Countermeasures
    and Biometric Comparators", IEEE TPAMI 2023. Raises ValueError without joint trials.
    """
    joint = _joint(judged)
    order = joint.order
    asv, cm = order.asv.weighted(joint.weights), order.cm.weighted(joint.weights)
    path = _path(asv, order.is_target)
    every = np.arange(path.false_alarm.size)
    # The larger error is what counts, and one of them is cheap to know for all thresholds: few of
    # them can be better than the best of a sample.
    bound = float(_larger_errors(every[::_STEP], path, asv, cm, order).min())
    hopeful = np.flatnonzero(path.false_alarm <= bound)
    return float(_larger_errors(hopeful, path, asv, cm, order).min())


_STEP = 64


class _Path(NamedTuple):
    """Where misses equal false alarms, for each usable threshold of the ASV system.

    The thresholds are the scores of targets and non-targets, ascending: just above a spoof's score,
    a threshold rejects that spoof and leaves the other rates alone. ``excess / parts`` is the share
    of bona fide trials that the countermeasure misses, in integers; ``false_alarm`` are both rates.
    """

    excess: NDArray[np.int64]
    parts: NDArray[np.int64]
    false_alarm: NDArray[np.float64]


def _path(asv: Ranked, is_target: NDArray[np.bool_]) -> _Path:
    """Return the path; it ends where the ASV system alone has more misses than false alarms."""
    targets = before(asv.bonafide_weights * is_target)
    all_targets = int(targets[-1])
    all_nontargets = asv.all_bonafide - all_targets
    missed = targets.take(asv.first)
    accepted = all_nontargets - (asv.missed.take(asv.first) - missed)
    excess = accepted * all_targets - missed * all_nontargets
    usable = int(np.count_nonzero(excess >= 0))  # it falls as the threshold rises
    parts = excess[:usable] + all_targets * all_nontargets
    return _Path(excess[:usable], parts, accepted[:usable] * all_targets / parts)


def _larger_errors(
    places: NDArray[np.intp], path: _Path, asv: Ranked, cm: Ranked, order: JointOrder
) -> NDArray[np.float64]:
    """Return the larger of false alarm and spoof false alarm at some places of the path."""
    missed = cm.all_bonafide * path.excess[places]
    by_cm = _false_alarms(cm, order, missed, path.parts[places]) / cm.all_spoof
    by_asv = (asv.all_spoof - asv.rejected.take(asv.below[places])) / asv.all_spoof
    return np.asarray(np.maximum(path.false_alarm[places], by_cm * by_asv), dtype=np.float64)


def _false_alarms(
    cm: Ranked, order: JointOrder, missed: NDArray[np.int64], parts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Count the spoofs that are accepted where ``missed / parts`` bona fide trials are missed.

    In integers, so that a whole number of missed trials is taken for what it is. There the lowest
    count is returned, in a tie of both classes the one on the straight line through the tie.
    """
    whole, rest = np.divmod(missed, parts)
    trial = cm.missed.searchsorted(whole, side="right") - 1
    start, end = cm.missed.take(cm.first[trial]), cm.missed.take(order.after[trial])
    upper, lower = cm.rejected.take(cm.below[trial]), cm.rejected.take(cm.up_to[trial])
    passed = (whole - start + rest / parts) / (end - start)
    return np.asarray(cm.all_spoof - upper - passed * (lower - upper), dtype=np.float64)


def _joint(judged: Judged) -> JointScores:
    if judged.joint is None:
        raise ValueError("a joint metric needs the ASV score of each trial beside the CM's score")
    return judged.joint
