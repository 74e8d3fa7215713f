"""AASIST with one way of being fast left out: `spoofbench speed python:tests/ablations.py:NAME`.

Every measurement is a process of its own, so that what is changed here is changed for it alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.contracts import Countermeasure
from spoofbench.devices import denormals_flushed
from spoofbench_aasist import fast, frontend, model

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


class WithoutTiles(model.Aasist):
    """Made fast when weights are there: folded and laid out as ever, but an utterance at once."""

    def __init__(self, *, filters_too: bool) -> None:
        super().__init__(model.AASIST)
        fast.BLOCK_TILE = WHOLE
        if filters_too:
            fast.TILE = WHOLE
        self._fast: list[Flushed] = []

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        if not self._fast:
            self._fast.append(Flushed(fast.FastAasist(self, torch.float32).eval()))
        return self._fast[0].score(audio, lengths)


def whole_utterances() -> Countermeasure:
    """Batch norm folded, channels last, time outermost; nothing in tiles."""
    return WithoutTiles(filters_too=True)


def whole_blocks() -> Countermeasure:
    """The same, with the response of the filters in tiles, so that it is never written."""
    return WithoutTiles(filters_too=False)


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
