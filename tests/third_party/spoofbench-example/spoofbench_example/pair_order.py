"""A metric: the area under the ROC curve, from ranks (Mann and Whitney, 1947)."""

import numpy as np
from scipy.stats import rankdata


def pair_order(judged):
    """Return the chance that a bona fide trial scores above a spoof; a tie counts one half."""
    bonafide, spoof = len(judged.bonafide), len(judged.spoof)
    ranks = rankdata(np.concatenate([judged.bonafide, judged.spoof]))  # ties share their mean rank
    above = ranks[:bonafide].sum() - bonafide * (bonafide + 1) / 2
    return float(above / (bonafide * spoof))
