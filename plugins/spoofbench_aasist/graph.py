"""Graph attention over all graphs of a batch at once, and the pooling of graphs.

Every graph is complete, with loops: each node attends to every node and to itself. Shapes are
written ``(..., nodes, width)`` where a function takes one graph as well as a batch of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Graph(NamedTuple):
    """A heterogeneous graph: two types of node, and the stack node that gathers from both."""

    temporal: Tensor
    """``(batch, temporal nodes, width)``"""
    spectral: Tensor
    """``(batch, spectral nodes, width)``"""
    stack: Tensor
    """``(batch, 1, width)``"""


def score_vector(width: int) -> nn.Parameter:
    """Make the vector ``(width, 1)`` that turns what a pair of nodes has in common into a score."""
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(width, 1)))


class Pairs(NamedTuple):
    """The pairs of n nodes: what two have in common does not hang on which comes first."""

    first: Tensor
    """``(pairs,)``: the lower node of each pair, ``n (n + 1) / 2`` of them."""
    second: Tensor
    """``(pairs,)``: the higher one."""
    place: Tensor
    """``(n, n)``: which pair any two nodes are."""


@lru_cache(maxsize=32)
def pairs_of(count: int, device: torch.device) -> Pairs:
    """Return the pairs of ``count`` nodes."""
    with torch.inference_mode(mode=False):
        first, second = torch.triu_indices(count, count, device=device)
        place = torch.empty(count, count, dtype=torch.long, device=device)
        place[first, second] = place[second, first] = torch.arange(len(first), device=device)
    return Pairs(first, second, place)


def products(nodes: Tensor, pairs: Pairs) -> Tensor:
    """Multiply ``nodes`` ``(..., n, width)`` pair by pair: ``(..., pairs, width)``."""
    return nodes[..., pairs.first, :] * nodes[..., pairs.second, :]


def normalise(norm: nn.BatchNorm1d, nodes: Tensor) -> Tensor:
    """Normalise ``nodes`` ``(batch, n, width)`` over all nodes of all graphs, then SELU."""
    return functional.selu(norm(nodes.flatten(0, 1))).view_as(nodes)


class GraphAttention(nn.Module):
    """Each node becomes a mixture of all nodes of its graph, weighed by likeness."""

    def __init__(self, width_in: int, width_out: int, temperature: float, dropout: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.dropout = nn.Dropout(dropout)
        self.pair = nn.Linear(width_in, width_out)
        self.score = score_vector(width_out)
        self.attended = nn.Linear(width_in, width_out)
        self.own = nn.Linear(width_in, width_out)
        self.norm = nn.BatchNorm1d(width_out)

    def forward(self, nodes: Tensor) -> Tensor:
        """Mix ``nodes`` ``(batch, n, width_in)`` into ``(batch, n, width_out)``."""
        return normalise(self.norm, self.mix(self.dropout(nodes)))

    def mix(self, nodes: Tensor) -> Tensor:
        """Attend within each graph: ``(..., n, width_in)`` to ``(..., n, width_out)``."""
        pairs = pairs_of(nodes.shape[-2], nodes.device)
        scores = torch.tanh(self.pair(products(nodes, pairs))) @ self.score  # (..., pairs, 1)
        scores = scores.squeeze(-1)[..., pairs.place]  # (..., n, n)
        attention = torch.softmax(scores / self.temperature, dim=-1)
        mixed: Tensor = self.attended(attention @ nodes) + self.own(nodes)
        return mixed


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


class GraphPool(nn.Module):
    """Keep the highest-scoring share of the nodes, each scaled by its score."""

    def __init__(self, width: int, keep: float, dropout: float) -> None:
        super().__init__()
        self.keep = keep
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(width, 1)

    def forward(self, nodes: Tensor) -> Tensor:
        """Keep some of ``nodes`` ``(batch, n, width)``, best first: ``(batch, kept, width)``."""
        kept = max(int(nodes.shape[1] * self.keep), 1)
        scores = torch.sigmoid(self.score(self.dropout(nodes)))  # (batch, n, 1)
        best = scores.topk(kept, dim=1).indices  # (batch, kept, 1)
        return (nodes * scores).gather(1, best.expand(-1, -1, nodes.shape[2]))
