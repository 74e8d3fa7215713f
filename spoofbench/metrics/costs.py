"""Detection costs of the countermeasure by itself, and its errors at one threshold.

The costs are those of ASVspoof 5 track 1, whose evaluation plan defines them: the prior of spoofs
and the two costs are `DetectionCosts`. A trial is accepted if ``score >= threshold``.
"""

from __future__ import annotations

import numpy as np

from spoofbench.metrics.judged import DetectionCosts, Judged


def min_dcf(judged: Judged) -> float:
    """Return the least detection cost of all thresholds, over the better of accepting all or none.

    Rank alone matters; 1 is the cost of a score that says nothing.
    """
    points = judged.ranked.corners()
    of_miss, of_false_alarm = _weights(judged.detection)
    return float(np.min(of_miss * points.miss + of_false_alarm * points.false_alarm))


def act_dcf(judged: Judged) -> float:
    """Return the detection cost at the Bayes threshold, over the better of accepting all or none.

    Scores are read as log-likelihood ratios (natural logarithm). Above 1, deciding without the
    score would be cheaper.
    """
    miss, false_alarm = _rates_at(judged, judged.detection.bayes_threshold)
    of_miss, of_false_alarm = _weights(judged.detection)
    return of_miss * miss + of_false_alarm * false_alarm


def balanced_accuracy(judged: Judged) -> float:
    """Return the mean share of each class that is judged rightly at the operating threshold."""
    miss, false_alarm = _rates_at(judged, judged.detection.operating_threshold)
    return 1 - (miss + false_alarm) / 2


def miss_at_threshold(judged: Judged) -> float:
    """Return P_miss at the operating threshold."""
    return _rates_at(judged, judged.detection.operating_threshold)[0]


def false_alarm_at_threshold(judged: Judged) -> float:
    """Return P_fa at the operating threshold."""
    return _rates_at(judged, judged.detection.operating_threshold)[1]


def _weights(costs: DetectionCosts) -> tuple[float, float]:
    """Return what P_miss and P_fa cost, where the better of accepting all and none costs 1."""
    of_miss, of_false_alarm = costs.c_miss * (1 - costs.p_spoof), costs.c_fa * costs.p_spoof
    default = min(of_miss, of_false_alarm)
    return of_miss / default, of_false_alarm / default


def _rates_at(judged: Judged, threshold: float) -> tuple[float, float]:
    ranked = judged.ranked
    return (
        ranked.missed_at(threshold) / ranked.all_bonafide,
        ranked.false_alarms_at(threshold) / ranked.all_spoof,
    )
