"""Two back ends on a pretrained front end: a linear layer, and graph attention over frames.

Training starts from published weights of the front end, which the recipe's ``start`` names. Such
systems are the strongest that are published (Tak et al., "Automatic speaker verification spoofing
and deepfake detection using wav2vec 2.0 and data augmentation", Odyssey 2022,
https://arxiv.org/abs/2202.12233); these back ends are our own, and nobody published numbers for
them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.layers.graphs import GraphAttention, GraphPool
from spoofbench_ssl.frontends import BASE, WAVLM, XLSR, Layout, PretrainedFrontEnd

WIDTH = 64
FRAMES_POOLED = 4
"""Frames that one node of the graph stands for: 80 ms."""
TEMPERATURE = 2.0
KEEP = 0.5
DROPOUT = 0.2


class _Classifier(nn.Module):
    """What both models have in common; ``logits`` judges what the front end gives."""

    frontend: PretrainedFrontEnd

    def pretrained_part(self) -> nn.Module:
        """Return the front end's model: its published weights are what training starts from."""
        return self.frontend.model

    def logits(self, features: Tensor) -> Tensor:
        """Turn ``features`` ``(batch, frames, width)`` into logits ``(batch,)`` of bona fide."""
        raise NotImplementedError

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the logit of bona fide of ``audio`` ``(batch, time)``: ``(batch,)``."""
        del lengths  # An utterance fills its row.
        features = self.frontend(audio)
        with torch.autocast(audio.device.type, enabled=False):
            return self.logits(features.to(self.frontend.mix))

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return each utterance's cross entropy ``(batch,)``; ``bonafide`` is ``(batch,)`` bool."""
        scores = self.score(audio, lengths)
        return functional.binary_cross_entropy_with_logits(
            scores, bonafide.to(scores.dtype), reduction="none"
        )


class SslLinear(_Classifier):
    """The mean over time and a linear layer. The front end stays what it is: a probe of it."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.frontend = PretrainedFrontEnd(layout, frozen=True)
        self.head = nn.Linear(layout.width, 1)

    def logits(self, features: Tensor) -> Tensor:
        """Turn ``features`` ``(batch, frames, width)`` into logits ``(batch,)``."""
        given: Tensor = self.head(features.mean(dim=1)).squeeze(1)
        return given


class SslGraph(_Classifier):
    """Two layers of graph attention over frames; the front end is trained along."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.frontend = PretrainedFrontEnd(layout, frozen=False)
        self.narrow = nn.Linear(layout.width, WIDTH)
        self.first = GraphAttention(WIDTH, WIDTH, TEMPERATURE, DROPOUT)
        self.pool = GraphPool(WIDTH, KEEP, DROPOUT)
        self.second = GraphAttention(WIDTH, WIDTH, TEMPERATURE, DROPOUT)
        self.head = nn.Linear(2 * WIDTH, 1)

    def logits(self, features: Tensor) -> Tensor:
        """Turn ``features`` ``(batch, frames, width)`` into logits ``(batch,)``."""
        narrow = functional.selu(self.narrow(features)).mT
        nodes = functional.max_pool1d(narrow, FRAMES_POOLED, ceil_mode=True).mT
        nodes = self.second(self.pool(self.first(nodes)))  # (batch, nodes, WIDTH)
        summed = torch.cat([nodes.amax(dim=1), nodes.mean(dim=1)], dim=1)
        given: Tensor = self.head(summed).squeeze(1)
        return given


def linear_xlsr() -> SslLinear:
    """Return a probe of XLS-R with 300 million parameters."""
    return SslLinear(XLSR)


def linear_base() -> SslLinear:
    """Return a probe of wav2vec 2.0, base."""
    return SslLinear(BASE)


def linear_wavlm() -> SslLinear:
    """Return a probe of WavLM, base."""
    return SslLinear(WAVLM)


def graph_xlsr() -> SslGraph:
    """Return graphs on XLS-R with 300 million parameters."""
    return SslGraph(XLSR)


def graph_base() -> SslGraph:
    """Return graphs on wav2vec 2.0, base."""
    return SslGraph(BASE)


def graph_wavlm() -> SslGraph:
    """Return graphs on WavLM, base."""
    return SslGraph(WAVLM)
