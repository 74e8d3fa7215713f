"""AASIST with one way of being fast left out: `spoofbench speed python:tests/ablations.py:NAME`.

Every measurement is a process of its own, so that what is changed here is changed for it alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.contracts import Countermeasure
from spoofbench.devices import denormals_flushed
from spoofbench_aasist import fast, frontend, model, selu
from spoofbench_aasist.one_channel import Shape

WHOLE = 1 << 30
"""More frames than any utterance has: one tile."""


class Flushed(nn.Module):
    """Scores with denormals flushed, as the harness has a model of its own score."""

    def __init__(self, scorer: Countermeasure) -> None:
        super().__init__()
        self.scorer = scorer

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        with denormals_flushed():
            return self.scorer.score(audio, lengths)


class MadeFast(model.Aasist):
    """Made fast when weights are there, with what has been left out of `fast` by then."""

    def __init__(self) -> None:
        super().__init__(model.AASIST)
        self._fast: list[Flushed] = []

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        if not self._fast:
            self._fast.append(Flushed(fast.FastAasist(self, torch.float32).eval()))
        return self._fast[0].score(audio, lengths)


def whole_utterances() -> Countermeasure:
    """Batch norm folded, channels last, time outermost; nothing in tiles."""
    fast.TILE = WHOLE
    return whole_blocks()


def whole_blocks() -> Countermeasure:
    """The same, with the response of the filters in tiles, so that it is never written."""
    fast.BLOCK_TILE = WHOLE
    return MadeFast()


def activated_by_torch() -> Countermeasure:
    """All, but that the activation asks for `expm1`, as torch's SELU does."""
    selu.bare = lambda dtype: selu.Activation(1, 0, 1, functional.selu_)
    return MadeFast()


def filtered_by_torch() -> Countermeasure:
    """All, but that one channel is filtered by torch's convolution."""

    def convolved(features: Tensor, filters: Tensor, shape: Shape) -> Tensor:
        weight = filters[:, :-1].reshape(len(filters), 1, *shape)
        return functional.conv2d(features[None, None], weight, filters[:, -1]).contiguous(
            memory_format=torch.channels_last
        )

    def add_convolved(features: Tensor, filters: Tensor, shape: Shape, onto: Tensor) -> None:
        onto += convolved(features, filters, shape)

    fast.convolved, fast.add_convolved = convolved, add_convolved
    return MadeFast()


def one_by_one() -> Countermeasure:
    """All, but that the utterances of a batch are computed one after the other."""
    fast.side_by_side = lambda work, count: [work(number) for number in range(count)]
    return MadeFast()


def layers_flushed() -> Countermeasure:
    """The layers of the model one by one, with denormals flushed."""

    class Layers(model.Aasist):
        def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
            with denormals_flushed():
                return super().score(audio, lengths)

    return Layers(model.AASIST)


def layers_learning() -> Countermeasure:
    """In training: the layers one by one under autograd, the filters outside of it and in tiles."""

    def by_layers(block: model.ResidualBlock, features: Tensor) -> Tensor:
        hidden = block.second(functional.selu(block.norm(block.first(features))))
        return functional.max_pool2d(hidden + block.shortcut(features), (3, 1))

    model.ResidualBlock._in_tiles = by_layers
    return model.aasist()


def filters_whole_learning() -> Countermeasure:
    """The same, and the response of the filters written whole."""
    frontend.TILE = WHOLE
    return layers_learning()
