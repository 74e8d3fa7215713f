"""Fixed band-pass filters on a waveform."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sinc_bank(filters: int, taps: int, rate: int) -> Tensor:
    """Adjacent band-pass filters, evenly spaced on the mel scale: ``(filters, taps)``, float64.

    Each is the difference of two ideal low-pass filters under a Hamming window. The edges are
    ``filters + 1`` points from 0 Hz to ``rate / 2``, mel = 2595 log10(1 + Hz / 700).
    """
    top = 2595 * math.log10(1 + rate / 2 / 700)
    mel = torch.linspace(0, top, filters + 1, dtype=torch.float64)
    edges = 2 * 700 * (10 ** (mel / 2595) - 1) / rate  # (filters + 1,), 1 is half the rate
    time = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    low_pass = edges[:, None] * torch.sinc(edges[:, None] * time)  # (filters + 1, taps)
    window = torch.hamming_window(taps, periodic=False, dtype=torch.float64)
    return low_pass.diff(dim=0) * window
