"""Speech at another speed or pitch: ``speed`` and ``pitch``."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from spoofbench import Context

Array = NDArray[np.float64]

FRAME_S = 0.032
"""The frames that `stretched` adds up, in seconds; they overlap by half."""
SEARCH_S = 0.01
"""How far a frame may be moved to fit, in seconds: a period of the lowest voices and no more."""

_SMALLEST_ENERGY = 1e-12
_NEAR = 1e-3


class Speed:
    """Plays speech faster or slower."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:  # noqa: ARG002
        """Return ``audio`` ``(time,)`` resampled to ``(time / level,)``, pitch and formants up."""
        return resampled(_array(audio), max(round(len(audio) / level), 1), level)


class Pitch:
    """Makes speech higher or lower."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with all frequencies times 2^(``level`` / 12).

        It is made longer, or shorter, at the same pitch and then resampled to its length, so that
        formants move with the pitch.
        """
        if level == 0:
            return audio.clone()
        factor = 2 ** (level / 12)
        longer = stretched(_array(audio), factor, context.rate)
        return resampled(longer, len(audio), factor)


def resampled(audio: Array, samples: int, factor: float) -> Tensor:
    """Return ``audio`` ``(time,)`` with frequencies times ``factor``, ``(samples,)``.

    What is too long is cut, what is too short ends in zeros.
    """
    import soxr

    # Zeros behind the end, so that even the shortest trial gives samples.
    padded = np.pad(audio, (0, math.ceil(factor)))
    changed = soxr.resample(padded, factor, 1.0, quality="VHQ")[:samples]
    whole = np.pad(changed, (0, samples - len(changed)))
    return from_numpy(whole.astype(np.float32))


def stretched(audio: Array, factor: float, rate: int) -> Array:
    """Return ``audio`` ``(time,)`` ``factor`` times as long, at the same pitch.

    WSOLA (Verhelst & Roelands, ICASSP 1993): frames of the input are added up again at another
    distance, each from where it is most like what followed the one before, within `SEARCH_S`.
    """
    half, search = round(FRAME_S * rate / 2), round(SEARCH_S * rate)
    before, samples = half + search, round(len(audio) * factor)
    frames = samples // half + 2
    padded = np.pad(audio, (before, before + 4 * half))
    window = np.sin(np.pi * (np.arange(2 * half) + 0.5) / (2 * half)) ** 2
    longer = np.zeros((frames + 1) * half)
    place = search
    for number in range(frames):
        ideal = min(round(number * half / factor), len(audio)) + search
        if number:
            place = _most_alike(padded, place + half, ideal, 2 * half, search)
        start = number * half
        longer[start : start + 2 * half] += window * padded[place : place + 2 * half]
    return longer[half : half + samples]


def _most_alike(audio: Array, model: int, ideal: int, size: int, search: int) -> int:
    """Return the place near ``ideal`` where ``audio`` ``(time,)`` is most like that at ``model``.

    Both are the first of ``size`` samples. The measure is the normalised cross-correlation; of
    places that are as good, such as in silence, the nearest to ``ideal`` is taken.
    """
    region = audio[ideal - search : ideal + search + size]
    product = np.correlate(region, audio[model : model + size], "valid")
    squares = np.concatenate([[0.0], np.cumsum(np.square(region))])
    energy = np.maximum(squares[size:] - squares[:-size], 0)
    alike = product / np.sqrt(energy + _SMALLEST_ENERGY)
    offset = np.arange(-search, search + 1)
    return ideal - search + int(np.argmax(alike - _NEAR * np.max(alike) * np.abs(offset) / search))


def _array(audio: Tensor) -> Array:
    return audio.numpy().astype(np.float64)
