"""Graph attention one graph at a time: a reference implementation, written for comparison.

It has the parameters of `graph` and gives the same numbers, in training too. Dropout is drawn and
batch norm computed for the whole batch, as there; only the attention runs in a loop. The published
code computes all graphs at once and has no such loop, so this is not "the original".
"""

from __future__ import annotations

import torch
from torch import Tensor

from spoofbench.layers.graphs import GraphAttention
from spoofbench_aasist.graph import HeterogeneousAttention


class SequentialGraphAttention(GraphAttention):
    """`GraphAttention` whose attention is computed one graph at a time."""

    def mix(self, nodes: Tensor) -> Tensor:
        """Attend within each graph: ``(batch, n, width_in)`` to ``(batch, n, width_out)``."""
        mix = super().mix
        return torch.stack([mix(graph) for graph in nodes])


class SequentialHeterogeneousAttention(HeterogeneousAttention):
    """`HeterogeneousAttention` whose attention is computed one graph at a time."""

    def mix(self, nodes: Tensor, count: int) -> Tensor:
        """Attend within each graph: ``(batch, n, width_in)`` to ``(batch, n, width_out)``."""
        mix = super().mix
        return torch.stack([mix(graph, count) for graph in nodes])

    def gather(self, nodes: Tensor, stack: Tensor) -> Tensor:
        """Let each stack node attend to its graph: ``(batch, 1, width_out)``."""
        gather = super().gather
        return torch.stack([gather(*graph) for graph in zip(nodes, stack, strict=True)])
