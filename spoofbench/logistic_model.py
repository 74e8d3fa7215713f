"""A countermeasure of a few features and a logistic regression, which scikit-learn fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from spoofbench.errors import MissingExtra

_ROUNDS = 5000


class LogisticModel(nn.Module):
    """Scores are log-odds, linear in the standardised features of the whole utterance.

    ``measure`` turns a waveform ``(time,)`` into ``(count,)`` features. One that is not defined for
    an utterance, NaN, counts as the mean of the others. A `spoofbench.contracts.ClosedForm` model:
    it is fitted to all of the train protocol at once, both classes weighing the same.
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

    def features(self, audio: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the features ``(1, features)`` of each of ``audio`` ``(batch, time)``."""
        pairs = zip(audio.cpu().float(), lengths.tolist(), strict=True)
        return [self._measure(own[:length])[None] for own, length in pairs]

    def fit(self, features: Tensor, bonafide: Tensor) -> None:
        """Fit the regression to ``features`` ``(utterances, features)``.

        Raises `MissingExtra` without scikit-learn.
        """
        try:
            from sklearn.linear_model import LogisticRegression
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "this model is fitted by scikit-learn, which is not installed",
                hint="pip install 'spoofbench[audit]'",
            ) from error
        given = features.double()
        self.mean.copy_(given.nanmean(dim=0).nan_to_num())
        spread = (given - self.mean).square().nanmean(dim=0).sqrt().nan_to_num()
        self.scale.copy_(spread.clamp(min=1e-6))
        regression = LogisticRegression(class_weight="balanced", max_iter=_ROUNDS)
        regression.fit(self._standardised(given).numpy(), bonafide.numpy())
        self.weight.copy_(torch.from_numpy(np.asarray(regression.coef_[0])))
        self.bias.copy_(torch.from_numpy(np.asarray(regression.intercept_)))

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the log-odds of bona fide, ``(batch,)``."""
        given = torch.cat(self.features(audio, lengths)).to(self.mean)
        return self._standardised(given) @ self.weight + self.bias

    def _standardised(self, features: Tensor) -> Tensor:
        return ((features - self.mean) / self.scale).nan_to_num()
