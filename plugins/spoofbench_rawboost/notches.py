"""Filters with notches at drawn places, designed for many waveforms at once.

A filter is the window method's: an ideal band-stop under a Hamming window, its gain at 0 Hz made 1,
as `scipy.signal.firwin` does it; several follow one another. All are symmetric about 0, so that
their responses are real and nothing moves in time.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from spoofbench.robustness.blocks import BLOCK, response

BANDS = 5
"""Notches of one filter."""
CENTRE_HZ = (20.0, 8000.0)
WIDTH_HZ = (100.0, 1000.0)
TAPS = (10, 100)
"""Taps of a notch."""
DRAWS = 3 * BANDS
"""Numbers that a filter is drawn from."""

REACH = BANDS * (TAPS[1] // 2)
"""Samples by which a filter spreads sound, before and after."""
_RESPONSES = 512
"""Frequencies at which the largest gain is looked for, from 0 up to half the rate."""
_LOWEST = 1.0 / 1000
_TINY = 1e-12


def notches(drawn: Tensor, rate: int) -> Tensor:
    """Return the responses ``(..., BLOCK // 2 + 1)`` of filters, their largest gain 1.

    ``drawn`` ``(..., DRAWS)`` are numbers from 0 to 1: centre, width and taps of each notch.
    """
    centre, width, taps = drawn.reshape(*drawn.shape[:-1], BANDS, 3).unbind(-1)
    taps = _between((float(TAPS[0]), float(TAPS[1]) + 1), taps).floor()
    half = (taps / 2).floor()  # so many on either side of the one in the middle
    low, high = _edges(_between(CENTRE_HZ, centre), _between(WIDTH_HZ, width), rate / 2)
    whole: Tensor = response(_band_stop(low, high, half)).prod(dim=-2)
    searched = whole[..., : -1 : BLOCK // 2 // _RESPONSES]
    return whole / searched.abs().amax(dim=-1, keepdim=True).clamp(min=_TINY)


def _band_stop(low: Tensor, high: Tensor, half: Tensor) -> Tensor:
    """Return the taps ``(..., TAPS[1] // 2 + 1)`` from the middle on, as `firwin` makes them.

    ``low`` and ``high`` are the edges as shares of half the rate.
    """
    place = torch.arange(TAPS[1] // 2 + 1, device=low.device, dtype=low.dtype)
    low, high, half = low[..., None], high[..., None], half[..., None]
    ideal = low * torch.sinc(low * place) + torch.sinc(place) - high * torch.sinc(high * place)
    window = 0.54 + 0.46 * torch.cos(math.pi * place / half)
    taps = torch.where(place <= half, ideal * window, 0.0)
    return taps / (2 * taps.sum(dim=-1, keepdim=True) - taps[..., :1])


def _edges(centre: Tensor, width: Tensor, half_rate: float) -> tuple[Tensor, Tensor]:
    """Return the edges of bands, shares of ``half_rate``, inside it and apart from one another."""
    low = (centre - width / 2).clamp(min=_LOWEST * half_rate)
    high = torch.maximum(centre + width / 2, low + _LOWEST * half_rate)
    high = high.clamp(max=(1 - _LOWEST) * half_rate)
    low = torch.minimum(low, high - _LOWEST * half_rate)
    return low / half_rate, high / half_rate


def _between(ends: tuple[float, float], drawn: Tensor) -> Tensor:
    low, high = ends
    return low + (high - low) * drawn
