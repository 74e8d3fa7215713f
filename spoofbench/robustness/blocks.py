"""Filtering by overlap and add, many waveforms at once, wherever they lie."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 4096
"""Samples that are transformed at once. Up to here, no number of rows or threads changes a bit."""


def response(taps: Tensor) -> Tensor:
    """Return the response ``(..., BLOCK // 2 + 1)`` of a filter that is symmetric about 0.

    ``taps`` ``(..., reach + 1)`` are its taps from the middle on. The response is real.
    """
    whole: Tensor = torch.fft.hfft(taps.to(torch.complex128), n=BLOCK)
    return whole[..., : BLOCK // 2 + 1]


def spectra(audio: Tensor, reach: int) -> Tensor:
    """Return the spectra ``(..., blocks, BLOCK // 2 + 1)`` of ``audio`` ``(..., time)``.

    They can be added up, and multiplied by a `response` that spreads sound by at most ``reach``
    samples before and after.
    """
    step = BLOCK - 2 * reach
    whole = functional.pad(audio, (0, -audio.shape[-1] % step))
    blocks = whole.reshape(*whole.shape[:-1], -1, step)
    made: Tensor = torch.fft.rfft(functional.pad(blocks, (reach, reach)))
    return made


def joined(filtered: Tensor, samples: int, reach: int) -> Tensor:
    """Return the audio ``(..., samples)`` of ``filtered`` `spectra`."""
    blocks = torch.fft.irfft(filtered, n=BLOCK)
    before, own, after = blocks.split([reach, BLOCK - 2 * reach, reach], dim=-1)
    own[..., 1:, :reach] += after[..., :-1, :]
    own[..., :-1, -reach:] += before[..., 1:, :]
    whole: Tensor = own.flatten(-2)
    return whole[..., :samples]
