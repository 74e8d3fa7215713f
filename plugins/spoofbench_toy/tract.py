"""The filter of a voice: a cascade of resonances that moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from spoofbench_toy.frames import RATE, Array, cut, hann, overlap_add

HOP = 160
"""Samples between two positions of the vocal tract (10 ms)."""
_FFT = 1024

Response = NDArray[np.complex64]


def resonances(centres_hz: Array, bandwidths_hz: Array) -> Response:
    """Return the frequency responses ``(frames, bins)`` of cascades of digital resonators.

    ``centres_hz`` and ``bandwidths_hz`` are ``(frames, resonators)``. Each resonator is Klatt's
    (1980), A / (1 - B z^-1 - C z^-2), of unit gain at 0 Hz.
    """
    radius = np.exp(-np.pi * bandwidths_hz / RATE)
    b = 2 * radius * np.cos(2 * np.pi * centres_hz / RATE)
    c = -(radius**2)
    denominator = np.ones((len(centres_hz), 1))
    for one in range(centres_hz.shape[1]):
        longer = np.pad(denominator, ((0, 0), (0, 2)))
        longer[:, 1:-1] -= b[:, one, None] * denominator
        longer[:, 2:] -= c[:, one, None] * denominator
        denominator = longer
    gain = np.prod(1 - b - c, axis=1)[:, None]
    # Single precision: sixteen bits are all that will be kept, and it takes half the time.
    response: Response = gain.astype(np.float32) / fft.rfft(
        denominator.astype(np.float32), n=_FFT, axis=1
    )
    return response


def shape(excitation: Array, response: Response) -> Array:
    """Send ``excitation`` ``(time,)`` through ``response`` ``(frames, bins)``, `HOP` a frame.

    Each windowed piece of the excitation rings in the vocal tract as it stands at that moment.
    Where the responses run out, the last one stays.
    """
    pieces = cut(excitation, 2 * HOP, HOP) * hann(2 * HOP)
    pieces = pieces.astype(np.float32)
    held = response[np.minimum(np.arange(len(pieces)), len(response) - 1)]
    spectra = fft.rfft(pieces, n=_FFT, axis=1)
    spectra *= held
    ringing = fft.irfft(spectra, n=_FFT, axis=1, overwrite_x=True)
    return overlap_add(ringing, HOP)[HOP : HOP + len(excitation)]
