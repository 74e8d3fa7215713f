"""The pretrained front ends, as torchaudio builds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.torchaudio_import import torchaudio


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A front end: how it is built, how many layers it has, and how wide they are."""

    build: Callable[[], nn.Module]
    layers: int
    width: int
    normalised: bool
    """It was trained on waveforms of zero mean and unit variance."""


def _torchaudio(name: str) -> Callable[[], nn.Module]:
    return lambda: cast(nn.Module, getattr(torchaudio().models, name)())


XLSR = Layout(build=_torchaudio("wav2vec2_xlsr_300m"), layers=24, width=1024, normalised=True)
BASE = Layout(build=_torchaudio("wav2vec2_base"), layers=12, width=768, normalised=False)
WAVLM = Layout(build=_torchaudio("wavlm_base"), layers=12, width=768, normalised=False)


class PretrainedFrontEnd(nn.Module):
    """A weighted mean of what the layers of a pretrained model give.

    Source of the mean: Yang et al., "SUPERB", Interspeech 2021 (https://arxiv.org/abs/2105.01051).
    """

    def __init__(self, layout: Layout, *, frozen: bool) -> None:
        super().__init__()
        self.normalised = layout.normalised
        self.frozen = frozen
        self.model = layout.build().requires_grad_(not frozen)
        self.mix = nn.Parameter(torch.zeros(layout.layers))

    def train(self, mode: bool = True) -> PretrainedFrontEnd:
        """Set the mode; a frozen model stays in evaluation."""
        super().train(mode)
        if self.frozen:
            self.model.eval()
        return self

    def forward(self, audio: Tensor) -> Tensor:
        """Turn ``audio`` ``(batch, time)`` into ``(batch, frames, width)``, a frame each 20 ms."""
        if self.normalised:
            audio = functional.layer_norm(audio, audio.shape[1:])
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            layers, _ = cast(Any, self.model).extract_features(audio)
        weights = torch.softmax(self.mix, dim=0)
        parts = [weight * layer for weight, layer in zip(weights, layers, strict=True)]
        return torch.stack(parts).sum(dim=0)
