"""How well a score separates two classes: operating points, the EER, accuracy at its threshold.

Scores are ``(bonafide,)`` and ``(spoof,)``, finite, in any order, higher = more bona fide. A trial
is rejected if its score is below the threshold: P_miss is the share of bona fide with ``score <
threshold``, P_fa the share of spoof with ``score >= threshold``. Trials that share a score cannot
be parted by a threshold: ties are merged.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from spoofbench.metrics.judged import Judged


class OperatingPoints(NamedTuple):
    """Thresholds, ascending, and the two error rates at each: all ``(points,)``."""

    threshold: NDArray[np.float64]
    miss: NDArray[np.float64]
    false_alarm: NDArray[np.float64]


class EerPoint(NamedTuple):
    """Where a score misses as often as it raises false alarms.

    ``eer`` is the mean of ``miss`` and ``false_alarm``. ``threshold`` is a score: rejecting what is
    below it comes closest to these rates, and gives them exactly if no tie is involved.
    ``highest_rejected`` is the highest score of a trial that is rejected at this point.
    """

    eer: float
    miss: float
    false_alarm: float
    threshold: float
    highest_rejected: float


def operating_points(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> OperatingPoints:
    """Return every operating point, from rejecting nothing (0, 1) to rejecting everything (1, 0).

    There is one threshold for each distinct score, and infinity.
    """
    thresholds = np.append(np.unique(np.concatenate([bonafide, spoof])), np.inf)
    return _points(np.sort(bonafide), np.sort(spoof), thresholds)


def corner_points(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> OperatingPoints:
    """Return the few operating points among which every weighing of the two rates has its best.

    Their thresholds are the bona fide scores, ``(bonafide,)``, and infinity. At any other threshold
    the lowest accepted trial is a spoof, and rejecting it lowers P_fa and leaves P_miss alone.
    """
    bonafide = np.sort(bonafide)
    return _points(bonafide, np.sort(spoof), np.append(bonafide, np.inf))


def _points(
    bonafide: NDArray[np.float64], spoof: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> OperatingPoints:
    """Return the rates at ``thresholds``; the scores must be sorted."""
    misses = bonafide.searchsorted(thresholds)
    false_alarms = spoof.size - spoof.searchsorted(thresholds)
    return OperatingPoints(thresholds, misses / bonafide.size, false_alarms / spoof.size)


def eer_point(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> EerPoint:
    """Return the equal error rate and where it is reached.

    As the threshold rises, P_miss - P_fa rises from -1 to 1. At one score it changes its sign; what
    counts is whether the trials that have this score, mostly a single one, are of one class.

    - If so, they are passed one by one. The point with the smallest difference counts, of two such
      points the lower one (unless rounding decides otherwise), and the EER is the mean of its two
      rates. This is the rule of the official ASVspoof scorers, and gives exactly what they give.
    - If not, the official value depends on the order in which tied trials happen to be sorted.
      Here both rates go along a straight line from one end of the tie to the other, as they do on
      average over all orders, and the EER is where they are equal. So a score that is the same for
      all trials has an EER of one half, where official scorers give 1.

    Another common definition takes the line in both cases. It differs by at most a quarter of a
    step, 1 / (4 * trials of the rarer class). That is enough to show in published digits: on 7,355
    bona fide it is 0.0034 percentage points. So the official rule is the default.

    Rank alone matters: an increasing transform of the scores leaves the EER as it is. So does
    exchanging the classes and the sign, except where two points are equally near: then the other
    one becomes the lower one, and the EER moves by half a step.

    Raises ValueError unless there are scores of both classes.
    """
    if bonafide.size == 0 or spoof.size == 0:
        raise ValueError("an EER needs scores of both classes")
    tie = _tie_at_crossing(np.sort(bonafide), np.sort(spoof))
    both_classes = tie.bonafide > 0 and tie.spoof > 0
    miss, false_alarm, accepted = _part_way(tie) if both_classes else _one_by_one(tie)
    return EerPoint(
        eer=(miss + false_alarm) / 2,
        miss=miss,
        false_alarm=false_alarm,
        threshold=tie.score if accepted >= 0.5 else tie.above,
        highest_rejected=tie.below if accepted == 1 else tie.score,
    )


class _Tie(NamedTuple):
    """The trials, all of one score, by which P_miss - P_fa changes its sign; often a single one.

    ``bonafide`` and ``spoof`` count those in the tie, ``missed`` and ``false_alarms`` the errors at
    the threshold ``above``, the next higher score, which rejects all of it. ``below`` is the next
    lower score. ``all_bonafide`` and ``all_spoof`` count the trials of the whole score file.
    """

    score: float
    below: float
    above: float
    bonafide: int
    spoof: int
    missed: int
    false_alarms: int
    all_bonafide: int
    all_spoof: int


def _tie_at_crossing(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> _Tie:
    """Find the tie by bisection, in integers and thus exactly; the scores must be sorted."""

    def excess(threshold: float) -> int:
        """Return (P_miss - P_fa) * bonafide * spoof, which rises with the threshold."""
        missed = int(bonafide.searchsorted(threshold))
        false_alarms = spoof.size - int(spoof.searchsorted(threshold))
        return missed * spoof.size - false_alarms * bonafide.size

    missed = bisect_left(range(bonafide.size), 0, key=lambda trial: excess(float(bonafide[trial])))
    rejected = bisect_left(range(spoof.size), 0, key=lambda trial: excess(float(spoof[trial])))
    score = _highest(bonafide[:missed], spoof[:rejected])
    lower_bonafide = int(bonafide.searchsorted(score))
    lower_spoof = int(spoof.searchsorted(score))
    return _Tie(
        score=score,
        below=_highest(bonafide[:lower_bonafide], spoof[:lower_spoof]),
        above=_lowest(bonafide[missed:], spoof[rejected:]),
        bonafide=missed - lower_bonafide,
        spoof=rejected - lower_spoof,
        missed=missed,
        false_alarms=spoof.size - rejected,
        all_bonafide=bonafide.size,
        all_spoof=spoof.size,
    )


def _highest(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> float:
    """Return the last of all these sorted scores, minus infinity if there are none."""
    return max((float(scores[-1]) for scores in (bonafide, spoof) if scores.size), default=-np.inf)


def _lowest(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> float:
    """Return the first of all these sorted scores, infinity if there are none."""
    return min((float(scores[0]) for scores in (bonafide, spoof) if scores.size), default=np.inf)


def _one_by_one(tie: _Tie) -> tuple[float, float, float]:
    """Return P_miss, P_fa and the accepted share of a tie of one class, at its best step."""
    accepted = np.arange(tie.bonafide + tie.spoof, -1, -1)
    misses = tie.missed - accepted * (tie.bonafide > 0)
    false_alarms = tie.false_alarms + accepted * (tie.spoof > 0)
    miss, false_alarm = misses / tie.all_bonafide, false_alarms / tie.all_spoof
    best = int(np.abs(miss - false_alarm).argmin())
    return float(miss[best]), float(false_alarm[best]), float(accepted[best] / accepted[0])


def _part_way(tie: _Tie) -> tuple[float, float, float]:
    """Return P_miss, P_fa and the accepted share of a tie of both classes, where they are equal."""
    excess = tie.missed * tie.all_spoof - tie.false_alarms * tie.all_bonafide
    change = tie.bonafide * tie.all_spoof + tie.spoof * tie.all_bonafide
    accepted = excess / change
    miss = (tie.missed - accepted * tie.bonafide) / tie.all_bonafide
    false_alarm = (tie.false_alarms + accepted * tie.spoof) / tie.all_spoof
    return miss, false_alarm, accepted


def eer(judged: Judged) -> float:
    """Return the equal error rate as a fraction; see `eer_point` for the definition."""
    return eer_point(judged.bonafide, judged.spoof).eer


def accuracy_at_eer(judged: Judged) -> float:
    """Return the share of all trials that are judged rightly at the threshold of the EER.

    Never a headline: it depends on the proportion of the classes. On ASVspoof 2019 LA eval, with
    63,882 spoofs among 71,237 trials, always answering "spoof" is right in 89.68 %. The threshold
    is taken from the very scores that are judged.
    """
    threshold = eer_point(judged.bonafide, judged.spoof).threshold
    right = np.count_nonzero(judged.bonafide >= threshold) + np.count_nonzero(
        judged.spoof < threshold
    )
    return float(right / (judged.bonafide.size + judged.spoof.size))
