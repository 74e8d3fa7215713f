"""The reverberation time of an impulse response, measured and adjusted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_START_DB, _T30_DB = -5.0, 30.0


def decay_curve_db(response: Array) -> Array:
    """Return what energy is still to come, in dB of the whole, for each sample ``(time,)``.

    Schroeder's backward integration (JASA 37, 1965). The zeros at the end are left out.
    """
    energy = np.cumsum(np.square(response)[::-1])[::-1]
    energy = energy[energy > 0]
    curve: Array = 10 * np.log10(energy / energy[0]) if len(energy) else energy
    return curve


def rt60(response: Array, rate: int, *, fall_db: float = _T30_DB) -> float:
    """Return the reverberation time in seconds of ``response`` ``(time,)``.

    The line that fits the decay curve best from -5 dB over ``fall_db`` is extended to 60 dB: T30,
    or T20 for 20 (ISO 3382-1). NaN if the response does not decay as far.
    """
    curve = decay_curve_db(response)
    end_db = _START_DB - fall_db
    if not len(curve) or curve[-1] > end_db:
        return math.nan
    first, last = np.searchsorted(-curve, [-_START_DB, -end_db])
    if last - first < 2:
        return math.nan
    slope = np.polyfit(np.arange(first, last) / rate, curve[first:last], 1)[0]
    return float(-60 / slope)


def with_rt60(response: Array, rate: int, seconds: float) -> Array:
    """Return ``response`` ``(time,)`` under an exponential window that makes its T30 ``seconds``.

    The window is 1 at the first sample. Its rate is found by steps: decay rates add up, so each
    step takes off the difference between the rate wanted and the rate measured.
    """
    time = np.arange(len(response)) / rate
    extra = 0.0
    shaped = response
    for _ in range(20):
        measured = rt60(shaped, rate)
        if math.isnan(measured) or abs(measured / seconds - 1) < 0.001:
            break
        extra += math.log(1000) * (1 / seconds - 1 / measured)
        shaped = response * np.exp(-extra * time)
    return shaped
