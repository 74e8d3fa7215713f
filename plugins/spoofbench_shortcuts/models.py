"""A countermeasure of a few features and a logistic regression, which scikit-learn fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from spoofbench.errors import MissingExtra
from spoofbench_shortcuts import features

_ROUNDS = 5000


class Shortcut(nn.Module):
    """Scores are log-odds, linear in the standardised features of the whole utterance.

    A `spoofbench.contracts.ClosedForm` model: it is fitted to all of the train protocol at once.
    """

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, measure: Callable[[Tensor], Tensor], count: int) -> None:
        super().__init__()
        self._measure = measure
        for name in ("mean", "weight"):
            self.register_buffer(name, torch.zeros(count, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(count, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(1, dtype=torch.float64))

    def features(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the features of ``audio`` ``(batch, time)``: ``(batch, features)``."""
        pairs = zip(audio.cpu().float(), lengths.tolist(), strict=True)
        return torch.stack([self._measure(own[:length]) for own, length in pairs])

    def fit(self, features: Tensor, bonafide: Tensor) -> None:
        """Fit the regression to ``features`` ``(utterances, features)``; classes weigh the same.

        Raises `MissingExtra` without scikit-learn.
        """
        try:
            from sklearn.linear_model import LogisticRegression
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "the shortcut models are fitted by scikit-learn, which is not installed",
                hint="pip install 'spoofbench[audit]'",
            ) from error
        given = features.double()
        self.mean.copy_(given.mean(dim=0))
        self.scale.copy_(given.std(dim=0, correction=0).clamp(min=1e-6))
        regression = LogisticRegression(class_weight="balanced", max_iter=_ROUNDS)
        regression.fit(((given - self.mean) / self.scale).numpy(), bonafide.numpy())
        self.weight.copy_(torch.from_numpy(np.asarray(regression.coef_[0])))
        self.bias.copy_(torch.from_numpy(np.asarray(regression.intercept_)))

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the log-odds of bona fide, ``(batch,)``."""
        given = self.features(audio, lengths).to(self.mean)
        return (given - self.mean) / self.scale @ self.weight + self.bias


def silence() -> Shortcut:
    """Return the model that hears only pauses."""
    return Shortcut(features.silence, 4)


def channel() -> Shortcut:
    """Return the model that hears only the statistics of the spectrum."""
    return Shortcut(features.channel, 3 * features.BANDS)


def duration() -> Shortcut:
    """Return the model that hears only the duration."""
    return Shortcut(features.duration, 2)


def loudness() -> Shortcut:
    """Return the model that hears only the level."""
    return Shortcut(features.loudness, 3)


def bandwidth() -> Shortcut:
    """Return the model that hears only where the band ends."""
    return Shortcut(features.bandwidth, 8)
