"""AASIST as it was published, layer by layer, slow and obvious: what the fast one is measured by.

Written from the description of the network (Jung et al., ICASSP 2022) in the published order of
layers, with the published names of tensors, so that the published weights load strictly. Features
are ``(batch, channels, bands, frames)``; every intermediate result is written in full.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


def sinc_filters() -> Tensor:
    """Return 70 band-pass filters of 129 taps: ``(70, 1, 129)``."""
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 71)
    edges = 700 * (10 ** (mel / 2595) - 1)
    time = np.arange(-64, 65)
    bank = [
        2 * high / 16_000 * np.sinc(2 * high * time / 16_000)
        - 2 * low / 16_000 * np.sinc(2 * low * time / 16_000)
        for low, high in itertools.pairwise(edges)
    ]
    return torch.tensor(np.hamming(129) * np.array(bank), dtype=torch.float32)[:, None]


def drop(x: Tensor, share: float, training: bool) -> Tensor:
    """Drop a share of ``x`` in training."""
    return functional.dropout(x, share, training)


def selu(x: Tensor) -> Tensor:
    """Activate ``x`` in its place, as published."""
    return functional.selu(x, inplace=True)


class Block(nn.Module):
    """A residual block, its unused pre-activation computed as published."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.first = width_in == 1
        if not self.first:
            self.bn1 = nn.BatchNorm2d(width_in)
        self.conv1 = nn.Conv2d(width_in, width_out, (2, 3), padding=(1, 1))
        self.bn2 = nn.BatchNorm2d(width_out)
        self.conv2 = nn.Conv2d(width_out, width_out, (2, 3), padding=(0, 1))
        self.changes = width_in != width_out
        if self.changes:
            self.conv_downsample = nn.Conv2d(width_in, width_out, (1, 3), padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with a third of its frames."""
        identity = x
        if not self.first:
            selu(self.bn1(x))  # thrown away, as published
        out = self.conv2(selu(self.bn2(self.conv1(x))))
        if self.changes:
            identity = self.conv_downsample(identity)
        out += identity
        return functional.max_pool2d(out, (1, 3))


def vector(width: int) -> nn.Parameter:
    """Return a score vector."""
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(width, 1)))


class Attention(nn.Module):
    """Graph attention on one type of node."""

    def __init__(self, width_in: int, width_out: int, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.att_proj = nn.Linear(width_in, width_out)
        self.att_weight = vector(width_out)
        self.proj_with_att = nn.Linear(width_in, width_out)
        self.proj_without_att = nn.Linear(width_in, width_out)
        self.bn = nn.BatchNorm1d(width_out)

    def forward(self, x: Tensor) -> Tensor:
        """Mix nodes ``(batch, n, width_in)``."""
        x = drop(x, 0.2, self.training)
        pairs = x.unsqueeze(2) * x.unsqueeze(1)  # (batch, n, n, width_in)
        scores = torch.tanh(self.att_proj(pairs)) @ self.att_weight / self.temperature
        attention = functional.softmax(scores, dim=-2)
        x = self.proj_with_att(attention.squeeze(-1) @ x) + self.proj_without_att(x)
        return selu(self.bn(x.reshape(-1, x.shape[-1])).view_as(x))


class Heterogeneous(nn.Module):
    """Graph attention on two types of node with a stack node."""

    def __init__(self, width_in: int, width_out: int, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.proj_type1 = nn.Linear(width_in, width_in)
        self.proj_type2 = nn.Linear(width_in, width_in)
        self.att_proj = nn.Linear(width_in, width_out)
        self.att_projM = nn.Linear(width_in, width_out)
        self.att_weight11 = vector(width_out)
        self.att_weight22 = vector(width_out)
        self.att_weight12 = vector(width_out)
        self.att_weightM = vector(width_out)
        self.proj_with_att = nn.Linear(width_in, width_out)
        self.proj_without_att = nn.Linear(width_in, width_out)
        self.proj_with_attM = nn.Linear(width_in, width_out)
        self.proj_without_attM = nn.Linear(width_in, width_out)
        self.bn = nn.BatchNorm1d(width_out)

    def forward(self, one: Tensor, two: Tensor, stack: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Update nodes of type one and two and the stack node."""
        n = one.shape[1]
        x = torch.cat([self.proj_type1(one), self.proj_type2(two)], dim=1)
        x = drop(x, 0.2, self.training)
        common = torch.tanh(self.att_proj(x.unsqueeze(2) * x.unsqueeze(1)))
        board = torch.zeros_like(common[..., :1])
        board[:, :n, :n] = common[:, :n, :n] @ self.att_weight11
        board[:, n:, n:] = common[:, n:, n:] @ self.att_weight22
        board[:, :n, n:] = common[:, :n, n:] @ self.att_weight12
        board[:, n:, :n] = common[:, n:, :n] @ self.att_weight12
        attention = functional.softmax(board / self.temperature, dim=-2)
        toward = torch.tanh(self.att_projM(x * stack)) @ self.att_weightM / self.temperature
        gathered = functional.softmax(toward, dim=-2).mT @ x
        stack = self.proj_with_attM(gathered) + self.proj_without_attM(stack)
        x = self.proj_with_att(attention.squeeze(-1) @ x) + self.proj_without_att(x)
        x = selu(self.bn(x.reshape(-1, x.shape[-1])).view_as(x))
        return x[:, :n], x[:, n:], stack


class Pool(nn.Module):
    """Keep the best nodes."""

    def __init__(self, keep: float, width: int) -> None:
        super().__init__()
        self.keep = keep
        self.proj = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the best of ``(batch, n, width)``."""
        scores = torch.sigmoid(self.proj(drop(x, 0.3, self.training)))
        kept = max(int(x.shape[1] * self.keep), 1)
        best = torch.topk(scores, kept, dim=1).indices.expand(-1, -1, x.shape[2])
        return torch.gather(x * scores, 1, best)


class PlainAasist(nn.Module):
    """AASIST with 297,866 parameters; a `spoofbench.contracts.Trainable`."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = sinc_filters()  # no buffer: absent from the published state dict
        self.first_bn = nn.BatchNorm2d(1)
        widths = [(1, 32), (32, 32), (32, 64), (64, 64), (64, 64), (64, 64)]
        self.encoder = nn.Sequential(*(nn.Sequential(Block(*width)) for width in widths))
        self.pos_S = nn.Parameter(torch.randn(1, 23, 64))
        self.master1 = nn.Parameter(torch.randn(1, 1, 64))
        self.master2 = nn.Parameter(torch.randn(1, 1, 64))
        self.GAT_layer_S = Attention(64, 64, 2.0)
        self.GAT_layer_T = Attention(64, 64, 2.0)
        self.HtrgGAT_layer_ST11 = Heterogeneous(64, 32, 100.0)
        self.HtrgGAT_layer_ST12 = Heterogeneous(32, 32, 100.0)
        self.HtrgGAT_layer_ST21 = Heterogeneous(64, 32, 100.0)
        self.HtrgGAT_layer_ST22 = Heterogeneous(32, 32, 100.0)
        self.pool_S = Pool(0.5, 64)
        self.pool_T = Pool(0.7, 64)
        self.pool_hS1 = Pool(0.5, 32)
        self.pool_hT1 = Pool(0.5, 32)
        self.pool_hS2 = Pool(0.5, 32)
        self.pool_hT2 = Pool(0.5, 32)
        self.out_layer = nn.Linear(160, 2)

    def forward(self, audio: Tensor) -> Tensor:
        """Return logits ``(batch, 2)``: spoof, bona fide."""
        x = functional.conv1d(audio.unsqueeze(1), self.filters.to(audio)).unsqueeze(1)
        x = functional.max_pool2d(torch.abs(x), (3, 3))
        x = selu(self.first_bn(x))
        x = self.encoder(x)
        spectral = torch.max(torch.abs(x), dim=3).values.mT + self.pos_S
        temporal = torch.max(torch.abs(x), dim=2).values.mT
        spectral = self.pool_S(self.GAT_layer_S(spectral))
        temporal = self.pool_T(self.GAT_layer_T(temporal))
        branches = (
            (self.HtrgGAT_layer_ST11, self.pool_hS1, self.pool_hT1, self.HtrgGAT_layer_ST12),
            (self.HtrgGAT_layer_ST21, self.pool_hS2, self.pool_hT2, self.HtrgGAT_layer_ST22),
        )
        given = []
        for stack, (wide, pool_s, pool_t, narrow) in zip(
            (self.master1, self.master2), branches, strict=True
        ):
            t, s, m = wide(temporal, spectral, stack.expand(len(audio), -1, -1))
            t, s = pool_t(t), pool_s(s)
            more_t, more_s, more_m = narrow(t, s, m)
            given.append([t + more_t, s + more_s, m + more_m])
        parts = [[drop(part, 0.2, self.training) for part in branch] for branch in given]
        t, s, m = (torch.maximum(*pair) for pair in zip(*parts, strict=True))
        readout = torch.cat(
            [
                torch.max(torch.abs(t), dim=1).values,
                t.mean(dim=1),
                torch.max(torch.abs(s), dim=1).values,
                s.mean(dim=1),
                m.squeeze(1),
            ],
            dim=1,
        )
        logits: Tensor = self.out_layer(drop(readout, 0.5, self.training))
        return logits

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the bona fide logit, ``(batch,)``."""
        scores: Tensor = self(audio)[:, 1]
        return scores

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return the cross entropy of each utterance, ``(batch,)``."""
        return functional.cross_entropy(self(audio), bonafide.long(), reduction="none")
