"""A logistic regression on prosody."""

from __future__ import annotations

from spoofbench.logistic_model import LogisticModel
from spoofbench_prosody.measures import NAMES, measures


def prosody() -> LogisticModel:
    """Return the model that hears melody, jitter, shimmer, harmonicity and the course of level."""
    return LogisticModel(measures, len(NAMES))
