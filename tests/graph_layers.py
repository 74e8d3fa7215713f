"""Graph attention alone, for `spoofbench speed python:tests/graph_layers.py:NAME`.

The input only says how many graphs there are: 29 nodes of 64 features each, drawn from a seed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spoofbench.layers.graphs import GraphAttention
from spoofbench_aasist.sequential import SequentialGraphAttention

NODES, WIDTH, TEMPERATURE = 29, 64, 2.0


class Batched(nn.Module):
    """All graphs at once."""

    layer: type[GraphAttention] = GraphAttention

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.attention = self.layer(WIDTH, WIDTH, TEMPERATURE, 0.2)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean of each graph's nodes after attention, ``(batch,)``."""
        generator = torch.Generator().manual_seed(0)
        nodes = torch.randn(len(audio), NODES, WIDTH, generator=generator)
        mixed: Tensor = self.attention(nodes)
        return mixed.mean(dim=(1, 2))

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return something with a gradient, ``(batch,)``: a training step is measured by it."""
        del bonafide
        return self.score(audio, lengths).square()


class Sequential(Batched):
    """One graph at a time."""

    layer = SequentialGraphAttention
