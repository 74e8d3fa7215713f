"""The front end: fixed band-pass filters, rectified and pooled to a map of time by frequency."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.layers.sinc import sinc_bank

TILE = 2_048
"""Pooled frames computed at a time. The filters' response to them stays in a processor's cache."""


class FrontEnd(nn.Module):
    """Filter, take the magnitude, keep the largest of each 3 x 3 patch, normalise."""

    filters: Tensor

    def __init__(self, filters: int, taps: int, rate: int, *, widest_mask: int = 0) -> None:
        super().__init__()
        self.width = filters
        self.widest_mask = widest_mask
        # Pooling by three never reads the filters past the last full three: they are left out.
        bank = sinc_bank(filters, taps, rate)[: filters // 3 * 3, None]
        # The filters are fixed and follow from the configuration, so they are not saved.
        self.register_buffer("filters", bank.to(torch.get_default_dtype()), persistent=False)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, audio: Tensor) -> Tensor:
        """Turn ``audio`` ``(batch, time)`` into features ``(batch, 1, frames, bands)``."""
        filters = self.masked() if self.training and self.widest_mask else self.filters
        overlap = filters.shape[-1] - 1
        frames = (audio.shape[1] - overlap) // 3
        tiles = []
        for start in range(0, frames, TILE):
            end = min(start + TILE, frames)
            tiles.append(self.pool(audio[:, 3 * start : 3 * end + overlap], filters))
        bands = torch.cat(tiles, dim=2).mT.contiguous()  # (batch, frames, bands)
        features = functional.selu(self.norm(bands.unsqueeze(1))).squeeze(1)
        # The one channel goes last in memory: the encoder takes its layout from these strides.
        return features.unsqueeze(-1).permute(0, 3, 1, 2)  # (batch, 1, frames, bands)

    def masked(self) -> Tensor:
        """Return the filters, adjacent ones of them silent: fewer than ``widest_mask``, drawn."""
        wide = int(torch.rand(()) * self.widest_mask)
        first = int(torch.randint(self.width - wide + 1, ()))
        filters = self.filters.clone()
        filters[first : first + wide] = 0
        return filters

    def pool(self, audio: Tensor, filters: Tensor) -> Tensor:
        """Filter and pool ``audio`` ``(batch, time)``: ``(batch, bands, frames)``.

        On a processor this is several times as fast as ``max_pool2d``.
        """
        response = functional.conv1d(audio[:, None], filters)  # (batch, filters, time - 128)
        batch, count, time = response.shape
        whole = response[:, :, : time // 3 * 3].abs()
        threes = whole.view(batch, count // 3, 3, time // 3, 3)
        return threes.amax(dim=2).amax(dim=3)
