"""Two losses on the angle between an embedding and a learned direction."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.contracts import ObjectiveContext
from spoofbench.trials import Trial


class OcSoftmax(nn.Module):
    """Bona fide within a cone around one direction, and spoofs outside of a wider one.

    ``log(1 + exp(scale (bonafide_margin - cos)))`` for bona fide, and
    ``log(1 + exp(scale (cos - spoof_margin)))`` for spoofs. Source: Zhang, Jiang and Duan,
    "One-class learning towards synthetic voice spoofing detection", IEEE SPL 2021
    (https://arxiv.org/abs/2010.13995).
    """

    def __init__(self, context: ObjectiveContext) -> None:
        super().__init__()
        self.bonafide_margin, self.spoof_margin, self.scale = context.options
        self.direction = nn.Parameter(torch.randn(1, context.width))

    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Sequence[Trial]) -> Tensor:
        """Return the loss of each embedding, ``(batch,)``."""
        del trials
        cosine = self.score(embedded)
        lacking = torch.where(bonafide, self.bonafide_margin - cosine, cosine - self.spoof_margin)
        return functional.softplus(self.scale * lacking)

    def score(self, embedded: Tensor) -> Tensor:
        """Return the cosine of each embedding with the direction, ``(batch,)``."""
        return functional.cosine_similarity(embedded, self.direction)


class AmSoftmax(nn.Module):
    """A softmax over the cosines with two directions, the right one less a margin.

    Source: Wang et al., "Additive margin softmax for face verification", IEEE SPL 2018
    (https://arxiv.org/abs/1801.05599).
    """

    def __init__(self, context: ObjectiveContext) -> None:
        super().__init__()
        self.margin, self.scale = context.options
        self.directions = nn.Parameter(torch.randn(2, context.width))
        """Of spoof and bona fide."""

    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Sequence[Trial]) -> Tensor:
        """Return the cross entropy of each embedding under the margin, ``(batch,)``."""
        del trials
        right = functional.one_hot(bonafide.long(), 2)
        logits = self.scale * (self._cosines(embedded) - self.margin * right)
        return functional.cross_entropy(logits, bonafide.long(), reduction="none")

    def score(self, embedded: Tensor) -> Tensor:
        """Return the log-odds of bona fide without a margin, ``(batch,)``."""
        cosines = self._cosines(embedded)
        return self.scale * (cosines[:, 1] - cosines[:, 0])

    def _cosines(self, embedded: Tensor) -> Tensor:
        """Return the cosines with both directions, ``(batch, 2)``."""
        return functional.normalize(embedded) @ functional.normalize(self.directions).T
