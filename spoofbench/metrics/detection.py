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

from spoofbench.metrics.ranked import OperatingPoints, Ranked

if TYPE_CHECKING:
    from spoofbench.metrics.judged import Judged


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
    """Return every operating point of these scores; see `Ranked.points`."""
    return Ranked.of(bonafide, spoof).points()


def corner_points(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> OperatingPoints:
    """Return the operating points that can be the best for some cost; see `Ranked.corners`."""
    return Ranked.of(bonafide, spoof).corners()


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
    return eer_point_of(Ranked.of(bonafide, spoof))


def eer_point_of(ranked: Ranked) -> EerPoint:
    """Return the equal error rate of ranked scores, weights included; see `eer_point`."""
    if ranked.all_bonafide == 0 or ranked.all_spoof == 0:
        raise ValueError("an EER needs scores of both classes")
    tie = _tie_at_crossing(ranked)
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


def _tie_at_crossing(ranked: Ranked) -> _Tie:
    """Find the tie by bisection, in integers and thus exactly."""
    bonafide, spoof = ranked.bonafide, ranked.spoof
    all_bonafide, all_spoof = ranked.all_bonafide, ranked.all_spoof

    def excess(own: int, other: int) -> int:
        """Return (P_miss - P_fa) * bonafide * spoof if what is before these places is rejected.

        It rises with the threshold.
        """
        missed, rejected = int(ranked.missed[own]), int(ranked.rejected[other])
        return missed * all_spoof - (all_spoof - rejected) * all_bonafide

    own = bisect_left(
        range(bonafide.size), 0, key=lambda i: excess(int(ranked.first[i]), int(ranked.below[i]))
    )
    # At the spoofs from here on the sign has not changed yet, at those from there on it has.
    here = int(ranked.up_to[own - 1]) if own else 0
    there = int(ranked.below[own]) if own < bonafide.size else spoof.size
    other = bisect_left(
        range(spoof.size),
        0,
        here,
        there,
        key=lambda i: excess(own, int(spoof.searchsorted(spoof[i]))),
    )
    score = _highest(bonafide[:own], spoof[:other])
    lower_own = int(bonafide.searchsorted(score))
    lower_other = int(spoof.searchsorted(score))
    missed, rejected = int(ranked.missed[own]), int(ranked.rejected[other])
    return _Tie(
        score=score,
        below=_highest(bonafide[:lower_own], spoof[:lower_other]),
        above=_lowest(bonafide[own:], spoof[other:]),
        bonafide=missed - int(ranked.missed[lower_own]),
        spoof=rejected - int(ranked.rejected[lower_other]),
        missed=missed,
        false_alarms=all_spoof - rejected,
        all_bonafide=all_bonafide,
        all_spoof=all_spoof,
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
    return eer_point_of(judged.ranked).eer


def accuracy_at_eer(judged: Judged) -> float:
    """Return the share of all trials that are judged rightly at the threshold of the EER.

    Never a headline: it depends on the proportion of the classes. On ASVspoof 2019 LA eval, with
    63,882 spoofs among 71,237 trials, always answering "spoof" is right in 89.68 %. The threshold
    is taken from the very scores that are judged.
    """
    ranked = judged.ranked
    threshold = eer_point_of(ranked).threshold
    wrong = ranked.missed_at(threshold) + ranked.false_alarms_at(threshold)
    return 1 - wrong / (ranked.all_bonafide + ranked.all_spoof)
