"""A block of many channels: what its first convolution gives is kept.

The gradient of features is a convolution with the turned filters, on tiles with a halo, so that no
two tiles write the same frame.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from spoofbench_aasist.side_by_side import side_by_side
from spoofbench_aasist.tiles.block import Block, Moments, Response, Weights, merged, summed
from spoofbench_aasist.tiles.filters import by_filters, laid_out, turned
from spoofbench_aasist.tiles.tile import Pooled, Tile, empty, tiles_of


class ManyChannels(Block):
    """See `Block`. Of the response all is kept: ``(batch, width_out, frames, bands + 1)``."""

    def response(self) -> Response:
        """Take the first convolution's response and its moments."""
        features, weights = self.features, self.weights
        batch, _, frames, bands = features.shape
        first, bias = laid_out(weights.first, features), weights.first_bias.to(features)
        kept = empty(features, batch, frames, len(first), bands + 1)

        def respond(row: int) -> Moments:
            found = []
            for tile in tiles_of(row, features):
                response = functional.conv2d(tile.of(features, 1), first, bias, padding=(0, 1))
                tile.put(response, kept)
                exact = response.to(weights.norm)  # sums are too long for half precision
                moments = torch.ops.aten.batch_norm_update_stats(exact, None, None, 0.0)
                found.append(Moments(response.shape[2], *moments))
            return merged(found)

        _, mean, variance = merged(side_by_side(respond, batch))
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

        def back_to_norm(row: int) -> Weights:
            return self._back_to_norm(row, response, pooled, by_normal, by_features)

        found = summed(side_by_side(back_to_norm, batch))

        def back_to_features(row: int) -> Tensor:
            return self._back_to_features(row, response, found, by_normal, by_features)

        for first in side_by_side(back_to_features, batch):
            found.first.add_(first)
        return by_features, found

    def _back_to_norm(
        self, row: int, response: Response, pooled: Pooled, by_normal: Tensor, by_features: Tensor
    ) -> Weights:
        """Write the gradients of what batch norm gives, and of features through the shortcut."""
        (kept,) = response.kept
        found, shortcut = self.weights.zeros(), self.weights.shortcut
        shortcut_back = None if shortcut is None else turned(shortcut, self.features)
        for back in self.back(row, response, pooled, found):
            tile, own = back.tile, back.spread[:, :, 1:-1]
            grad = back.through_activation(into=tile.of(by_normal))
            _, slope, shift = torch.ops.aten.native_batch_norm_backward(
                grad, tile.of(kept), None, None, None,
                response.mean, self._precision(response), True, 0.0, [False, True, True],
            )  # fmt: skip
            found.norm.add_(slope)
            found.norm_bias.add_(shift)
            if found.shortcut is not None and shortcut_back is not None:
                found.shortcut.add_(by_filters(found.shortcut, tile.of(self.features, 1), own))
                own = functional.conv2d(back.spread, shortcut_back)
            tile.put(own, by_features)
        return found

    def _back_to_features(
        self,
        row: int,
        response: Response,
        found: Weights,
        by_normal: Tensor,
        by_features: Tensor,
    ) -> Tensor:
        """Add the gradient of features through batch norm, whose sums are ``found`` by now.

        Return that of the first filters.
        """
        (kept,) = response.kept
        features, precision = self.features, self._precision(response)
        count = features.shape[0] * features.shape[2] * by_normal.shape[3]
        scale = self.weights.norm * precision
        slope, shift = -scale * precision * found.norm / count, -scale * found.norm_bias / count
        one, factor = torch.ones_like(scale), scale.to(features).view(1, -1, 1, 1)
        back, by_first = turned(self.weights.first, features), torch.zeros_like(found.first)
        for tile in tiles_of(row, features):
            # scale * by_normal + slope * (response - mean) + shift
            grad = functional.batch_norm(tile.of(kept, 1), response.mean, one, slope, shift, eps=0)
            grad = tile.silenced(grad.addcmul_(tile.of(by_normal, 1), factor), features.shape[2])
            by_first.add_(by_filters(by_first, tile.of(features, 1), grad[:, :, 1:-1], padding=1))
            tile.of(by_features).add_(functional.conv2d(grad, back))
        return by_first

    def _precision(self, response: Response) -> Tensor:
        return torch.rsqrt(response.variance + self.eps)
