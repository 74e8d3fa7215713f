"""A residual block in training on a processor: the same output and gradients, tile by tile.

Autograd writes every tensor of a block, 66 MB of each an utterance in the first, and reads them all
again. Here a block keeps its input, what its first convolution gives (unless there is one channel:
then that is computed again) and which of three frames was the largest. All else is computed anew,
in tiles of time that stay in the processor's cache; time is the outer axis and channels come last,
so that a tile is one piece of memory. Batch norm needs its sums over the batch before it gives its
first value: hence two passes, forward and backward.

The gradient of features is a convolution with the turned filters, on tiles with a halo, so that no
two tiles write the same frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

TILE = 384
"""Frames that are computed at a time: a multiple of the three that pooling makes one of."""
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


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


class Output(NamedTuple):
    """What a block gives, and what its batch norm saw: ``seen`` values of each channel."""

    features: Tensor
    """``(batch, width_out, frames // 3, bands)``"""
    mean: Tensor
    """``(width_out,)``"""
    variance: Tensor
    """``(width_out,)``, that of a population"""
    seen: int


def through(features: Tensor, weights: Weights, eps: float) -> Output:
    """Take ``(batch, width_in, frames, bands)`` through a block. It can be differentiated once.

    Under autocast the convolutions compute in its dtype.
    """
    if torch.is_autocast_enabled("cpu"):
        features = features.to(torch.get_autocast_dtype("cpu"))
    out, mean, variance = cast(Any, _Block).apply(features, eps, *weights)
    return Output(out, mean, variance, len(features) * features.shape[2] * (features.shape[3] + 1))


def note(norm: nn.BatchNorm2d, output: Output) -> None:
    """Take what a batch norm saw into its running statistics, as it would have done itself."""
    state = norm.state_dict()  # shares memory with the buffers
    state["num_batches_tracked"].add_(1)
    share = norm.momentum or 1 / int(state["num_batches_tracked"])
    state["running_mean"].lerp_(output.mean, share)
    state["running_var"].lerp_(output.variance * output.seen / (output.seen - 1), share)


class _Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, eps: float, *weights: Any) -> tuple[Tensor, ...]:
        with torch.autocast("cpu", enabled=False):
            tiled = _Tiled(features, Weights(*weights), eps)
            tiled.measure()
            pooled = tiled.pooled()
        ctx.eps = eps
        ctx.save_for_backward(
            features, tiled.kept, *pooled[1:], tiled.mean, tiled.variance, *weights
        )
        ctx.mark_non_differentiable(tiled.mean, tiled.variance)
        return pooled.value, tiled.mean, tiled.variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *unused: Any) -> tuple[Tensor | None, ...]:
        del unused  # of the moments, which have no gradient
        features, kept, *places, mean, variance = ctx.saved_tensors[:6]
        weights = ctx.saved_tensors[6:]
        tiled = _Tiled(features, Weights(*weights), ctx.eps)
        tiled.kept, tiled.mean, tiled.variance = kept, mean, variance
        grad = grad.contiguous(memory_format=torch.channels_last)
        by_features, by_weights = tiled.gradients(_Pooled(grad, *places))
        return by_features, None, *by_weights


class _Tile(NamedTuple):
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
        padded = _empty(features, 1, high - low, *features.shape[1::2]).zero_()
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


