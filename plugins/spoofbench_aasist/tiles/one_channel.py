"""A block of one channel: all that batch norm sees follows from the moments of its few taps.

The response is a product of filters and patches. So its mean and variance follow from the mean and
the covariance of the patches, batch norm becomes a part of the filters, and the sums over the batch
that its gradient needs follow from ``sum(grad * patch)``, of which there are as many as the filters
have weights. Nothing as large as a response is kept, on either way.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from spoofbench_aasist.one_channel import (
    FIRST,
    SHORTCUT,
    add_convolved,
    add_patches,
    convolved,
    filters_of,
    patches,
)
from spoofbench_aasist.tiles.block import Block, Moments, Response, Weights
from spoofbench_aasist.tiles.filters import values_of
from spoofbench_aasist.tiles.tile import Pooled, Tile


class OneChannel(Block):
    """See `Block`. For filters and patches see `spoofbench_aasist.one_channel`."""

    def __init__(self, features: Tensor, weights: Weights, eps: float) -> None:
        super().__init__(features, weights, eps)
        self.filters = weights.first.flatten(1)  # without the bias: batch norm takes it away
        self.padded = functional.pad(features[:, 0].to(self.filters), (1, 1, 2, 2))
        self.shortcut: Tensor | None = None
        if weights.shortcut is not None:
            bare = torch.zeros_like(weights.second_bias)  # the bias is added with another
            self.shortcut = filters_of(weights.shortcut, bare)

    def response(self) -> Response:
        """Take the moments of the patches, and fold batch norm into the filters.

        Kept are mean ``(taps,)`` and covariance of the patches, and the filters.
        """

        def moments(tile: Tile) -> Moments:
            met = self._met(tile)[:-1]
            return Moments(tile.high - tile.low, met.mean(dim=1), torch.cov(met, correction=0))

        _, mean, covariance = self.moments_of_all(moments)
        variance = (self.filters @ covariance * self.filters).sum(dim=1)
        scaled = (self.weights.norm * torch.rsqrt(variance + self.eps))[:, None] * self.filters
        folded = filters_of(scaled, self.weights.norm_bias - scaled @ mean)
        seen = self.filters @ mean + self.weights.first_bias
        return Response(seen, variance, (mean, covariance, folded))

    def activated(self, response: Response, tile: Tile) -> Tensor:
        """Filter, normalise and activate."""
        _, _, folded = response.kept
        normal = convolved(self.padded[tile.row, tile.low : tile.high + 4], folded, FIRST)
        return self.silenced_selu_(normal.to(self.features), tile)

    def add_shortcut(self, tile: Tile, onto: Tensor) -> None:
        """Add the channel to all, or a convolution of it."""
        if self.shortcut is None:
            onto += tile.of(self.features)
        else:
            met = self._within_bands(self.padded, tile).to(onto)
            add_convolved(met, self.shortcut.to(onto), SHORTCUT, onto)

    def gradients(self, response: Response, pooled: Pooled) -> tuple[Tensor, Weights]:
        """Go back with what each value says, and once more with what mean and variance say."""
        _, _, folded = response.kept
        by_padded = torch.zeros_like(self.padded)
        met_by_grad = folded.new_zeros(len(self.features), *folded.shape)

        def back_to_norm(tile: Tile, found: Weights) -> None:
            self._back_to_norm(tile, response, pooled, found, met_by_grad[tile.row], by_padded)

        found = self.gradients_of_all(back_to_norm)
        through = self._through_moments(response, met_by_grad.sum(dim=0), found)

        def back_through_moments(tile: Tile) -> None:
            add_patches(through @ self._met(tile), FIRST, self._frames(by_padded, tile))

        self.for_all_tiles(back_through_moments)
        return by_padded[:, None, 2:-2, 1:-1].to(self.features), found

    def _back_to_norm(
        self,
        tile: Tile,
        response: Response,
        pooled: Pooled,
        found: Weights,
        met_by_grad: Tensor,
        by_padded: Tensor,
    ) -> None:
        """Add the gradient of features for given moments, and what is found of the weights.

        Of the first filters that is ``sum(grad * patch)``, ``(width_out, taps + 1)``.
        """
        _, _, folded = response.kept
        back = self.back(tile, response, pooled, found)
        grad = values_of(back.through_activation(into=back.grad))
        met_by_grad += (self._met(tile) @ grad).T
        add_patches(folded[:, :-1].T.contiguous() @ grad.T, FIRST, self._frames(by_padded, tile))
        self._back_through_shortcut(tile, back.spread[:, :, 1:-1], found, by_padded)

    def _through_moments(self, response: Response, met_by_grad: Tensor, found: Weights) -> Tensor:
        """Finish the gradients of the weights, ``met_by_grad`` being its sum over the batch.

        Return what the gradient of each patch gets through mean and variance, as filters
        ``(taps, taps + 1)`` of the patches.
        """
        mean, covariance, folded = response.kept
        shift, scaled = met_by_grad[:, -1:], folded[:, :-1]
        precision = torch.rsqrt(response.variance + self.eps)[:, None]
        normal = precision * self.filters  # of what is about the mean
        about_mean = met_by_grad[:, :-1] - shift * mean
        slope = (normal * about_mean).sum(dim=1, keepdim=True)
        found.norm_bias.copy_(shift[:, 0])
        found.norm.copy_(slope[:, 0])
        along = about_mean - slope * (normal @ covariance)
        found.first.copy_((self.weights.norm[:, None] * precision * along).view_as(found.first))
        batch, _, frames, bands = self.features.shape
        count = batch * frames * (bands + 1)
        mixed = -scaled.T @ (slope * normal) / count
        offset = -scaled.T @ shift / count - (mixed @ mean)[:, None]
        return torch.cat([mixed, offset], dim=1)

    def _back_through_shortcut(
        self, tile: Tile, grad: Tensor, found: Weights, by_padded: Tensor
    ) -> None:
        """Add what the ``grad`` of a shortcut's outcome is to features and weights."""
        own, onto = values_of(grad), self._within_bands(by_padded, tile)
        if self.shortcut is None or found.shortcut is None:
            onto[1:-1] += own.sum(dim=1).view_as(onto[1:-1])
            return
        met = patches(self._within_bands(self.padded, tile), SHORTCUT)[:-1]
        found.shortcut.add_((met @ own).T.view_as(found.shortcut))
        add_patches(self.shortcut.T @ own.T, SHORTCUT, onto)

    def _met(self, tile: Tile) -> Tensor:
        """Return the patches that the filters meet."""
        return patches(self._frames(self.padded, tile), FIRST)

    def _frames(self, padded: Tensor, tile: Tile) -> Tensor:
        """Return the frames of a tile, and one at either end: ``(frames + 2, bands + 2)``."""
        return padded[tile.row, tile.low + 1 : tile.high + 3]

    def _within_bands(self, padded: Tensor, tile: Tile) -> Tensor:
        """Return the same without the bands of the padding."""
        return self._frames(padded, tile)[:, 1:-1]
