"""F0 of a waveform, by autocorrelation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from spoofbench_toy.frames import RATE, Array, cut, hann
from spoofbench_toy.tract import HOP

_SIZE = 1024
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pitch:
    """F0 in Hz and its strength from 0 to 1, each ``(frames,)``, `tract.HOP` samples a frame."""

    f0_hz: Array
    strength: Array


def track(audio: Array) -> Pitch:
    """Find the highest peak of each frame's autocorrelation, divided by that of the window.

    Boersma (1993): dividing by the window's own autocorrelation takes away its slope.
    """
    frames = cut(audio, _SIZE, HOP) * hann(_SIZE)
    power = np.abs(fft.rfft(frames, n=2 * _SIZE, axis=1)) ** 2
    correlation = fft.irfft(power, axis=1)[:, :_SIZE]
    window = fft.irfft(np.abs(fft.rfft(hann(_SIZE), n=2 * _SIZE)) ** 2)[:_SIZE]
    first, last = int(RATE / _HIGHEST_HZ), int(RATE / _LOWEST_HZ)
    lags = np.arange(first, last)
    relative = correlation[:, first:last] / (correlation[:, :1] + 1e-9) / (window / window[0])[lags]
    # A small price on long lags: two periods fit as well as one.
    best = np.argmax(relative - 0.1 * lags / last, axis=1)
    return Pitch(f0_hz=RATE / lags[best], strength=relative[np.arange(len(best)), best])
