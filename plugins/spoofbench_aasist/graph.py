"""Graphs with two types of node and a stack node, and the attention within them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from spoofbench.layers.graphs import normalise, pairs_of, products, score_vector


class Graph(NamedTuple):
    """A heterogeneous graph: two types of node, and the stack node that gathers from both."""

    temporal: Tensor
    """``(batch, temporal nodes, width)``"""
    spectral: Tensor
    """``(batch, spectral nodes, width)``"""
    stack: Tensor
    """``(batch, 1, width)``"""


class HeterogeneousAttention(nn.Module):
    """Attention among two types of node, and a stack node that attends to all of them.

    What a pair has in common is scored by three vectors: for two temporal nodes, for two spectral
    ones, and for one of each. The stack node reads the other nodes; they never read it.
    """

    def __init__(self, width_in: int, width_out: int, temperature: float, dropout: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.dropout = nn.Dropout(dropout)
        self.temporal = nn.Linear(width_in, width_in)
        self.spectral = nn.Linear(width_in, width_in)
        self.pair = nn.Linear(width_in, width_out)
        self.score_temporal = score_vector(width_out)
        self.score_spectral = score_vector(width_out)
        self.score_mixed = score_vector(width_out)
        self.attended = nn.Linear(width_in, width_out)
        self.own = nn.Linear(width_in, width_out)
        self.norm = nn.BatchNorm1d(width_out)
        self.stack_pair = nn.Linear(width_in, width_out)
        self.stack_score = score_vector(width_out)
        self.stack_attended = nn.Linear(width_in, width_out)
        self.stack_own = nn.Linear(width_in, width_out)

    def forward(self, graph: Graph) -> Graph:
        """Update every node of ``graph``, from ``width_in`` to ``width_out`` features."""
        count = graph.temporal.shape[1]
        nodes = torch.cat([self.temporal(graph.temporal), self.spectral(graph.spectral)], dim=1)
        nodes = self.dropout(nodes)  # (batch, temporal + spectral, width_in)
        stack = self.gather(nodes, graph.stack)
        mixed = normalise(self.norm, self.mix(nodes, count))
        return Graph(mixed[:, :count], mixed[:, count:], stack)

    def mix(self, nodes: Tensor, count: int) -> Tensor:
        """Attend within each graph, whose first ``count`` nodes are the temporal ones.

        ``(..., n, width_in)`` to ``(..., n, width_out)``.
        """
        pairs = pairs_of(nodes.shape[-2], nodes.device)
        common = torch.tanh(self.pair(products(nodes, pairs)))  # (..., pairs, width_out)
        vectors = torch.cat([self.score_temporal, self.score_mixed, self.score_spectral], dim=1)
        # 0 for two temporal nodes, 1 for one of each, 2 for two spectral ones
        kind = (pairs.first >= count).long() + (pairs.second >= count)
        scores = (common * vectors.T[kind]).sum(dim=-1)[..., pairs.place]  # (..., n, n)
        attention = torch.softmax(scores / self.temperature, dim=-1)
        mixed: Tensor = self.attended(attention @ nodes) + self.own(nodes)
        return mixed

    def gather(self, nodes: Tensor, stack: Tensor) -> Tensor:
        """Let ``stack`` ``(..., 1, width_in)`` attend to ``nodes`` ``(..., n, width_in)``.

        Returns ``(..., 1, width_out)``, neither normalised nor passed through an activation.
        """
        scores = torch.tanh(self.stack_pair(nodes * stack)) @ self.stack_score  # (..., n, 1)
        attention = torch.softmax(scores / self.temperature, dim=-2)
        gathered: Tensor = self.stack_attended(attention.mT @ nodes) + self.stack_own(stack)
        return gathered
