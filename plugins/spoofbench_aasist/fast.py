"""A trained AASIST on a processor: the same scores, several times as fast, in little memory.

The published code spends most of its time writing large tensors and reading them again. Here each
utterance goes through front end and encoder by itself, and each residual block in tiles of time: a
tile is filtered, activated, filtered again, added up and pooled while it lies in the processor's
cache, and only what the pooling leaves is written. Time is the outer axis and channels come last in
memory, so that a tile is one piece of it. Batch norm is folded into the filters before it. What
every step does, and in which order, is as in `spoofbench_aasist.model`.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench_aasist.frontend import TILE, FrontEnd
from spoofbench_aasist.model import Aasist, ResidualBlock

BLOCK_TILE = 512
"""Pooled frames that a residual block computes at a time."""
GROUP = 16
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
            self._filters = _three_apart(model.frontend)
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
            torch.cat([self._encode(own[None]) for own in audio])
        )
        return summed_up

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of a readout ``(batch, width)``."""
        return self.model.judge(embedded)

    def _encode(self, audio: Tensor) -> Tensor:
        """Return features ``(1, deep, frames, bands)`` of ``audio`` ``(1, time)``."""
        features = self._front(audio.to(self._filters.dtype)).to(self.dtype)
        for block in self._blocks:
            features = _through(block, features)
        return features[:, :, HALO:-HALO].to(self.model.head.weight)

    def _front(self, audio: Tensor) -> Tensor:
        """Filter and pool ``audio`` ``(1, time)``: ``(1, 1, frames + 4, bands)``."""
        bands = len(self._filters) // 3
        overlap = self._filters.shape[-1] - 1
        frames = (audio.shape[1] - overlap) // 3
        padded = audio.new_zeros(1, frames + 2 * HALO, bands, 1)
        out = padded[0, HALO:-HALO, :, 0].T  # (bands, frames)
        for start in range(0, frames, TILE):
            end = min(start + TILE, frames)
            piece = audio[:, None, 3 * start : 3 * end + overlap]
            response = functional.conv1d(piece, self._filters).abs_().view(3, bands, -1)
            highest = torch.maximum(torch.maximum(response[0], response[1]), response[2])
            largest = highest.view(bands, -1, 3).amax(dim=2)  # (bands, end - start)
            out[:, start:end] = functional.selu_(largest.mul_(self._scale).add_(self._shift))
        return padded.permute(0, 3, 1, 2)


class _Block(NamedTuple):
    """The weights of a residual block, channels last, its batch norm folded into the first."""

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    """With that of the shortcut."""
    shortcut: Tensor | None


def _through(block: _Block, features: Tensor) -> Tensor:
    """Take ``(1, width_in, frames + 4, bands)`` through a block: as many rows around a third."""
    frames = features.shape[2] - 2 * HALO
    pooled = frames // 3
    padded = features.new_empty(1, pooled + 2 * HALO, features.shape[3], len(block.second))
    padded[:, :HALO] = 0
    padded[:, -HALO:] = 0
    out = padded.permute(0, 3, 1, 2)
    for start in range(0, pooled, BLOCK_TILE):
        end = min(start + BLOCK_TILE, pooled)
        piece = features[:, :, 3 * start : 3 * end + 2 * HALO]
        hidden = functional.selu_(
            functional.conv2d(piece, block.first, block.first_bias, padding=(0, 1))
        )
        if start == 0:
            hidden[:, :, 0] = 0  # the second convolution pads with zeros, not with what is here
        if 3 * end == frames:
            hidden[:, :, -1] = 0
        summed = functional.conv2d(hidden, block.second, block.second_bias)
        if block.shortcut is None:
            summed += piece[:, :, HALO:-HALO]
        else:
            summed += functional.conv2d(piece[:, :, 1:-1], block.shortcut)
        rows = (summed[:, :, row::3] for row in range(3))
        largest = torch.maximum(next(rows), next(rows))
        torch.maximum(largest, next(rows), out=out[:, :, start + HALO : end + HALO])
    return out


def _folded(block: ResidualBlock, dtype: torch.dtype) -> _Block:
    scale, shift = _affine(block.norm)
    shortcut, bias = None, _bias(block.second)
    if isinstance(block.shortcut, nn.Conv2d):
        shortcut, bias = _channels_last(block.shortcut.weight, dtype), bias + _bias(block.shortcut)
    return _Block(
        first=_channels_last(block.first.weight * scale[:, None, None, None], dtype),
        first_bias=(_bias(block.first) * scale + shift).to(dtype),
        second=_channels_last(block.second.weight, dtype),
        second_bias=bias.to(dtype),
        shortcut=shortcut,
    )


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


def _three_apart(frontend: FrontEnd) -> Tensor:
    """Return the filters in such an order that those of a band are a third of them apart."""
    count = len(frontend.filters)
    order = torch.arange(count).view(count // 3, 3).T.reshape(-1)
    return frontend.filters[order].contiguous()
