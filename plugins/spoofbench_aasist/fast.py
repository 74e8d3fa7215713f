"""A trained AASIST on a processor: the same scores, several times as fast, in little memory.

The published code spends most of its time writing large tensors and reading them again. Here each
utterance goes through front end and encoder by itself, and each residual block in tiles of time: a
tile is filtered, activated, filtered again, added up and pooled while it lies in the processor's
cache, and only what the pooling leaves is written. Time is the outer axis and channels come last in
memory, so that a tile is one piece of it. Batch norm is folded into the filters before it. What
every step does, and in which order, is as in `spoofbench_aasist.model`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench_aasist import selu
from spoofbench_aasist.frontend import TILE, FrontEnd
from spoofbench_aasist.model import Aasist, ResidualBlock
from spoofbench_aasist.one_channel import (
    FIRST,
    SHORTCUT,
    add_convolved,
    convolved,
    filters_of,
)
from spoofbench_aasist.side_by_side import side_by_side

BLOCK_TILE = 8_192
"""Pooled frames that a residual block computes at a time, times its channels."""
GROUP = 8
"""Utterances whose graphs are computed at a time: enough to be fast, and memory does not grow."""
HALO = 2
"""Frames at either end that a block's two convolutions look beyond a tile; zeros at the ends."""


