"""Channels that let only some frequencies through: ``band-limit`` and ``resample``."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from spoofbench import Context
from spoofbench.errors import InvalidCondition

TRANSITION_HZ = 100.0
"""From the edge of the band to where the filter stops."""
STOP_DB = 60.0
"""How far the filter attenuates outside the band at least."""

_DESIGNED_DB = 68.0
"""At 0 Hz and half the rate, the error of the filter and of its mirror image add up: 6 dB."""


class BandLimit:
    """Filters speech to a band by a linear-phase FIR whose delay is taken off."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` below ``level`` Hz, and above the option, another frequency.

        Raises `InvalidCondition` for a band that is empty or not inside that of the audio.
        """
        from scipy.signal import oaconvolve

        low = context.options[0] if context.options else 0.0
        taps = band(low, level, context.rate)
        samples = audio.numpy().astype(np.float64)
        filtered = oaconvolve(samples, taps, mode="full")
        start = len(taps) // 2
        return _tensor(filtered[start : start + len(audio)])


def band(low: float, high: float, rate: int) -> NDArray[np.float64]:
    """Return a filter ``(taps,)``, odd and symmetric, that passes ``low`` to ``high`` Hz.

    Kaiser's window method. It is flat to 0.01 dB in the band and `STOP_DB` down from
    `TRANSITION_HZ` outside it; a ``low`` of 0 leaves the lowest frequencies in. Raises
    `InvalidCondition` for a band that is empty or that the ``rate`` does not hold.
    """
    from scipy.signal import firwin, kaiserord

    if high + TRANSITION_HZ > rate / 2:
        raise InvalidCondition(
            f"band-limit@{high:g}: audio at {rate:,} Hz holds nothing above {rate / 2:g} Hz",
            hint=f"the highest edge is {rate / 2 - TRANSITION_HZ:g} Hz",
        )
    if not (low == 0 or TRANSITION_HZ <= low < high - 2 * TRANSITION_HZ):
        raise InvalidCondition(
            f"band-limit@{high:g}@{low:g}: the low edge is 0, or from {TRANSITION_HZ:g} to "
            f"{2 * TRANSITION_HZ:g} Hz below the high one"
        )
    taps, beta = kaiserord(_DESIGNED_DB, TRANSITION_HZ / (rate / 2))
    half = TRANSITION_HZ / 2
    edges = [low - half, high + half] if low else [high + half]
    return firwin(
        taps | 1, edges, window=("kaiser", float(beta)), pass_zero=low == 0, scale=False, fs=rate
    )


class Resample:
    """Takes speech down to another sample rate and back."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` after ``level`` samples per second.

        Raises `InvalidCondition` for a rate that is not below the audio's own.
        """
        import soxr

        rate = context.rate
        if level >= rate:
            raise InvalidCondition(
                f"resample@{level:g}: the audio is at {rate:,} Hz already",
                hint="take a lower rate",
            )
        samples = len(audio)
        # Zeros behind the end, so that even the shortest trial has samples at the lower rate.
        padded = np.pad(audio.numpy().astype(np.float64), (0, math.ceil(rate / level)))
        narrow = soxr.resample(padded, rate, level, quality="VHQ")
        wide = soxr.resample(narrow, level, rate, quality="VHQ")[:samples]
        return _tensor(np.pad(wide, (0, samples - len(wide))))


def _tensor(samples: NDArray[np.float64]) -> Tensor:
    return from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
