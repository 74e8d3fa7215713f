"""A logistic regression on what a recording channel leaves behind."""

from __future__ import annotations

from spoofbench.logistic_model import LogisticModel
from spoofbench_shortcuts import features


def silence() -> LogisticModel:
    """Return the model that hears only pauses."""
    return LogisticModel(features.silence, 4)


def channel() -> LogisticModel:
    """Return the model that hears only the statistics of the spectrum."""
    return LogisticModel(features.channel, 3 * features.BANDS)


def duration() -> LogisticModel:
    """Return the model that hears only the duration."""
    return LogisticModel(features.duration, 2)


def loudness() -> LogisticModel:
    """Return the model that hears only the level."""
    return LogisticModel(features.loudness, 3)


def bandwidth() -> LogisticModel:
    """Return the model that hears only where the band ends."""
    return LogisticModel(features.bandwidth, 8)
