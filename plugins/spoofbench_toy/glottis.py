"""The source of a voice: when the glottis opens, and what flows then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import resample_poly

from spoofbench_toy.frames import RATE, Array

OVERSAMPLING = 2
"""Pulses close abruptly, at times between samples: drawn at twice the rate, then filtered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulses:
    """Glottal cycles: onsets and periods in seconds and amplitudes, each ``(pulses,)``."""

    onsets: Array
    periods: Array
    amplitudes: Array


def place_pulses(
    f0_hz: Array, hop: int, *, jitter: float, shimmer: float, random: np.random.Generator
) -> Pulses:
    """Lay one cycle after the other along ``f0_hz`` ``(frames,)``, ``hop`` samples a frame.

    ``jitter`` and ``shimmer`` are the standard deviations of a period and of an amplitude, as
    fractions of what they would be without.
    """
    end = len(f0_hz) * hop / RATE
    most = int(end * float(f0_hz.max()) * 1.5) + 8
    stretch = 1 + jitter * np.clip(random.standard_normal(most), -3, 3)
    loudness = 1 + shimmer * np.clip(random.standard_normal(most), -3, 3)
    onsets: list[float] = []
    periods: list[float] = []
    onset = 0.0
    while onset < end and len(onsets) < most:
        frame = min(int(onset * RATE / hop), len(f0_hz) - 1)
        period = float(stretch[len(onsets)]) / float(f0_hz[frame])
        onsets.append(onset)
        periods.append(period)
        onset += period
    return Pulses(
        onsets=np.array(onsets),
        periods=np.array(periods),
        amplitudes=np.maximum(loudness[: len(onsets)], 0.05),
    )


def flow_derivative(pulses: Pulses, samples: int, open_quotient: float) -> Array:
    """Return the derivative of the glottal flow, ``(samples,)``; its negative peak is about one.

    The polynomial pulse of Klatt and Klatt (1990), KLGLOTT88: during the open part of a cycle,
    of length L = open quotient x period, the flow is t^2 - t^3 / L; then the glottis is closed.
    """
    part, amplitudes = _open_part(
        pulses, samples * OVERSAMPLING, RATE * OVERSAMPLING, open_quotient
    )
    shape = np.where(part < 1, part * (2 - 3 * part), 0.0) * amplitudes
    derivative: Array = resample_poly(shape, 1, OVERSAMPLING)
    return derivative


def openness(pulses: Pulses, samples: int, open_quotient: float) -> Array:
    """Return how far the glottis is open, ``(samples,)`` from 0 to 1: it gates aspiration."""
    part, _ = _open_part(pulses, samples, RATE, open_quotient)
    opening: Array = np.where(part < 1, 6.75 * part**2 * (1 - part), 0.0)
    return opening


def _open_part(
    pulses: Pulses, samples: int, rate: int, open_quotient: float
) -> tuple[Array, Array]:
    """Return how much of the open part is over, and the amplitude, each ``(samples,)``."""
    first = np.minimum(np.ceil(pulses.onsets * rate).astype(int), samples)
    lengths = np.diff(first, append=samples)
    onsets, scales, amplitudes = (
        np.repeat(values, lengths)
        for values in (
            pulses.onsets * rate,
            1 / (open_quotient * rate * pulses.periods),
            pulses.amplitudes,
        )
    )
    return (np.arange(samples) - onsets) * scales, amplitudes
