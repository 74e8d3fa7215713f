"""Late fusion: members that are trained side by side, and a weighted sum of their scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.contracts import Trainable
from spoofbench.plugins import catalogue, instantiate

MEMBERS = ("aasist-l", "lfcc-lcnn")
"""One that reads the waveform, and one that reads cepstra: their errors differ most."""


class LateFusion(nn.Module):
    """Scores are ``bias + sum(weight * score of a member)``.

    Each member learns from its own loss. The weights learn from the members' scores, and do not
    reach into the members: fusion stays late. They see train scores, which are better than those
    of anything else; ``spoofbench fuse`` fits weights on dev instead.
    """

    def __init__(self, members: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleDict(members)
        self.weight = nn.Parameter(torch.full((len(members),), 1 / len(members)))
        self.bias = nn.Parameter(torch.zeros(()))

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the fused score of ``audio`` ``(batch, time)``: ``(batch,)``."""
        return self._each(audio, lengths) @ self.weight + self.bias

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return each utterance's losses, the members' and the fusion's, added up: ``(batch,)``."""
        with torch.no_grad():
            scores = self._each(audio, lengths)
        fused = scores @ self.weight + self.bias
        own = [member.loss(audio, lengths, bonafide) for member in self._members()]
        target = bonafide.to(fused.dtype)
        return sum(
            own, functional.binary_cross_entropy_with_logits(fused, target, reduction="none")
        )

    def _each(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return torch.stack([member.score(audio, lengths) for member in self._members()], dim=1)

    def _members(self) -> list[Trainable]:
        return [cast(Trainable, member) for member in self.members.values()]


def late_fusion() -> LateFusion:
    """Return the fusion of `MEMBERS`, whichever installed plugins offer them."""
    models = catalogue().models
    return LateFusion({name: instantiate(models.get(name), "model") for name in MEMBERS})
