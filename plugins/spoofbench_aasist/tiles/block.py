"""What all residual blocks have in common when they are computed in tiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional

from spoofbench_aasist import selu
from spoofbench_aasist.side_by_side import side_by_side
from spoofbench_aasist.tiles.filters import by_filters, laid_out, turned, values_of
from spoofbench_aasist.tiles.tile import Pooled, Tile, tiles_of


class Weights(NamedTuple):
    """What a block learns; the last two are those of a convolution in its shortcut, if any."""

    first: Tensor
    first_bias: Tensor
    norm: Tensor
    norm_bias: Tensor
    second: Tensor
    second_bias: Tensor
    shortcut: Tensor | None
    shortcut_bias: Tensor | None

    def zeros(self) -> Weights:
        """Return zeros for each, to add to."""
        none = (None if own is None else torch.zeros_like(own) for own in self)
        return Weights(*none)  # type: ignore[arg-type]


class Response(NamedTuple):
    """What the first convolution of a block gives, over the batch."""

    mean: Tensor
    """``(width_out,)``"""
    variance: Tensor
    """``(width_out,)``, that of a population"""
    kept: tuple[Tensor, ...]
    """What else is kept for the way back, if anything."""


class Moments(NamedTuple):
    """Mean and variance, or covariance, of so many ``frames``."""

    frames: int
    mean: Tensor
    """``(width,)``"""
    variance: Tensor
    """``(width,)`` or ``(width, width)``, that of a population"""


class OnTheWayBack(NamedTuple):
    """A tile on the way back through the second convolution and the pooling."""

    tile: Tile
    activated: Tensor
    """What the second convolution met: ``(1, width_out, frames, bands + 1)``"""
    grad: Tensor
    """The gradient of that"""
    spread: Tensor
    """The gradient of what it gave, with a frame more at either end: ``(1, width_out, ...)``"""

    def through_activation(self, into: Tensor) -> Tensor:
        """Write the gradient of what batch norm gave into ``into``, and return it."""
        grad = torch.ops.aten.elu_backward(
            self.grad, selu.ALPHA, selu.SCALE, 1, True, self.activated, grad_input=into
        )
        return cast(Tensor, grad)


class Block(ABC):
    """A block at work on ``features`` ``(batch, width_in, frames, bands)``."""

    def __init__(self, features: Tensor, weights: Weights, eps: float) -> None:
        self.features = features
        self.weights = weights
        self.eps = eps

    @abstractmethod
    def response(self) -> Response:
        """Take the first convolution's response to all of the batch."""

    @abstractmethod
    def activated(self, response: Response, tile: Tile) -> Tensor:
        """Return what the second convolution meets for ``tile`` and a frame at either end."""

    @abstractmethod
    def add_shortcut(self, tile: Tile, onto: Tensor) -> None:
        """Add what passes by both convolutions, without the bias of a third."""

    @abstractmethod
    def gradients(self, response: Response, pooled: Pooled) -> tuple[Tensor, Weights]:
        """Return the gradients of the features and of the weights, ``pooled`` being the output's.

        That of the first bias is zero: batch norm takes away what it adds.
        """

    def pooled(self, response: Response) -> Pooled:
        """Return the block's output."""
        features, weights = self.features, self.weights
        batch, _, frames, bands = features.shape
        second, bias = laid_out(weights.second, features), weights.second_bias
        if weights.shortcut_bias is not None:
            bias = bias + weights.shortcut_bias
        bias = bias.to(features)
        pooled = Pooled.room(features, batch, frames // 3, len(second), bands)

        def pool(tile: Tile) -> None:
            summed = functional.conv2d(self.activated(response, tile), second, bias)
            self.add_shortcut(tile, summed)
            pooled.put(tile, summed)

        self.for_all_tiles(pool)
        return pooled

    def back(self, tile: Tile, response: Response, pooled: Pooled, found: Weights) -> OnTheWayBack:
        """Return ``tile`` on the way back, and add to what is ``found`` of the weights passed."""
        weights = self.weights
        spread, activated = pooled.spread(tile), self.activated(response, tile)
        own = spread[:, :, 1:-1]
        found.second.add_(by_filters(weights.second, activated, own))
        found.second_bias.add_(values_of(own).sum(dim=0))
        if found.shortcut_bias is not None:
            found.shortcut_bias.copy_(found.second_bias)
        grad = functional.conv2d(spread, turned(weights.second, spread), padding=(0, 1))
        return OnTheWayBack(tile, activated[:, :, 1:-1], grad, spread)

    def for_all_tiles(self, work: Callable[[Tile], None]) -> None:
        """Call ``work`` for all tiles of all utterances; those of an utterance one by one."""

        def for_tiles(row: int) -> None:
            for tile in tiles_of(row, self.features):
                work(tile)  # what it needs in between is free again before the next needs it

        side_by_side(for_tiles, len(self.features))

    def gradients_of_all(self, work: Callable[[Tile, Weights], None]) -> Weights:
        """Call ``work`` for all tiles, to add to the gradients of weights; return their sum."""

        def for_tiles(row: int) -> Weights:
            found = self.weights.zeros()
            for tile in tiles_of(row, self.features):
                work(tile, found)
            return found

        return summed(side_by_side(for_tiles, len(self.features)))

    def moments_of_all(self, work: Callable[[Tile], Moments]) -> Moments:
        """Return the moments of all tiles, ``work`` returning those of one."""

        def for_tiles(row: int) -> Moments:
            return merged([work(tile) for tile in tiles_of(row, self.features)])

        return merged(side_by_side(for_tiles, len(self.features)))

    def silenced_selu_(self, normal: Tensor, tile: Tile) -> Tensor:
        """Activate ``normal``, with a frame at either end: none where there is no frame."""
        return tile.silenced(selu.selu_(normal), self.features.shape[2])


def merged(parts: Sequence[Moments]) -> Moments:
    """Return the moments of all frames, from those of parts of them."""
    means = torch.stack([part.mean for part in parts])
    spread = torch.stack([part.variance for part in parts])
    frames = torch.tensor([part.frames for part in parts], dtype=means.dtype)
    shares = frames / frames.sum()
    mean = shares @ means
    off = means - mean
    between = off.square() if spread.ndim == off.ndim else off[:, :, None] * off[:, None]
    variance = torch.tensordot(shares, spread + between, dims=1)
    return Moments(sum(part.frames for part in parts), mean, variance)


def summed(parts: Sequence[Weights]) -> Weights:
    """Return the sum of gradients that utterances gave, one after the other."""
    found = parts[0].zeros()
    for part in parts:
        for total, own in zip(found, part, strict=True):
            if total is not None and own is not None:
                total.add_(own)
    return found
