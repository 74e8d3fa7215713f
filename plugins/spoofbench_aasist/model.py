"""AASIST: sinc filters, a residual encoder, and two branches of heterogeneous graph attention.

Features are ``(batch, channels, frames, bands)``: time is the outer axis and channels come last in
memory, the order that suits a CPU's convolutions and poolings.

Source: Jung et al., ICASSP 2022 (https://arxiv.org/abs/2110.01200).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.contracts import Countermeasure
from spoofbench.layers.graphs import GraphAttention, GraphPool
from spoofbench_aasist.config import AASIST, AASIST_L, AasistConfig
from spoofbench_aasist.frontend import FrontEnd
from spoofbench_aasist.graph import Graph, HeterogeneousAttention
from spoofbench_aasist.published import rename
from spoofbench_aasist.sequential import (
    SequentialGraphAttention,
    SequentialHeterogeneousAttention,
)
from spoofbench_aasist.tiles.autograd import note, through
from spoofbench_aasist.tiles.block import Weights


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, then the largest of every three frames."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width_in, width_out, (3, 2), padding=(1, 1))
        self.norm = nn.BatchNorm2d(width_out)
        self.second = nn.Conv2d(width_out, width_out, (3, 2), padding=(1, 0))
        self.shortcut: nn.Module = nn.Identity()
        if width_in != width_out:
            self.shortcut = nn.Conv2d(width_in, width_out, (3, 1), padding=(1, 0))
        if width_in > 1:
            # The published code normalises its input with this and drops the result. The weights
            # are in the checkpoint; using them would change every score. They got no gradient
            # there, so that weight decay passed them by: here they ask for none.
            self.unused_norm = nn.BatchNorm2d(width_in).requires_grad_(False)

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, width_in, frames, bands)`` to ``(batch, width_out, frames // 3, bands)``."""
        on_processor = features.device.type == "cpu"
        if self.training and on_processor and not torch.compiler.is_compiling():
            return self._in_tiles(features)  # a compiler gets the layers: it would unroll tiles
        hidden = self.first(features)  # (batch, width_out, frames, bands + 1)
        hidden = functional.selu(self.norm(hidden))
        hidden = self.second(hidden)  # (batch, width_out, frames, bands)
        return functional.max_pool2d(hidden + self.shortcut(features), (3, 1))

    def _in_tiles(self, features: Tensor) -> Tensor:
        """Do the same, and leave the same statistics; see `spoofbench_aasist.tiles`."""
        learned = dict(self.named_parameters())
        weights = Weights(
            first=self.first.weight,
            first_bias=learned["first.bias"],
            norm=self.norm.weight,
            norm_bias=self.norm.bias,
            second=self.second.weight,
            second_bias=learned["second.bias"],
            shortcut=learned.get("shortcut.weight"),
            shortcut_bias=learned.get("shortcut.bias"),
        )
        out = through(features, weights, self.norm.eps)
        note(self.norm, out)
        return out.features


class Branch(nn.Module):
    """Two heterogeneous layers with a pooling between them, and a stack node of their own."""

    def __init__(self, config: AasistConfig, attention: type[HeterogeneousAttention]) -> None:
        super().__init__()
        wide, narrow, dropout = config.graph_width, config.node_width, config.input_dropout
        self.stack = nn.Parameter(torch.randn(1, 1, wide))
        self.first = attention(wide, narrow, config.joint_temperature, dropout)
        self.temporal_pool = GraphPool(narrow, config.hidden_keep, config.pool_dropout)
        self.spectral_pool = GraphPool(narrow, config.hidden_keep, config.pool_dropout)
        self.second = attention(narrow, narrow, config.joint_temperature, dropout)
        self.dropout = nn.Dropout(config.branch_dropout)

    def forward(self, temporal: Tensor, spectral: Tensor) -> Graph:
        """Join nodes ``(batch, n, graph_width)`` of either type in one graph of ``node_width``."""
        stack = self.stack.expand(len(temporal), -1, -1)  # (batch, 1, graph_width)
        wide: Graph = self.first(Graph(temporal, spectral, stack))
        graph = Graph(
            self.temporal_pool(wide.temporal), self.spectral_pool(wide.spectral), wide.stack
        )
        update: Graph = self.second(graph)
        return Graph(*(self.dropout(old + new) for old, new in zip(graph, update, strict=True)))