class _Pooled(NamedTuple):
    """The largest of every three frames, or its gradient, and whether it was one of the last two.

    Of equal frames the first counts.
    """

    value: Tensor
    is_second: Tensor
    is_third: Tensor

    def spread(self, tile: _Tile) -> Tensor:
        """Return a gradient as it was before pooling, for ``tile`` and a frame at either end."""
        own = _Tile(tile.row, tile.low // 3, -(-tile.high // 3))
        value = own.of(self.value, 1)
        spread = _empty(value, 1, 3 * value.shape[2], *value.shape[1::2])
        first, second, third = (spread[:, :, row::3] for row in range(3))
        torch.mul(value, own.of(self.is_third, 1), out=third)
        torch.mul(value, own.of(self.is_second, 1), out=second)
        torch.sub(value, third, out=first).sub_(second)
        return spread[:, :, 2 : 4 + tile.high - tile.low]


class _Tiled:
    """A block at work on ``features``; ``measure`` comes first, or what it found."""

    def __init__(self, features: Tensor, weights: Weights, eps: float) -> None:
        self.features = features
        self.weights = weights
        self.eps = eps
        self.first = _laid_out(weights.first, features)
        self.first_bias = weights.first_bias.to(features)
        self.kept: Tensor | None = None
        self.mean = self.variance = weights.norm

    def tiles(self) -> Iterator[_Tile]:
        """Yield tiles that cover every frame of every utterance."""
        batch, _, frames, _ = self.features.shape
        for row in range(batch):
            for low in range(0, frames, TILE):
                yield _Tile(row, low, min(low + TILE, frames))

    def measure(self) -> None:
        """Find mean and variance of the first convolution's response; keep it where that pays."""
        batch, width, frames, bands = self.features.shape
        if width > 1:
            self.kept = _empty(self.features, batch, frames, len(self.first), bands + 1)
        counts, means, variances = [], [], []
        for tile in self.tiles():
            response = self._first(tile.of(self.features, 1))
            if self.kept is not None:
                tile.put(response, self.kept)
            exact = response.to(self.weights.norm)  # sums are too long for half precision
            mean, variance = torch.ops.aten.batch_norm_update_stats(exact, None, None, 0.0)
            counts.append(response.shape[2])
            means.append(mean)
            variances.append(variance)
        each = torch.stack(means)
        shares = torch.tensor(counts, dtype=each.dtype)[:, None] / sum(counts)
        self.mean = (shares * each).sum(dim=0)
        spread = torch.stack(variances) + (each - self.mean).square()
        self.variance = (shares * spread).sum(dim=0)

    def pooled(self) -> _Pooled:
        """Return the block's output."""
        features, weights = self.features, self.weights
        _, _, frames, bands = features.shape
        second, bias = _laid_out(weights.second, features), weights.second_bias
        shortcut = None
        if weights.shortcut is not None and weights.shortcut_bias is not None:
            shortcut, bias = _laid_out(weights.shortcut, features), bias + weights.shortcut_bias
        bias = bias.to(features)
        out = _empty(features, len(features), frames // 3, len(second), bands)
        pooled = _Pooled(out, *(torch.empty_like(out, dtype=torch.bool) for _ in range(2)))
        for tile in self.tiles():
            summed = functional.conv2d(self._activated(self._response(tile), tile), second, bias)
            if shortcut is None:
                summed += tile.of(features)
            else:
                summed += _convolved(tile.of(features, 1), shortcut)
            own = _Tile(tile.row, tile.low // 3, tile.high // 3)
            last = 3 * (own.high - own.low)
            one, two, three = (summed[:, :, row:last:3] for row in range(3))
            larger = torch.maximum(one, two)
            is_third = three > larger
            own.put(torch.maximum(larger, three), pooled.value)
            own.put(is_third, pooled.is_third)
            own.put((two > one).logical_and_(~is_third), pooled.is_second)
        return pooled

    def gradients(self, pooled: _Pooled) -> tuple[Tensor, Weights]:
        """Return the gradients of the features and of the weights, ``pooled`` being the output's.

        That of the first bias is zero: batch norm takes away what it adds.
        """
        features, weights = self.features, self.weights
        batch, _, frames, bands = features.shape
        by_normal = _empty(features, batch, frames, len(weights.second), bands + 1)
        by_features = torch.empty_like(features)
        found = Weights(*(None if own is None else torch.zeros_like(own) for own in weights))  # type: ignore[arg-type]
        self._back_to_norm(pooled, found, by_normal, by_features)
        self._back_to_features(found, by_normal, by_features)
        if found.shortcut_bias is not None:
            found.shortcut_bias.copy_(found.second_bias)
        return by_features, found

    def _back_to_norm(
        self, pooled: _Pooled, found: Weights, by_normal: Tensor, by_features: Tensor
    ) -> None:
        """Write the gradients of what batch norm gives, and of features through the shortcut."""
        features, weights = self.features, self.weights
        precision = torch.rsqrt(self.variance + self.eps)
        back = _turned(weights.second, features)
        shortcut_back = None if weights.shortcut is None else _turned(weights.shortcut, features)
        for tile in self.tiles():
            response, spread = self._response(tile), pooled.spread(tile)
            activated, own = self._activated(response, tile), spread[:, :, 1:-1]
            found.second.add_(_by_filters(weights.second, activated, own))
            found.second_bias.add_(_values(own).sum(dim=0))
            grad = torch.ops.aten.elu_backward(
                functional.conv2d(spread, back, padding=(0, 1)),
                SELU_ALPHA, SELU_SCALE, 1, True, activated[:, :, 1:-1],
                grad_input=tile.of(by_normal),
            )  # fmt: skip
            _, slope, shift = torch.ops.aten.native_batch_norm_backward(
                grad, response[:, :, 1:-1], None, None, None,
                self.mean, precision, True, 0.0, [False, True, True],
            )  # fmt: skip
            found.norm.add_(slope)
            found.norm_bias.add_(shift)
            if found.shortcut is not None and shortcut_back is not None:
                found.shortcut.add_(_by_filters(found.shortcut, tile.of(features, 1), own))
                own = functional.conv2d(spread, shortcut_back)
            elif features.shape[1] < own.shape[1]:  # one channel was added to all
                own = own.sum(dim=1, keepdim=True)
            tile.put(own, by_features)

    def _back_to_features(self, found: Weights, by_normal: Tensor, by_features: Tensor) -> None:
        """Add the gradient of features through batch norm, whose sums are known by now."""
        features = self.features
        count = features.shape[0] * features.shape[2] * by_normal.shape[3]
        precision = torch.rsqrt(self.variance + self.eps)
        scale = self.weights.norm * precision
        slope, shift = -scale * precision * found.norm / count, -scale * found.norm_bias / count
        one, factor = torch.ones_like(scale), scale.to(features).view(1, -1, 1, 1)
        back = _turned(self.weights.first, features)
        for tile in self.tiles():
            # scale * by_normal + slope * (response - mean) + shift
            grad = functional.batch_norm(self._response(tile), self.mean, one, slope, shift, eps=0)
            grad = tile.silenced(grad.addcmul_(tile.of(by_normal, 1), factor), features.shape[2])
            found.first.add_(
                _by_filters(
                    found.first, functional.pad(tile.of(features, 1), (1, 1)), grad[:, :, 1:-1]
                )
            )
            tile.of(by_features).add_(functional.conv2d(grad, back))

    def _first(self, features: Tensor) -> Tensor:
        return _convolved(features, self.first, self.first_bias, padding=1)

    def _response(self, tile: _Tile) -> Tensor:
        """Return what the first convolution gives for ``tile`` and a frame at either end."""
        if self.kept is not None:
            return tile.of(self.kept, 1)
        return self._first(tile.of(self.features, 2))

    def _activated(self, response: Tensor, tile: _Tile) -> Tensor:
        """Return what the second convolution meets: no activation where there is no frame."""
        norm, bias = self.weights.norm, self.weights.norm_bias
        normal = functional.batch_norm(response, self.mean, self.variance, norm, bias, eps=self.eps)
        return tile.silenced(functional.selu_(normal), self.features.shape[2])


def _empty(like: Tensor, batch: int, frames: int, width: int, bands: int) -> Tensor:
    """Return room for ``(batch, width, frames, bands)``: time outermost, channels last."""
    return like.new_empty(batch, frames, bands, width).permute(0, 3, 1, 2)


def _values(features: Tensor) -> Tensor:
    """Return ``(1, width, frames, bands)`` as ``(values, width)``, no less precise than float32."""
    values = features.permute(0, 2, 3, 1).flatten(0, 2)
    return values if values.dtype == torch.float64 else values.float()


def _laid_out(filters: Tensor, features: Tensor) -> Tensor:
    """Return ``filters`` in the precision of ``features``, with strides that say channels last."""
    return filters.to(features).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


def _turned(filters: Tensor, features: Tensor) -> Tensor:
    """Return the filters of the convolution that takes gradients back."""
    return _laid_out(filters.transpose(0, 1).flip(2, 3), features)


def _patches(features: Tensor, filters: Tensor) -> Tensor:
    """Return what each tap of one-channel ``filters`` meets: ``(taps, values)``."""
    frames, bands = (features.shape[2 + axis] - filters.shape[2 + axis] + 1 for axis in (0, 1))
    own = features[0, 0]
    met = [
        own[row : row + frames, band : band + bands]
        for row in range(filters.shape[2])
        for band in range(filters.shape[3])
    ]
    return torch.stack(met).flatten(1)


def _convolved(
    features: Tensor, filters: Tensor, bias: Tensor | None = None, *, padding: int = 0
) -> Tensor:
    """Convolve, ``padding`` the bands; one channel by a product of matrices, which is faster."""
    if features.shape[1] > 1:
        return functional.conv2d(features, filters, bias, padding=(0, padding))
    made = _patches(functional.pad(features, (padding, padding)), filters).T @ filters.flatten(1).T
    if bias is not None:
        made += bias
    return made.view(1, features.shape[2] - 2, -1, len(filters)).permute(0, 3, 1, 2)


def _by_filters(filters: Tensor, features: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient of ``filters``, that of what they made of ``features`` being ``grad``.

    Products of matrices: several times as fast as torch's own, which is made for small images.
    """
    own = _values(grad)
    if features.shape[1] == 1:
        return (_patches(features, filters).to(own) @ own).T.reshape(filters.shape).to(filters)
    frames, bands = grad.shape[2:]
    rows = features.permute(0, 2, 3, 1)[0]  # (frames + 2, bands of the input, width_in)
    beside = torch.cat([rows[:, b : b + bands] for b in range(filters.shape[3])], dim=2)
    made = [own.T @ beside[row : row + frames].flatten(0, 1).to(own) for row in range(3)]
    out, width, _, shifts = filters.shape
    return torch.stack(made).view(3, out, shifts, width).permute(1, 3, 0, 2).to(filters)
