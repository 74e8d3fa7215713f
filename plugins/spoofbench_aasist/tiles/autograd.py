"""A residual block as one function of autograd."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from spoofbench_aasist.tiles.block import Block, Response, Weights
from spoofbench_aasist.tiles.many_channels import ManyChannels
from spoofbench_aasist.tiles.one_channel import OneChannel
from spoofbench_aasist.tiles.tile import Pooled


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
    out, mean, variance = cast(Any, _Function).apply(features, eps, *weights)
    return Output(out, mean, variance, len(features) * features.shape[2] * (features.shape[3] + 1))


def note(norm: nn.BatchNorm2d, output: Output) -> None:
    """Take what a batch norm saw into its running statistics, as it would have done itself."""
    state = norm.state_dict()  # shares memory with the buffers
    state["num_batches_tracked"].add_(1)
    share = norm.momentum or 1 / int(state["num_batches_tracked"])
    state["running_mean"].lerp_(output.mean, share)
    state["running_var"].lerp_(output.variance * output.seen / (output.seen - 1), share)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, eps: float, *weights: Any) -> tuple[Tensor, ...]:
        with torch.autocast("cpu", enabled=False):
            block = _block(features, Weights(*weights), eps)
            response = block.response()
            pooled = block.pooled(response)
        ctx.eps = eps
        mean, variance, kept = response
        ctx.save_for_backward(features, *pooled[1:], mean, variance, *weights, *kept)
        ctx.mark_non_differentiable(mean, variance)
        return pooled.value, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *unused: Any) -> tuple[Tensor | None, ...]:
        del unused  # of the moments, which have no gradient
        features, second, third, mean, variance, *rest = ctx.saved_tensors
        weights, kept = Weights(*rest[: len(Weights._fields)]), rest[len(Weights._fields) :]
        block = _block(features, weights, ctx.eps)
        grad = grad.contiguous(memory_format=torch.channels_last)
        pooled = Pooled(grad, second, third)
        by_features, by_weights = block.gradients(Response(mean, variance, tuple(kept)), pooled)
        return by_features, None, *by_weights


def _block(features: Tensor, weights: Weights, eps: float) -> Block:
    kind = OneChannel if features.shape[1] == 1 else ManyChannels
    return kind(features, weights, eps)
