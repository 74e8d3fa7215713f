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


class Linear(nn.Module):
    """The mean over time and a linear layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Sum up ``features`` ``(batch, frames, width)`` in ``(batch, width)``."""
        return features.mean(dim=1)


class Graph(nn.Module):
    """Two layers of graph attention over frames."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(width, WIDTH)
        self.first = GraphAttention(WIDTH, WIDTH, TEMPERATURE, DROPOUT)
        self.pool = GraphPool(WIDTH, KEEP, DROPOUT)
        self.second = GraphAttention(WIDTH, WIDTH, TEMPERATURE, DROPOUT)
        self.head = nn.Linear(2 * WIDTH, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Sum up ``features`` ``(batch, frames, width)`` in ``(batch, 2 WIDTH)``."""
        narrow = functional.selu(self.narrow(features)).mT
        nodes = functional.max_pool1d(narrow, FRAMES_POOLED, ceil_mode=True).mT
        nodes = self.second(self.pool(self.first(nodes)))  # (batch, nodes, WIDTH)
        return torch.cat([nodes.amax(dim=1), nodes.mean(dim=1)], dim=1)


class OnPretrained(nn.Module):
    """A pretrained front end, and a back end that judges what it gives."""

    def __init__(self, frontend: PretrainedFrontEnd, backend: Linear | Graph) -> None:
        super().__init__()
        self.frontend = frontend
        self.backend = backend
        self.width = backend.head.in_features

    def pretrained_part(self) -> nn.Module:
        """Return the front end's model: its published weights are what training starts from."""
        return self.frontend.model

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the logit of bona fide of ``audio`` ``(batch, time)``: ``(batch,)``."""
        return self.judge(self.embed(audio, lengths))[:, 1]

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Sum up ``audio`` ``(batch, time)`` in ``(batch, width)``."""
        del lengths  # An utterance fills its row.
        features = self.frontend(audio)
        with torch.autocast(audio.device.type, enabled=False):
            summed: Tensor = self.backend(features.to(self.frontend.mix))
        return summed

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of what is summed up, ``(batch, width)``."""
        with torch.autocast(embedded.device.type, enabled=False):
            bonafide = self.backend.head(embedded)
        return torch.cat([torch.zeros_like(bonafide), bonafide], dim=1)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return each utterance's cross entropy ``(batch,)``; ``bonafide`` is ``(batch,)`` bool."""
        scores = self.score(audio, lengths)
        return functional.binary_cross_entropy_with_logits(
            scores, bonafide.to(scores.dtype), reduction="none"
        )


def linear_on(layout: Layout) -> OnPretrained:
    """Return a linear layer on a front end that stays what it is: a probe of it."""
    return OnPretrained(PretrainedFrontEnd(layout, frozen=True), Linear(layout.width))


def graph_on(layout: Layout) -> OnPretrained:
    """Return graph attention on a front end that is trained along."""
    return OnPretrained(PretrainedFrontEnd(layout, frozen=False), Graph(layout.width))


def linear_xlsr() -> OnPretrained:
    """Return a probe of XLS-R with 300 million parameters."""
    return linear_on(XLSR)


def linear_base() -> OnPretrained:
    """Return a probe of wav2vec 2.0, base."""
    return linear_on(BASE)


def linear_wavlm() -> OnPretrained:
    """Return a probe of WavLM, base."""
    return linear_on(WAVLM)


def graph_xlsr() -> OnPretrained:
    """Return graphs on XLS-R with 300 million parameters."""
    return graph_on(XLSR)


def graph_base() -> OnPretrained:
    """Return graphs on wav2vec 2.0, base."""
    return graph_on(BASE)


def graph_wavlm() -> OnPretrained:
    """Return graphs on WavLM, base."""
    return graph_on(WAVLM)
