"""How good scores are as log-likelihood ratios: Cllr, and how much of it calibration could save.

Source: N. Brummer, J. du Preez, "Application-Independent Evaluation of Speaker Detection", Computer
Speech and Language 20, 2006. The unit is the bit: 0 for perfect, 1 for a score that says nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spoofbench.metrics.judged import Judged
from spoofbench.metrics.ranked import Ranked


class Blocks(NamedTuple):
    """Trials of neighbouring scores that get one log-likelihood ratio: counts, ``(blocks,)``."""

    bonafide: NDArray[np.int64]
    spoof: NDArray[np.int64]


def cllr(judged: Judged) -> float:
    """Return the log-likelihood-ratio cost in bits; scores are read as natural logarithms.

    It is the mean over both classes of log2(1 + e^-s) for bona fide and log2(1 + e^s) for spoof.
    """
    ranked = judged.ranked
    bonafide, spoof = judged.surprise
    of_bonafide = np.sum(ranked.bonafide_weights * bonafide) / ranked.all_bonafide
    of_spoof = np.sum(ranked.spoof_weights * spoof) / ranked.all_spoof
    return float((of_bonafide + of_spoof) / (2 * math.log(2)))


def min_cllr(judged: Judged) -> float:
    """Return the least Cllr in bits that any increasing map of the scores could have.

    The map is found on the very trials that are judged, by pool adjacent violators, so rank alone
    matters. Cllr - min Cllr is what bad calibration costs.
    """
    own, others = judged.ranked.all_bonafide, judged.ranked.all_spoof
    bonafide, spoof = pool(judged.ranked)
    own_too, others_too = bonafide > 0, spoof > 0
    odds = (spoof[own_too] / others) / (bonafide[own_too] / own)
    inverse_odds = (bonafide[others_too] / own) / (spoof[others_too] / others)
    of_bonafide = np.sum(bonafide[own_too] * np.log1p(odds)) / own
    of_spoof = np.sum(spoof[others_too] * np.log1p(inverse_odds)) / others
    return float((of_bonafide + of_spoof) / (2 * math.log(2)))


def pool(ranked: Ranked) -> Blocks:
    """Pool adjacent violators: blocks of ascending scores whose share of bona fide rises."""
    from scipy.optimize import isotonic_regression

    bonafide, spoof = _runs(ranked)
    trials = bonafide + spoof
    blocks = isotonic_regression(bonafide / trials, weights=trials).blocks[:-1]
    return Blocks(np.add.reduceat(bonafide, blocks), np.add.reduceat(spoof, blocks))


def _runs(ranked: Ranked) -> Blocks:
    """Count, in ascending order, the spoofs before each bona fide score and the trials at it."""
    distinct = np.flatnonzero(ranked.first == np.arange(ranked.first.size))
    below = ranked.rejected.take(ranked.below[distinct])
    up_to = ranked.rejected.take(ranked.up_to[distinct])
    missed = np.append(ranked.missed.take(distinct), ranked.all_bonafide)
    bonafide = np.zeros(2 * distinct.size + 1, dtype=np.int64)
    spoof = np.zeros_like(bonafide)
    bonafide[1::2] = np.diff(missed)
    spoof[1::2] = up_to - below
    spoof[0::2] = np.append(below, ranked.all_spoof) - np.append(0, up_to)
    some = bonafide + spoof > 0
    return Blocks(bonafide[some], spoof[some])