class Aasist(nn.Module):
    """AASIST, for any input of at least ``config.min_samples`` samples."""

    def __init__(
        self,
        config: AasistConfig,
        attention: type[GraphAttention] = GraphAttention,
        joint_attention: type[HeterogeneousAttention] = HeterogeneousAttention,
    ) -> None:
        super().__init__()
        self.config = config
        self.frontend = FrontEnd(config.filters, config.taps, config.rate)
        widths = (1, *config.widths)
        self.encoder = nn.Sequential(*map(ResidualBlock, widths[:-1], widths[1:]))
        deep, wide = config.widths[-1], config.graph_width
        self.position = nn.Parameter(torch.randn(1, config.bands, deep))
        dropout, pool_dropout = config.input_dropout, config.pool_dropout
        self.spectral_attention = attention(deep, wide, config.temperature, dropout)
        self.temporal_attention = attention(deep, wide, config.temperature, dropout)
        self.spectral_pool = GraphPool(wide, config.spectral_keep, pool_dropout)
        self.temporal_pool = GraphPool(wide, config.temporal_keep, pool_dropout)
        self.branches = nn.ModuleList(Branch(config, joint_attention) for _ in range(2))
        self.dropout = nn.Dropout(config.readout_dropout)
        self.width = 5 * config.node_width
        self.head = nn.Linear(self.width, 2)

    def forward(self, audio: Tensor) -> Tensor:
        """Judge ``audio`` ``(batch, time)``: logits ``(batch, 2)`` of spoof and bona fide.

        Raises ValueError where ``audio`` is shorter than ``config.min_samples``.
        """
        return self.judge(self._readout_of(audio))

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Sum up ``audio`` ``(batch, time)`` in the readout ``(batch, width)``."""
        del lengths  # An utterance fills its row: it comes cropped, or repeated, to the length.
        return self._readout_of(audio)

    def _readout_of(self, audio: Tensor) -> Tensor:
        self.check_length(audio)
        encoded = self.encoder(self.frontend(audio))  # (batch, deep, frames, bands)
        # At its high temperature the attention is close to uniform, and half precision would make
        # it so. The graphs are a thousandth of the work: they keep the precision of the weights.
        with torch.autocast(audio.device.type, enabled=False):
            return self.readout(encoded.to(self.head.weight))

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of a readout ``(batch, width)``."""
        with torch.autocast(embedded.device.type, enabled=False):
            logits: Tensor = self.head(self.dropout(embedded))
        return logits

    def check_length(self, audio: Tensor) -> None:
        """Raise ValueError where ``audio`` ``(batch, time)`` is too short."""
        if audio.shape[-1] < self.config.min_samples:
            raise ValueError(
                f"the input has {audio.shape[-1]:,} samples; this model needs at least "
                f"{self.config.min_samples:,}: repeat the audio until it is as long"
            )

    def readout(self, encoded: Tensor) -> Tensor:
        """Sum up features ``(batch, deep, frames, bands)`` in ``(batch, 5 node_width)``."""
        magnitude = encoded.abs()
        spectral = magnitude.max(dim=2).values.mT + self.position  # (batch, bands, deep)
        temporal = magnitude.max(dim=3).values.mT  # (batch, frames, deep)
        spectral = self.spectral_pool(self.spectral_attention(spectral))
        temporal = self.temporal_pool(self.temporal_attention(temporal))
        one, other = (branch(temporal, spectral) for branch in self.branches)
        graph = Graph(*map(torch.maximum, one, other))
        parts = (
            graph.temporal.abs().max(dim=1).values,
            graph.temporal.mean(dim=1),
            graph.spectral.abs().max(dim=1).values,
            graph.spectral.mean(dim=1),
            graph.stack.squeeze(1),
        )
        return torch.cat(parts, dim=1)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the bona fide logit of ``audio`` ``(batch, time)``: ``(batch,)``.

        The published scores are this logit alone. The logits are free of each other, so that their
        difference, which is what a softmax ranks by, can put trials in another order.
        """
        del lengths
        scores: Tensor = self(audio)[:, 1]
        return scores

    def optimise(self, dtype: torch.dtype) -> Countermeasure:
        """Return what scores as this model does now on a processor, only faster.

        See `spoofbench_aasist.fast`. With ``dtype`` bfloat16 the encoder computes in that.
        """
        from spoofbench_aasist.fast import FastAasist

        return FastAasist(self, dtype)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return each utterance's cross entropy ``(batch,)``; ``bonafide`` is ``(batch,)`` bool."""
        del lengths
        return functional.cross_entropy(self(audio), bonafide.long(), reduction="none")

    def rename_published(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors of a published checkpoint under the names of this model."""
        return rename(state)


def aasist() -> Aasist:
    """Build AASIST, 297,866 parameters."""
    return Aasist(AASIST)


def aasist_l() -> Aasist:
    """Build AASIST-L, 85,306 parameters."""
    return Aasist(AASIST_L)


def aasist_sequential() -> Aasist:
    """Build AASIST with its attention one graph at a time; see `spoofbench_aasist.sequential`."""
    return Aasist(AASIST, SequentialGraphAttention, SequentialHeterogeneousAttention)
