"""A base for augmentations whose natural form is the batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from spoofbench.contracts import Context


class Batched(ABC):
    """Does a trial as a batch of one: what is written once gives the same audio both ways."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` at ``level``; see `contracts.Augmentation`."""
        levels = torch.tensor([level], dtype=torch.float64)
        return self.apply_batch(audio[None], levels, [context])[0]

    @abstractmethod
    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)``; see `contracts.BatchAugmentation`."""
        ...
