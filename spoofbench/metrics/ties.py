"""Ties: how much of a score file is too coarse to rank its trials."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def distinct(scores: NDArray[np.float64]) -> int:
    """Count the different values among ``scores`` ``(trials,)``."""
    return int(np.unique(scores).size)


def tied_share(scores: NDArray[np.float64]) -> float:
    """Return the share of ``scores`` ``(trials,)`` that another trial has too.

    Raises ValueError for no scores at all.
    """
    if scores.size == 0:
        raise ValueError("the share of tied scores needs at least one score")
    _, trials = np.unique(scores, return_counts=True)
    return float(trials[trials > 1].sum() / scores.size)
