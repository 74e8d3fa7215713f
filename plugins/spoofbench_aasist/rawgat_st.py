"""RawGAT-ST, which came before AASIST: two graphs, of bands and of frames, multiplied into one.

The front end, the residual blocks and the graph layers are those of AASIST; each graph has an
encoder of its own.

Source: Tak et al., "End-to-end spectro-temporal graph attention networks for speaker verification
anti-spoofing and speech deepfake detection", ASVspoof workshop 2021
(https://arxiv.org/abs/2107.12710).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.layers.graphs import GraphAttention, GraphPool
from spoofbench_aasist.config import AASIST
from spoofbench_aasist.frontend import FrontEnd
from spoofbench_aasist.model import ResidualBlock
from spoofbench_aasist.published import rename_rawgat_st

WIDTHS = (32, 32, 64, 64, 64, 64)
NODE_WIDTH = 32
JOINT_WIDTH = 16
FRAMES = 29
"""Frames of time that 64,600 samples leave: the nodes are projected, so no other number will do."""
TEMPERATURE = 1.0
INPUT_DROPOUT, POOL_DROPOUT = 0.2, 0.3
SPECTRAL_KEEP, TEMPORAL_KEEP, JOINT_KEEP = 0.64, 0.81, 0.64
SPECTRAL_NODES, TEMPORAL_NODES, JOINT_NODES = 14, 23, 7
"""What is kept of 23 bands, of 29 frames and of 12 joint nodes."""
NODES = 12
"""Nodes that either graph is projected to, so that the two can be multiplied."""
WIDEST_MASK = 14
"""Adjacent filters that training may silence, a fifth of all."""


class Encoder(nn.Sequential):
    """Six residual blocks, with the convolutions that the published ones own and never use.

    The first one adds its single channel to each of the channels that it makes of it.
    """

    def __init__(self) -> None:
        widths = (1, *WIDTHS)
        super().__init__(*map(ResidualBlock, widths[:-1], widths[1:]))
        self[0].shortcut = nn.Identity()
        unused = [nn.Conv2d(1, width, (3, 2)).requires_grad_(False) for width in WIDTHS[1:]]
        for block, convolution in zip(list(self)[1:], unused, strict=True):
            block.unused_first = convolution


class NodeGraph(nn.Module):
    """Attention among nodes, the best of them kept, and these projected to a number of nodes."""

    def __init__(self, keep: float, kept: int) -> None:
        super().__init__()
        self.attention = GraphAttention(WIDTHS[-1], NODE_WIDTH, TEMPERATURE, INPUT_DROPOUT)
        self.pool = GraphPool(NODE_WIDTH, keep, POOL_DROPOUT)
        self.project = nn.Linear(kept, NODES)

    def forward(self, nodes: Tensor) -> Tensor:
        """``(batch, n, 64)`` to ``(batch, NODES, NODE_WIDTH)``."""
        projected: Tensor = self.project(self.pool(self.attention(nodes)).mT)
        return projected.mT


class RawGatSt(nn.Module):
    """RawGAT-ST with the two graphs multiplied, for 64,600 samples (63,551 to 65,737)."""

    def __init__(self) -> None:
        super().__init__()
        self.frontend = FrontEnd(AASIST.filters, AASIST.taps, AASIST.rate, widest_mask=WIDEST_MASK)
        self.spectral_encoder = Encoder()
        self.temporal_encoder = Encoder()
        self.spectral = NodeGraph(SPECTRAL_KEEP, SPECTRAL_NODES)
        self.temporal = NodeGraph(TEMPORAL_KEEP, TEMPORAL_NODES)
        self.joint_attention = GraphAttention(NODE_WIDTH, JOINT_WIDTH, TEMPERATURE, INPUT_DROPOUT)
        self.joint_pool = GraphPool(JOINT_WIDTH, JOINT_KEEP, POOL_DROPOUT)
        self.node_value = nn.Linear(JOINT_WIDTH, 1)
        self.head = nn.Linear(JOINT_NODES, 2)
        self.width = JOINT_NODES * JOINT_WIDTH

    def forward(self, audio: Tensor) -> Tensor:
        """Judge ``audio`` ``(batch, time)``: logits ``(batch, 2)`` of spoof and bona fide.

        Raises ValueError for audio that is much shorter or longer than 64,600 samples.
        """
        return self.judge(self._kept_of(audio))

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Sum up ``audio`` ``(batch, time)`` in the joint nodes that are kept."""
        del lengths  # An utterance fills its row.
        return self._kept_of(audio)

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of kept joint nodes ``(batch, width)``."""
        with torch.autocast(embedded.device.type, enabled=False):
            nodes = embedded.view(-1, JOINT_NODES, JOINT_WIDTH)
            logits: Tensor = self.head(self.node_value(nodes).squeeze(2))
        return logits

    def _kept_of(self, audio: Tensor) -> Tensor:
        features = self.frontend(audio)
        by_band = self.spectral_encoder(features)
        if by_band.shape[2] != FRAMES:
            raise ValueError(
                f"{audio.shape[1]:,} samples leave {by_band.shape[2]} frames; this model needs "
                f"{FRAMES}, as of 64,600 samples"
            )
        by_frame = self.temporal_encoder(features)
        with torch.autocast(audio.device.type, enabled=False):
            spectral = by_band.to(self.head.weight).abs().amax(dim=2).mT  # (batch, bands, 64)
            temporal = by_frame.to(self.head.weight).abs().amax(dim=3).mT  # (batch, frames, 64)
            joint = self.spectral(spectral) * self.temporal(temporal)
            kept = self.joint_pool(self.joint_attention(joint))  # (batch, JOINT_NODES, JOINT_WIDTH)
            joined: Tensor = kept.flatten(1)
        return joined

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the bona fide logit of ``audio`` ``(batch, time)``: ``(batch,)``."""
        del lengths
        scores: Tensor = self(audio)[:, 1]
        return scores

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return each utterance's cross entropy ``(batch,)``; ``bonafide`` is ``(batch,)`` bool."""
        del lengths
        return functional.cross_entropy(self(audio), bonafide.long(), reduction="none")

    def rename_published(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors of the published checkpoint under the names of this model."""
        return rename_rawgat_st(state)
