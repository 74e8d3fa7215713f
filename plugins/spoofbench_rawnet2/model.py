"""RawNet2 for anti-spoofing, as the ASVspoof 2021 baseline has it.

Source: Tak et al., "End-to-end anti-spoofing with RawNet2", ICASSP 2021
(https://arxiv.org/abs/2011.01108), and the LA baseline of
https://github.com/asvspoof-challenge/2021.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.layers.sinc import sinc_bank

RATE = 16_000
FILTERS, TAPS = 20, 1_025
WIDTHS = (20, 20, 128, 128, 128, 128)
RECURRENT, RECURRENT_LAYERS = 1_024, 3
SLOPE = 0.3
MIN_SAMPLES = TAPS - 1 + 3 ** (1 + len(WIDTHS))
"""Each of the poolings by three must leave one frame."""

_BLOCK = {
    "bn1": "unused_norm",
    "bn2": "norm",
    "conv1": "first",
    "conv2": "second",
    "conv_downsample": "shortcut",
}
_OTHERS = {
    "first_bn": "norm",
    "bn_before_gru": "last_norm",
    "gru": "recurrent",
    "fc1_gru": "hidden",
    "fc2_gru": "head",
}
NAMES = (
    _OTHERS
    | {f"block{n}.0.{old}": f"blocks.{n}.{new}" for n in range(6) for old, new in _BLOCK.items()}
    | {f"fc_attention{n}.0": f"blocks.{n}.gate" for n in range(6)}
)
"""Published names of modules, and ours."""


class Block(nn.Module):
    """Two convolutions beside a shortcut, the largest of every three frames, and a gate."""

    def __init__(self, width_in: int, width_out: int, *, is_first: bool) -> None:
        super().__init__()
        self.first = nn.Conv1d(width_in, width_out, 3, padding=1)
        self.norm = nn.BatchNorm1d(width_out)
        self.second = nn.Conv1d(width_out, width_out, 3, padding=1)
        self.shortcut: nn.Module = nn.Identity()
        if width_in != width_out:
            self.shortcut = nn.Conv1d(width_in, width_out, 1)
        if not is_first:
            # Published, and its result never used: see `spoofbench_aasist.model`.
            self.unused_norm = nn.BatchNorm1d(width_in).requires_grad_(False)
        self.gate = nn.Linear(width_out, width_out)

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, width_in, frames)`` to ``(batch, width_out, frames // 3)``."""
        hidden = functional.leaky_relu(self.norm(self.first(features)), SLOPE)
        pooled = functional.max_pool1d(self.second(hidden) + self.shortcut(features), 3)
        gate = torch.sigmoid(self.gate(pooled.mean(dim=2))).unsqueeze(2)
        return pooled * gate + gate


class RawNet2(nn.Module):
    """Fixed sinc filters, six residual blocks with gates, three recurrent layers."""

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        bank = sinc_bank(FILTERS, TAPS, RATE)[:, None]
        self.register_buffer("filters", bank.to(torch.get_default_dtype()), persistent=False)
        self.norm = nn.BatchNorm1d(FILTERS)
        widths = (FILTERS, *WIDTHS)
        self.blocks = nn.Sequential(
            *(Block(widths[n], widths[n + 1], is_first=n == 0) for n in range(len(WIDTHS)))
        )
        self.last_norm = nn.BatchNorm1d(WIDTHS[-1])
        self.recurrent = nn.GRU(WIDTHS[-1], RECURRENT, RECURRENT_LAYERS, batch_first=True)
        self.hidden = nn.Linear(RECURRENT, RECURRENT)
        self.width = RECURRENT
        self.head = nn.Linear(self.width, 2)

    def forward(self, audio: Tensor) -> Tensor:
        """Judge ``audio`` ``(batch, time)``: logits ``(batch, 2)`` of spoof and bona fide.

        Raises ValueError where ``audio`` is shorter than `MIN_SAMPLES`.
        """
        return self.judge(self._summed_up(audio))

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Sum up ``audio`` ``(batch, time)`` in ``(batch, width)``."""
        del lengths  # An utterance fills its row.
        return self._summed_up(audio)

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of what is summed up, ``(batch, width)``."""
        logits: Tensor = self.head(embedded)
        return logits

    def _summed_up(self, audio: Tensor) -> Tensor:
        if audio.shape[1] < MIN_SAMPLES:
            raise ValueError(f"{audio.shape[1]:,} samples; this model needs {MIN_SAMPLES:,}")
        response = functional.conv1d(audio[:, None], self.filters)
        features = functional.selu(self.norm(functional.max_pool1d(response.abs(), 3)))
        features = functional.selu(self.last_norm(self.blocks(features)))
        states, _ = self.recurrent(features.mT)
        summed: Tensor = self.hidden(states[:, -1])
        return summed

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the difference of the logits of ``audio`` ``(batch, time)``: ``(batch,)``.

        The published scores are the logarithm of the softmax, which ranks the same, but runs into
        zero for what is surely bona fide: in float32 such trials tie.
        """
        del lengths
        logits: Tensor = self(audio)
        return logits[:, 1] - logits[:, 0]

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return each utterance's cross entropy ``(batch,)``; ``bonafide`` is ``(batch,)`` bool."""
        del lengths
        return functional.cross_entropy(self(audio), bonafide.long(), reduction="none")

    def rename_published(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors of a published checkpoint under the names of this model."""
        return {_renamed(name): tensor for name, tensor in state.items()}


def _renamed(name: str) -> str:
    module, _, leaf = name.rpartition(".")
    return f"{NAMES[module]}.{leaf}" if module in NAMES else name
