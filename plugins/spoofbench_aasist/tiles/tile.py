"""Tiles of time, and the pooling of every three frames within them.

Features are ``(batch, width, frames, bands)``: time is the outer axis and channels come last in
memory, so that a tile is one piece of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

TILE = 576
"""Frames that are computed at a time: a multiple of the three that pooling makes one of."""


class Tile(NamedTuple):
    """Frames ``low`` to ``high`` of an utterance; ``low`` is a multiple of three."""

    row: int
    low: int
    high: int

    def of(self, features: Tensor, halo: int = 0) -> Tensor:
        """Return these frames of ``(batch, width, frames, bands)``, and ``halo`` at either end.

        There are zeros before the first frame and past the last.
        """
        low, high = self.low - halo, self.high + halo
        inside = features[self.row : self.row + 1, :, max(low, 0) : high]
        if inside.shape[2] == high - low:
            return inside
        padded = empty(features, 1, high - low, *features.shape[1::2]).zero_()
        padded[:, :, max(-low, 0) : max(-low, 0) + inside.shape[2]] = inside
        return padded

    def put(self, frames: Tensor, features: Tensor) -> None:
        """Write these frames into ``features``."""
        features[self.row : self.row + 1, :, self.low : self.high] = frames

    def silenced(self, frames: Tensor, count: int) -> Tensor:
        """Return ``frames``, with a halo of one, zero where it is none of the ``count`` frames."""
        if self.low == 0:
            frames[:, :, 0] = 0
        if self.high == count:
            frames[:, :, -1] = 0
        return frames


def tiles_of(row: int, features: Tensor) -> Iterator[Tile]:
    """Yield tiles that cover every frame of an utterance in ``features``, from first to last."""
    frames = features.shape[2]
    for low in range(0, frames, TILE):
        yield Tile(row, low, min(low + TILE, frames))


class Pooled(NamedTuple):
    """The largest of every three frames, or its gradient, and whether it was one of the last two.

    Of equal frames the first counts.
    """

    value: Tensor
    is_second: Tensor
    is_third: Tensor

    @classmethod
    def room(cls, like: Tensor, batch: int, frames: int, width: int, bands: int) -> Pooled:
        """Return room for what `put` pools."""
        value = empty(like, batch, frames, width, bands)
        return cls(value, *(torch.empty_like(value, dtype=torch.bool) for _ in range(2)))

    def put(self, tile: Tile, features: Tensor) -> None:
        """Pool ``features``, which are those of ``tile``."""
        own = Tile(tile.row, tile.low // 3, tile.high // 3)
        last = 3 * (own.high - own.low)
        one, two, three = (features[:, :, row:last:3] for row in range(3))
        larger, is_third = torch.maximum(one, two), own.of(self.is_third)
        torch.gt(three, larger, out=is_third)
        torch.maximum(larger, three, out=own.of(self.value))
        torch.gt(two, one, out=own.of(self.is_second)).logical_and_(~is_third)

    def spread(self, tile: Tile) -> Tensor:
        """Return a gradient as it was before pooling, for ``tile`` and a frame at either end."""
        own = Tile(tile.row, tile.low // 3, -(-tile.high // 3))
        value = own.of(self.value, 1)
        spread = empty(value, 1, 3 * value.shape[2], *value.shape[1::2])
        first, second, third = (spread[:, :, row::3] for row in range(3))
        torch.mul(value, own.of(self.is_third, 1), out=third)
        torch.mul(value, own.of(self.is_second, 1), out=second)
        torch.sub(value, third, out=first).sub_(second)
        return spread[:, :, 2 : 4 + tile.high - tile.low]


def empty(like: Tensor, batch: int, frames: int, width: int, bands: int) -> Tensor:
    """Return room for ``(batch, width, frames, bands)``: time outermost, channels last."""
    return like.new_empty(batch, frames, bands, width).permute(0, 3, 1, 2)
