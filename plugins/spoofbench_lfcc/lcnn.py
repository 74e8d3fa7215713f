"""A light CNN over LFCCs, with two recurrent layers over the frames that it leaves.

Source: Wang and Yamagishi, "A comparative study on recent neural spoofing countermeasures for
synthetic speech detection", Interspeech 2021 (https://arxiv.org/abs/2103.11326): LFCC-LCNN-LSTM-sum
with a sigmoid, which is the baseline LFCC-LCNN of ASVspoof 2021. There whole utterances are read;
here, as everywhere in this toolkit, crops of one length.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench_lfcc.coefficients import Lfcc

LFCC = Lfcc(window=320, hop=160, filters=20, emphasis=0.97, energy=True)
"""20 ms every 10 ms, up to 4 kHz."""
POOLED = 16
"""Frames, or coefficients, that the four poolings make one of."""
DEEP = 32 * (LFCC.width // POOLED)
DROPOUT = 0.7
MIN_SAMPLES = LFCC.window + (POOLED - 1) * LFCC.hop


class MaxFeature(nn.Module):
    """A convolution of which the larger of each two channels stays."""

    def __init__(self, width_in: int, width_out: int, kernel: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width_in, 2 * width_out, kernel, padding=kernel // 2)

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, width_in, frames, bins)`` to ``(batch, width_out, frames, bins)``."""
        one, other = self.convolution(features).chunk(2, dim=1)
        return torch.maximum(one, other)


class Recurrent(nn.Module):
    """An LSTM that reads the frames in both directions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cells = nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)

    def forward(self, frames: Tensor) -> Tensor:
        """``(batch, frames, width)`` to the same."""
        states: Tensor = self.cells(frames)[0]
        return states


class LfccLcnn(nn.Module):
    """LFCC, light CNN, two LSTMs with a shortcut, and the mean over time."""

    def __init__(self) -> None:
        super().__init__()

        def norm(width: int) -> nn.Module:
            return nn.BatchNorm2d(width, affine=False)

        self.convolutions = nn.Sequential(
            *(MaxFeature(1, 32, 5), nn.MaxPool2d(2)),
            *(MaxFeature(32, 32, 1), norm(32), MaxFeature(32, 48, 3), nn.MaxPool2d(2), norm(48)),
            *(MaxFeature(48, 48, 1), norm(48), MaxFeature(48, 64, 3), nn.MaxPool2d(2)),
            *(MaxFeature(64, 64, 1), norm(64), MaxFeature(64, 32, 3), norm(32)),
            *(MaxFeature(32, 32, 1), norm(32), MaxFeature(32, 32, 3), nn.MaxPool2d(2)),
            nn.Dropout(DROPOUT),
        )
        self.recurrent = nn.Sequential(Recurrent(DEEP), Recurrent(DEEP))
        self.width = DEEP
        self.head = nn.Linear(DEEP, 1)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the logit of bona fide of ``audio`` ``(batch, time)``: ``(batch,)``.

        Raises ValueError where ``audio`` is shorter than `MIN_SAMPLES`.
        """
        scores: Tensor = self.head(self.embed(audio, lengths)).squeeze(1)
        return scores

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Sum up ``audio`` ``(batch, time)`` in ``(batch, width)``, the mean over time."""
        del lengths  # An utterance fills its row.
        if audio.shape[1] < MIN_SAMPLES:
            raise ValueError(f"{audio.shape[1]:,} samples; this model needs {MIN_SAMPLES:,}")
        with torch.no_grad():
            cepstra = LFCC(audio)
        hidden = self.convolutions(cepstra[:, None])  # (batch, 32, frames, bins)
        frames = hidden.transpose(1, 2).flatten(2)  # (batch, frames, DEEP)
        summed: Tensor = (self.recurrent(frames) + frames).mean(dim=1)
        return summed

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of a mean over time ``(batch, width)``."""
        bonafide = self.head(embedded)
        return torch.cat([torch.zeros_like(bonafide), bonafide], dim=1)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return each utterance's cross entropy ``(batch,)``; ``bonafide`` is ``(batch,)`` bool."""
        scores = self.score(audio, lengths)
        return functional.binary_cross_entropy_with_logits(
            scores, bonafide.to(scores.dtype), reduction="none"
        )
