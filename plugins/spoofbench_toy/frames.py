"""Cutting waveforms into frames and adding them up again; mel bands."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.sparse import csr_array

Array = NDArray[np.float64]
Spectra = NDArray[np.complex128]

RATE = 16_000
"""Samples per second of everything in this package."""


@cache
def hann(size: int) -> Array:
    """Return the periodic Hann window ``(size,)``: copies ``size / 2`` apart add up to one."""
    window: Array = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return window


def cut(audio: Array, size: int, hop: int) -> Array:
    """Cut ``audio`` ``(time,)`` into ``(frames, size)`` whose centres are ``hop`` samples apart.

    The first frame is centred on the first sample, the last one on the last sample or after it;
    beyond the ends there are zeros.
    """
    count = -(-len(audio) // hop) + 1
    padded = np.zeros((count - 1) * hop + size)
    padded[size // 2 : size // 2 + len(audio)] = audio
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:count]


def overlap_add(pieces: Array, hop: int) -> Array:
    """Add ``pieces`` ``(frames, size)``, each ``hop`` samples after the one before; all of it."""
    count, size = pieces.shape
    blocks = -(-size // hop)
    padded = np.zeros((count, blocks * hop))
    padded[:, :size] = pieces
    parts = padded.reshape(count, blocks, hop)
    total = np.zeros((count + blocks, hop))
    for block in range(blocks):
        total[block : block + count] += parts[:, block]
    return total.reshape(-1)


def stft(audio: Array, size: int, hop: int) -> Spectra:
    """Return the Hann-windowed spectra ``(frames, size / 2 + 1)`` of ``audio`` ``(time,)``."""
    spectra: Spectra = fft.rfft(cut(audio, size, hop) * hann(size), axis=1)
    return spectra


def istft(spectra: Spectra, size: int, hop: int, samples: int) -> Array:
    """Return the waveform ``(samples,)`` whose `stft` is nearest to ``spectra``.

    Least squares over all waveforms, Griffin and Lim (1984), equation 6.
    """
    window = hann(size)
    total = overlap_add(fft.irfft(spectra, n=size, axis=1) * window, hop)
    weight = overlap_add(np.broadcast_to(window**2, (len(spectra), size)), hop)
    start = size // 2
    return total[start : start + samples] / np.maximum(weight[start : start + samples], 1e-8)


def mel(magnitudes: Array, bands: int, highest_hz: float = RATE / 2) -> Array:
    """Sum ``magnitudes`` ``(frames, bins)`` in `mel_bands`: ``(frames, bands)``.

    Sparse, and so on one thread: a dense product's last bits hang on the number of threads.
    """
    return _transposed(_sparse(bands, magnitudes.shape[1], highest_hz) @ magnitudes.T)


def from_mel(values: Array, bins: int) -> Array:
    """Spread ``values`` ``(frames, bands)`` between the centres of bands: ``(frames, bins)``."""
    filters = _sparse(values.shape[1], bins)
    covered = np.asarray(filters.sum(axis=0)).ravel() + 1e-3
    return _transposed(filters.T @ values.T) / covered


def _transposed(values: Array) -> Array:
    return np.ascontiguousarray(values.T)


@cache
def _sparse(bands: int, bins: int, highest_hz: float = RATE / 2) -> csr_array:
    return csr_array(mel_bands(bands, 2 * (bins - 1), highest_hz))


@cache
def mel_bands(bands: int, size: int, highest_hz: float = RATE / 2) -> Array:
    """Return triangular mel filters ``(bands, size / 2 + 1)`` from 0 Hz to ``highest_hz``.

    Mel scale of O'Shaughnessy (1987): 2595 log10(1 + f / 700).
    """
    edges_mel = np.linspace(0.0, 2595 * np.log10(1 + highest_hz / 700), bands + 2)
    edges_hz = 700 * (10 ** (edges_mel / 2595) - 1)
    bins_hz = np.arange(size // 2 + 1) * RATE / size
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising = (bins_hz - low) / (centre - low)
    falling = (high - bins_hz) / (high - centre)
    filters: Array = np.maximum(0.0, np.minimum(rising, falling))
    return filters
