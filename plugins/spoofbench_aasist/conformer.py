"""AASIST with conformer blocks in place of its graph of frames: long range by self-attention.

The frames that the encoder leaves keep their order and are read by a conformer (Gulati et al.,
Interspeech 2020, https://arxiv.org/abs/2005.08100, as torchaudio has it); the graph of bands stays
what it is. Both are summed up and judged together. This arrangement is ours: nobody published a
number for it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.layers.graphs import GraphAttention, GraphPool
from spoofbench.torchaudio_import import torchaudio
from spoofbench_aasist.config import AASIST
from spoofbench_aasist.frontend import FrontEnd
from spoofbench_aasist.model import ResidualBlock

HEADS = 4
LAYERS = 2
KERNEL = 7
"""Frames that the convolution of a block spans: half a second."""
EXPANSION = 4


class AasistConformer(nn.Module):
    """Reads frames by a conformer and bands by a graph, for any input of 2,315 samples or more."""

    def __init__(self) -> None:
        super().__init__()
        self.config = AASIST
        deep = AASIST.widths[-1]
        self.frontend = FrontEnd(AASIST.filters, AASIST.taps, AASIST.rate)
        widths = (1, *AASIST.widths)
        self.encoder = nn.Sequential(*map(ResidualBlock, widths[:-1], widths[1:]))
        self.conformer = torchaudio().models.Conformer(
            input_dim=deep,
            num_heads=HEADS,
            ffn_dim=EXPANSION * deep,
            num_layers=LAYERS,
            depthwise_conv_kernel_size=KERNEL,
            dropout=AASIST.input_dropout,
            use_group_norm=True,  # a batch norm would mix the frames of all utterances
        )
        self.position = nn.Parameter(torch.randn(1, AASIST.bands, deep))
        self.attention = GraphAttention(deep, deep, AASIST.temperature, AASIST.input_dropout)
        self.pool = GraphPool(deep, AASIST.spectral_keep, AASIST.pool_dropout)
        self.dropout = nn.Dropout(AASIST.readout_dropout)
        self.width = 4 * deep
        self.head = nn.Linear(self.width, 2)

    def forward(self, audio: Tensor) -> Tensor:
        """Judge ``audio`` ``(batch, time)``: logits ``(batch, 2)`` of spoof and bona fide.

        Raises ValueError where ``audio`` is shorter than ``config.min_samples``.
        """
        return self.judge(self._summed_up(audio))

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Sum up ``audio`` ``(batch, time)`` in ``(batch, width)``."""
        del lengths  # An utterance fills its row.
        return self._summed_up(audio)

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of what is summed up, ``(batch, width)``."""
        with torch.autocast(embedded.device.type, enabled=False):
            logits: Tensor = self.head(self.dropout(embedded))
        return logits

    def _summed_up(self, audio: Tensor) -> Tensor:
        if audio.shape[1] < self.config.min_samples:
            raise ValueError(f"{audio.shape[1]:,} samples; it takes {self.config.min_samples:,}")
        encoded = self.encoder(self.frontend(audio))  # (batch, deep, frames, bands)
        with torch.autocast(audio.device.type, enabled=False):
            magnitude = encoded.to(self.head.weight).abs()
            frames = magnitude.amax(dim=3).mT  # (batch, frames, deep)
            count = torch.full((len(frames),), frames.shape[1], device=frames.device)
            frames, _ = self.conformer(frames, count)
            bands = magnitude.amax(dim=2).mT + self.position  # (batch, bands, deep)
            bands = self.pool(self.attention(bands))
            parts = [how for nodes in (frames, bands) for how in (nodes.amax(1), nodes.mean(1))]
            return torch.cat(parts, dim=1)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the difference of the logits of ``audio`` ``(batch, time)``: ``(batch,)``."""
        del lengths
        logits: Tensor = self(audio)
        return logits[:, 1] - logits[:, 0]

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return each utterance's cross entropy ``(batch,)``; ``bonafide`` is ``(batch,)`` bool."""
        del lengths
        return functional.cross_entropy(self(audio), bonafide.long(), reduction="none")
