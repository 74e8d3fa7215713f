"""Mains hum: the frequency of the grid and its harmonics."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoofbench import Context
from spoofbench.audio import Audio
from spoofbench.errors import InvalidCondition
from spoofbench_noise.mixing import with_noise

MAINS_HZ = (50.0, 60.0)
HARMONICS = 20
SPREAD_DB = 6.0
"""Each harmonic is up to so much above or below 1 / its number."""
DRIFT_HZ = 0.05
"""The grid is up to so far off its frequency, and swings by as much again."""
SWING_SECONDS = (5.0, 20.0)


class Hum:
    """A fundamental and its harmonics, phases and strengths drawn for each trial."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with hum at ``level`` dB SNR.

        Raises `InvalidCondition` for a mains frequency other than 50 or 60 Hz.
        """
        mains_hz = context.options[0] if context.options else MAINS_HZ[0]
        if mains_hz not in MAINS_HZ:
            raise InvalidCondition(
                f"hum at {mains_hz:g} Hz: mains are at 50 or 60 Hz",
                hint="write hum@10 or hum@10@60",
            )
        return with_noise(audio, _hum(mains_hz, len(audio), context), level, context)


def _hum(mains_hz: float, samples: int, context: Context) -> Audio:
    """Return ``(samples,)`` of hum: the sum over k of a_k sin(k theta + phi_k).

    a_k is 1 / k within `SPREAD_DB`; theta turns at the frequency of the mains, which is off by a
    little and swings slowly.
    """
    count = min(HARMONICS, int(0.5 * context.rate / (mains_hz + 1)))
    numbers = 1 + np.arange(count)
    spread, phases = torch.rand(2, count, generator=context.random, dtype=torch.float64).numpy()
    strengths = 10 ** (SPREAD_DB * (2 * spread - 1) / 20) / numbers
    angle = (_angle(mains_hz, samples, context) % (2 * np.pi)).astype(np.float32)
    turning = np.cos(angle) + np.complex64(1j) * np.sin(angle)
    # Horner's rule on powers of one rotation costs a tenth of as many sines.
    hum = np.zeros(samples, dtype=np.complex64)
    for amplitude in (strengths * np.exp(2j * np.pi * phases)).astype(np.complex64)[::-1]:
        hum += amplitude
        hum *= turning
    return np.ascontiguousarray(hum.imag)


def _angle(mains_hz: float, samples: int, context: Context) -> NDArray[np.float64]:
    """Return theta ``(samples,)`` in radians: the integral of the frequency."""
    offset, swing, period, start = torch.rand(
        4, generator=context.random, dtype=torch.float64
    ).tolist()
    low, high = SWING_SECONDS
    swing_hz = 1 / (low + (high - low) * period)
    seconds = np.arange(samples) / context.rate
    steady = (mains_hz + DRIFT_HZ * (2 * offset - 1)) * seconds
    swinging = (
        DRIFT_HZ * swing / (2 * np.pi * swing_hz) * np.sin(2 * np.pi * (swing_hz * seconds + start))
    )
    angle: NDArray[np.float64] = 2 * np.pi * (steady + swinging)
    return angle
