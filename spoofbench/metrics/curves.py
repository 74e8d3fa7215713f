"""What the ROC curve as a whole says: the area under it, and the EER on its convex hull."""

from __future__ import annotations

import numpy as np

from spoofbench.metrics.judged import Judged
from spoofbench.metrics.ranked import Ranked


def auc(judged: Judged) -> float:
    """Return the area under the ROC curve; a tie of both classes counts half.

    It is the share of all pairs of a bona fide trial and a spoof in which the bona fide trial
    scores higher: the statistic U of Mann and Whitney over the number of pairs.
    """
    ranked = judged.ranked
    below_and_up_to = ranked.rejected.take(ranked.below) + ranked.rejected.take(ranked.up_to)
    twice = int(np.sum(ranked.bonafide_weights * below_and_up_to))
    return twice / (2 * ranked.all_bonafide * ranked.all_spoof)


def eer_hull(judged: Judged) -> float:
    """Return the EER on the convex hull of the ROC curve, as a fraction; see `hull_eer_of`."""
    return hull_eer_of(judged.ranked)


def hull_eer_of(ranked: Ranked) -> float:
    """Return where the lower convex hull of (P_miss, P_fa) meets P_miss = P_fa.

    A point on an edge of the hull is reached by deciding at random between the thresholds of its
    two ends. It is also the EER after calibration by pool adjacent violators. It is never above
    one half, not even for scores of the wrong sign. Source: N. Brummer, J. du Preez,
    "Application-Independent Evaluation of Speaker Detection", Computer Speech and Language 20,
    2006; N. Brummer, "Measuring, Refining and Calibrating Speaker and Language Information
    Extracted from Speech", PhD thesis, Stellenbosch 2010.
    """
    own, others = ranked.all_bonafide, ranked.all_spoof
    missed = np.append(ranked.missed.take(ranked.first), own)
    false_alarms = others - np.append(ranked.rejected.take(ranked.below), others)
    left, right = 0, missed.size - 1  # P_fa >= P_miss at the former, P_fa < P_miss at the latter
    while True:
        per_miss = int(false_alarms[left] - false_alarms[right])
        per_false_alarm = int(missed[right] - missed[left])
        height = per_miss * missed + per_false_alarm * false_alarms
        lowest = int(height.argmin())
        if height[lowest] == height[left]:
            return int(height[left]) / (per_miss * own + per_false_alarm * others)
        if int(false_alarms[lowest]) * own >= int(missed[lowest]) * others:
            left = lowest
        else:
            right = lowest
