"""The front end: fixed band-pass filters, rectified and pooled to a map of time by frequency."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

TILE = 2_048
"""Pooled frames computed at a time. The filters' response to them stays in a processor's cache."""


def sinc_bank(filters: int, taps: int, rate: int) -> Tensor:
    """Adjacent band-pass filters, evenly spaced on the mel scale: ``(filters, taps)``, float64.

    Each is the difference of two ideal low-pass filters under a Hamming window. The edges are
    ``filters + 1`` points from 0 Hz to ``rate / 2``, mel = 2595 log10(1 + Hz / 700).
    """
    top = 2595 * math.log10(1 + rate / 2 / 700)
    mel = torch.linspace(0, top, filters + 1, dtype=torch.float64)
    edges = 2 * 700 * (10 ** (mel / 2595) - 1) / rate  # (filters + 1,), 1 is half the rate
    time = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    low_pass = edges[:, None] * torch.sinc(edges[:, None] * time)  # (filters + 1, taps)
    window = torch.hamming_window(taps, periodic=False, dtype=torch.float64)
    return low_pass.diff(dim=0) * window


class FrontEnd(nn.Module):
    """Filter, take the magnitude, keep the largest of each 3 x 3 patch, normalise."""

    filters: Tensor

    def __init__(self, filters: int, taps: int, rate: int) -> None:
        super().__init__()
        # Pooling by three never reads the filters past the last full three: they are left out.
        bank = sinc_bank(filters, taps, rate)[: filters // 3 * 3, None]
        # The filters are fixed and follow from the configuration, so they are not saved.
        self.register_buffer("filters", bank.to(torch.get_default_dtype()), persistent=False)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, audio: Tensor) -> Tensor:
        """Turn ``audio`` ``(batch, time)`` into features ``(batch, 1, frames, bands)``."""
        overlap = self.filters.shape[-1] - 1
        frames = (audio.shape[1] - overlap) // 3
        tiles = []
        for start in range(0, frames, TILE):
            end = min(start + TILE, frames)
            tiles.append(self.pool(audio[:, 3 * start : 3 * end + overlap]))
        bands = torch.cat(tiles, dim=2).mT.contiguous()  # (batch, frames, bands)
        features = functional.selu(self.norm(bands.unsqueeze(1))).squeeze(1)
        # The one channel goes last in memory: the encoder takes its layout from these strides.
        return features.unsqueeze(-1).permute(0, 3, 1, 2)  # (batch, 1, frames, bands)

    def pool(self, audio: Tensor) -> Tensor:
        """Filter and pool ``audio`` ``(batch, time)``: ``(batch, bands, frames)``."""
        response = functional.conv1d(audio[:, None], self.filters)  # (batch, filters, time - 128)
        return functional.max_pool2d(response.abs(), 3)