class FastAasist(nn.Module):
    """Scores as ``model`` does when this is made; later training of its encoder is not seen."""

    def __init__(self, model: Aasist, dtype: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.dtype = dtype
        self.width = model.width
        with torch.no_grad():
            self._filters = _halved(model.frontend)
            self._scale, self._shift = _affine(model.frontend.norm)
            blocks = [cast(ResidualBlock, block) for block in model.encoder]
            self._blocks = [_folded(block, dtype) for block in blocks]

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the bona fide logit of ``audio`` ``(batch, time)``: ``(batch,)``.

        Raises ValueError where ``audio`` is shorter than the model needs.
        """
        return self.judge(self.embed(audio, lengths))[:, 1]

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Sum up ``audio`` ``(batch, time)`` in the readout ``(batch, width)``."""
        del lengths
        self.model.check_length(audio)
        with torch.autocast(audio.device.type, enabled=False):
            return torch.cat([self._summed_up(group) for group in torch.split(audio, GROUP)])

    def _summed_up(self, audio: Tensor) -> Tensor:
        summed_up: Tensor = self.model.readout(
            torch.cat(side_by_side(lambda row: self._encode(audio[row]), len(audio)))
        )
        return summed_up

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of a readout ``(batch, width)``."""
        return self.model.judge(embedded)

    def _encode(self, audio: Tensor) -> Tensor:
        """Return features ``(1, deep, frames, bands)`` of ``audio`` ``(time,)``."""
        features = self._front(audio.to(self._filters.dtype))
        for block in self._blocks:
            features = block.through(features)
        return features[:, :, HALO:-HALO].to(self.model.head.weight)

    def _front(self, audio: Tensor) -> Tensor:
        """Filter and pool ``audio`` ``(time,)``: ``(1, 1, frames + 4, bands)``."""
        bands, overlap = len(self._filters) // 3, 2 * (self._filters.shape[1] - 1)
        frames = (len(audio) - overlap) // 3
        padded = audio.new_zeros(1, frames + 2 * HALO, bands, 1)
        out = padded[0, HALO:-HALO, :, 0].T  # (bands, frames)
        for start in range(0, frames, TILE):
            end = min(start + TILE, frames)
            response = self._filtered(audio[3 * start : 3 * end + overlap])
            largest = response.abs_().view(bands, 3, -1, 3).amax(dim=1).amax(dim=2)
            out[:, start:end] = selu.selu_(largest.mul_(self._scale).add_(self._shift))
        return padded.permute(0, 3, 1, 2)

    def _filtered(self, audio: Tensor) -> Tensor:
        """Return the response ``(filters, samples)`` to ``audio`` ``(time,)``.

        Filters are symmetric, so that two samples as far from the middle tap are added first.
        """
        middle = self._filters.shape[1] - 1
        met = audio.unfold(0, len(audio) - 2 * middle, 1)  # (taps, samples), a view
        folded = met[middle:].flip(0)
        folded[:middle].add_(met[:middle])
        return self._filters @ folded


@dataclass(frozen=True)
class _Block(ABC):
    """A residual block that computes in tiles.

    Its filters have taken in the batch norm and the factors of SELU between them.
    """

    first: Tensor
    activate: selu.Activation
    second: Tensor
    second_bias: Tensor
    """With that of the shortcut."""
    shortcut: Tensor | None

    def through(self, features: Tensor) -> Tensor:
        """Take ``(1, width_in, frames + 4, bands)`` through: as many rows around a third."""
        frames = features.shape[2] - 2 * HALO
        pooled = frames // 3
        padded = self.second.new_empty(1, pooled + 2 * HALO, features.shape[3], len(self.second))
        padded[:, :HALO] = 0
        padded[:, -HALO:] = 0
        out = padded.permute(0, 3, 1, 2)
        tile = BLOCK_TILE // len(self.second)
        for start in range(0, pooled, tile):
            end = min(start + tile, pooled)
            piece = features[:, :, 3 * start : 3 * end + 2 * HALO]
            here = out[:, :, start + HALO : end + HALO]
            self._pool(piece, here, is_first=start == 0, is_last=3 * end == frames)
        return out

    def _pool(self, piece: Tensor, out: Tensor, *, is_first: bool, is_last: bool) -> None:
        """Write what comes of ``piece``, which has two frames more at either end, into ``out``."""
        hidden = self.activate(self.filtered(piece)).to(self.second)
        if is_first:
            hidden[:, :, 0] = 0  # the second convolution pads with zeros, not with what is here
        if is_last:
            hidden[:, :, -1] = 0
        summed = functional.conv2d(hidden, self.second, self.second_bias)
        self.add_shortcut(piece, summed)
        one, two, three = (summed[:, :, number::3] for number in range(3))
        torch.maximum(torch.maximum(one, two), three, out=out)

    @abstractmethod
    def filtered(self, piece: Tensor) -> Tensor:
        """Return what the first convolution gives for ``piece``, one frame less at either end."""

    @abstractmethod
    def add_shortcut(self, piece: Tensor, onto: Tensor) -> None:
        """Add what passes by the convolutions: ``onto`` has two frames less at either end."""


@dataclass(frozen=True)
class _ManyChannels(_Block):
    first_bias: Tensor

    def filtered(self, piece: Tensor) -> Tensor:
        return functional.conv2d(piece, self.first, self.first_bias, padding=(0, 1))

    def add_shortcut(self, piece: Tensor, onto: Tensor) -> None:
        if self.shortcut is None:
            onto += piece[:, :, HALO:-HALO]
        else:
            onto += functional.conv2d(piece[:, :, 1:-1], self.shortcut)


class _OneChannel(_Block):
    """Filters as in `spoofbench_aasist.one_channel`; the first compute in float32 in any case."""

    def filtered(self, piece: Tensor) -> Tensor:
        return convolved(functional.pad(piece[0, 0], (1, 1)), self.first, FIRST)

    def add_shortcut(self, piece: Tensor, onto: Tensor) -> None:
        if self.shortcut is None:
            onto += piece[:, :, HALO:-HALO]
        else:
            add_convolved(piece[0, 0, 1:-1].to(onto), self.shortcut, SHORTCUT, onto)


def _folded(block: ResidualBlock, dtype: torch.dtype) -> _Block:
    one_channel = block.first.in_channels == 1
    activate = selu.bare(block.first.weight.dtype if one_channel else dtype)
    scale, shift = _affine(block.norm)
    first = activate.before * scale[:, None, None, None] * block.first.weight
    first_bias = activate.before * (_bias(block.first) * scale + shift) - activate.shift
    second = _channels_last(activate.after * block.second.weight, dtype)
    second_bias = _bias(block.second)
    shortcut: Tensor | None = None
    if isinstance(block.shortcut, nn.Conv2d):
        shortcut, second_bias = block.shortcut.weight, second_bias + _bias(block.shortcut)
    second_bias = second_bias.to(dtype)
    if one_channel:
        if shortcut is not None:
            shortcut = filters_of(shortcut, torch.zeros_like(first_bias)).to(dtype)
        filters = filters_of(first, first_bias)
        return _OneChannel(filters, activate, second, second_bias, shortcut)
    if shortcut is not None:
        shortcut = _channels_last(shortcut, dtype)
    first = _channels_last(first, dtype)
    return _ManyChannels(first, activate, second, second_bias, shortcut, first_bias.to(dtype))


def _bias(convolution: nn.Conv2d) -> Tensor:
    return torch.zeros(()) if convolution.bias is None else convolution.bias


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return what batch norm multiplies by in evaluation, and what it adds, ``(channels,)``."""
    state = norm.state_dict()
    scale = norm.weight * torch.rsqrt(state["running_var"] + norm.eps)
    return scale, norm.bias - state["running_mean"] * scale


def _channels_last(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """Return ``weight`` with strides that say so also where a dimension is 1."""
    return weight.to(dtype).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


def _halved(frontend: FrontEnd) -> Tensor:
    """Return the filters up to their middle tap, ``(filters, taps // 2 + 1)``."""
    return frontend.filters[:, 0, : frontend.filters.shape[-1] // 2 + 1].contiguous()
