"""A block of many channels: what its first convolution gives is kept.

The gradient of features is a convolution with the turned filters, on tiles with a halo, so that no
two tiles write the same frame.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from spoofbench_aasist.tiles.block import Block, Moments, Response, Weights
from spoofbench_aasist.tiles.filters import by_filters, laid_out, turned
from spoofbench_aasist.tiles.tile import Pooled, Tile, empty


class _ThroughNorm(NamedTuple):
    """``scale * grad + slope * (response - mean) + shift``, each ``(width_out,)``."""

    scale: Tensor
    slope: Tensor
    shift: Tensor


class ManyChannels(Block):
    """See `Block`. Of the response all is kept: ``(batch, width_out, frames, bands + 1)``."""

    def response(self) -> Response:
        """Take the first convolution's response and its moments."""
        features, weights = self.features, self.weights
        batch, _, frames, bands = features.shape
        first, bias = laid_out(weights.first, features), weights.first_bias.to(features)
        kept = empty(features, batch, frames, len(first), bands + 1)

        def respond(tile: Tile) -> Moments:
            response = functional.conv2d(tile.of(features, 1), first, bias, padding=(0, 1))
            tile.put(response, kept)
            exact = response.to(weights.norm)  # sums are too long for half precision
            moments = torch.ops.aten.batch_norm_update_stats(exact, None, None, 0.0)
            return Moments(response.shape[2], *moments)

        _, mean, variance = self.moments_of_all(respond)
        return Response(mean, variance, (kept,))

    def activated(self, response: Response, tile: Tile) -> Tensor:
        """Normalise and activate what is kept."""
        (kept,) = response.kept
        normal = functional.batch_norm(
            tile.of(kept, 1), response.mean, response.variance,
            self.weights.norm, self.weights.norm_bias, eps=self.eps,
        )  # fmt: skip
        return self.silenced_selu_(normal, tile)

    def add_shortcut(self, tile: Tile, onto: Tensor) -> None:
        """Add the features, or a convolution of them."""
        if self.weights.shortcut is None:
            onto += tile.of(self.features)
        else:
            shortcut = laid_out(self.weights.shortcut, self.features)
            onto += functional.conv2d(tile.of(self.features, 1), shortcut)

    def gradients(self, response: Response, pooled: Pooled) -> tuple[Tensor, Weights]:
        """Go back to batch norm, sum up, and go on from there."""
        features = self.features
        batch, _, frames, bands = features.shape
        by_normal = empty(features, batch, frames, len(self.weights.second), bands + 1)
        by_features = torch.empty_like(features)

        def back_to_norm(tile: Tile, found: Weights) -> None:
            self._back_to_norm(tile, response, pooled, found, by_normal, by_features)

        found = self.gradients_of_all(back_to_norm)
        through_norm = self._through_norm(response, found)

        def back_to_features(tile: Tile, found: Weights) -> None:
            self._back_to_features(tile, response, through_norm, found, by_normal, by_features)

        found.first.copy_(self.gradients_of_all(back_to_features).first)
        return by_features, found

    def _back_to_norm(
        self,
        tile: Tile,
        response: Response,
        pooled: Pooled,
        found: Weights,
        by_normal: Tensor,
        by_features: Tensor,
    ) -> None:
        """Write the gradients of what batch norm gives, and of features through the shortcut."""
        (kept,), shortcut = response.kept, self.weights.shortcut
        back = self.back(tile, response, pooled, found)
        grad = back.through_activation(into=tile.of(by_normal))
        _, slope, shift = torch.ops.aten.native_batch_norm_backward(
            grad, tile.of(kept), None, None, None,
            response.mean, self._precision(response), True, 0.0, [False, True, True],
        )  # fmt: skip
        found.norm.add_(slope)
        found.norm_bias.add_(shift)
        own = back.spread[:, :, 1:-1]
        if shortcut is not None and found.shortcut is not None:
            found.shortcut.add_(by_filters(shortcut, tile.of(self.features, 1), own))
            own = functional.conv2d(back.spread, turned(shortcut, self.features))
        tile.put(own, by_features)

    def _through_norm(self, response: Response, found: Weights) -> _ThroughNorm:
        """Say what batch norm makes of a gradient, whose sums are ``found`` by now."""
        batch, _, frames, bands = self.features.shape
        count, precision = batch * frames * (bands + 1), self._precision(response)
        scale = self.weights.norm * precision
        return _ThroughNorm(
            scale, -scale * precision * found.norm / count, -scale * found.norm_bias / count
        )

    def _back_to_features(
        self,
        tile: Tile,
        response: Response,
        through: _ThroughNorm,
        found: Weights,
        by_normal: Tensor,
        by_features: Tensor,
    ) -> None:
        """Add the gradients of features and of the first filters, through batch norm."""
        (kept,), features, first = response.kept, self.features, self.weights.first
        scale, slope, shift = through
        grad = functional.batch_norm(
            tile.of(kept, 1), response.mean, torch.ones_like(slope), slope, shift, eps=0
        )
        grad.addcmul_(tile.of(by_normal, 1), scale.to(features).view(1, -1, 1, 1))
        tile.silenced(grad, features.shape[2])
        found.first.add_(by_filters(first, tile.of(features, 1), grad[:, :, 1:-1], padding=1))
        tile.of(by_features).add_(functional.conv2d(grad, turned(first, features)))

    def _precision(self, response: Response) -> Tensor:
        return torch.rsqrt(response.variance + self.eps)
