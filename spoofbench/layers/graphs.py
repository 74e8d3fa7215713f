"""Attention among the nodes of graphs, all graphs of a batch at once, and pooling of nodes.

Every graph is complete, with loops: each node attends to every node and to itself. Shapes are
written ``(..., nodes, width)`` where a function takes one graph as well as a batch of them.

Source: Tak et al., "Graph attention networks for anti-spoofing", Interspeech 2021
(https://arxiv.org/abs/2104.03654).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


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
    with torch.inference_mode(False):  # torch.compile takes it only in place
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
