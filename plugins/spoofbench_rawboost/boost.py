"""The stages of RawBoost, each by its equation, and the algorithms that put them together.

Tak, Kamble, Patino, Todisco and Evans (2022), "RawBoost: a raw data boosting and augmentation
method applied to automatic speaker verification anti-spoofing", ICASSP, arXiv 2111.04433.
The ranges are those of the paper's section 4.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import signal
from torch import Generator, Tensor

from spoofbench import Context
from spoofbench.errors import InvalidCondition

Wave = NDArray[np.float64]

BANDS = 5
"""Notches of one filter."""
CENTRE_HZ = (20.0, 8000.0)
WIDTH_HZ = (100.0, 1000.0)
TAPS = (10, 100)
"""Taps of a notch."""
ORDERS = 5
"""Highest power of the signal in the convolutive noise."""
FALL_DB = (5.0, 20.0)
"""How much weaker the powers above the first are."""
IMPULSES_PERCENT = 10.0
IMPULSE_GAIN = 2.0
SNR_DB = (10.0, 40.0)

_LOWEST = 1.0 / 1000
_TINY = 1e-12


class Convolutive:
    """Stage 1: powers of the signal, each through a filter of its own, added up."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with powers up to ``level``; as loud at its peak as before.

        Powers above the first make harmonics, as an overdriven amplifier does.
        """
        return _like(convolutive(_wave(audio), context, orders=round(level)), audio)


class Impulsive:
    """Stage 2: single samples changed in proportion to themselves."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with at most ``level`` percent of its samples changed."""
        return _like(impulsive(_wave(audio), context, percent=level), audio)


class Stationary:
    """Stage 3: filtered white noise."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with noise at ``level`` dB below it (both by their RMS)."""
        return _like(stationary(_wave(audio), context, snr_db=level), audio)


class RawBoost:
    """The algorithms, numbered as by the authors, with everything else drawn."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` after algorithm ``level``.

        0: as it is; 1, 2, 3: a single stage; 4: all in series; 5: 1 and 2; 6: 1 and 3; 7: 2 and 3
        in series; 8: 1 and 2 side by side, added up. Raises `InvalidCondition` for another.
        """
        number = round(level)
        if number != level or not 0 <= number <= 8:
            raise InvalidCondition(f"RawBoost has algorithms 0 to 8, not {level:g}")
        wave = _wave(audio)
        if number == 8:
            both = _stage(1, wave, context) + _stage(2, wave, context)
            return _like(_normalised(both, wave), audio)
        for stage in _SERIES[number]:
            wave = _stage(stage, wave, context)
        return _like(wave, audio)


_SERIES = {
    0: (), 1: (1,), 2: (2,), 3: (3,), 4: (1, 2, 3), 5: (1, 2), 6: (1, 3), 7: (2, 3),
}  # fmt: skip


def _stage(number: int, wave: Wave, context: Context) -> Wave:
    if number == 1:
        return convolutive(wave, context, orders=ORDERS)
    if number == 2:
        return impulsive(wave, context, percent=IMPULSES_PERCENT)
    return stationary(wave, context, snr_db=_uniform(SNR_DB, context.random))


def convolutive(wave: Wave, context: Context, *, orders: int) -> Wave:
    """Return the sum over ``j`` of ``g_j`` times the filtered ``j``-th power of ``wave``."""
    total = np.zeros_like(wave)
    for order in range(1, orders + 1):
        fall_db = 0.0 if order == 1 else _uniform(FALL_DB, context.random)
        taps = notches(context)
        total += 10 ** (-fall_db / 20) * signal.oaconvolve(wave**order, taps, mode="same")
    return _normalised(total - total.mean(), wave)


def impulsive(wave: Wave, context: Context, *, percent: float) -> Wave:
    """Return ``x + g d x`` on a drawn share of samples; ``d`` is a product of two draws."""
    share = _uniform((0.0, percent), context.random) / 100
    count = int(share * len(wave))
    where = torch.randperm(len(wave), generator=context.random)[:count].numpy()
    drawn = 2 * torch.rand(2, count, generator=context.random, dtype=torch.float64).numpy() - 1
    made = wave.copy()
    made[where] += IMPULSE_GAIN * wave[where] * drawn[0] * drawn[1]
    return _normalised(made, wave)


def stationary(wave: Wave, context: Context, *, snr_db: float) -> Wave:
    """Return ``wave`` with filtered white noise at ``snr_db``."""
    white = torch.randn(len(wave), generator=context.random, dtype=torch.float64).numpy()
    noise = signal.oaconvolve(white, notches(context), mode="same")
    size = np.linalg.norm(wave) / max(float(np.linalg.norm(noise)), _TINY)
    made: Wave = wave + noise * size * 10 ** (-snr_db / 20)
    return made


def notches(context: Context) -> Wave:
    """Return the taps of a filter with drawn notches, its largest gain 1."""
    half = context.rate / 2
    taps: Wave = np.ones(1)
    for _ in range(BANDS):
        centre = _uniform(CENTRE_HZ, context.random)
        width = _uniform(WIDTH_HZ, context.random)
        count = int(_uniform((float(TAPS[0]), float(TAPS[1]) + 1), context.random)) // 2 * 2 + 1
        low = max(centre - width / 2, _LOWEST * half)
        high = min(max(centre + width / 2, low + _LOWEST * half), (1 - _LOWEST) * half)
        low = min(low, high - _LOWEST * half)
        notch = signal.firwin(count, [low, high], window="hamming", fs=context.rate)
        taps = np.convolve(taps, notch)
    _, response = signal.freqz(taps, worN=512)
    return taps / max(float(np.abs(response).max()), _TINY)


def _uniform(ends: tuple[float, float], random: Generator) -> float:
    low, high = ends
    return low + (high - low) * float(torch.rand(1, generator=random, dtype=torch.float64))


def _normalised(made: Wave, like: Wave) -> Wave:
    """Return ``made`` with the peak of ``like``."""
    peak = float(np.abs(made).max(initial=0.0))
    return made * (float(np.abs(like).max(initial=0.0)) / max(peak, _TINY))


def _wave(audio: Tensor) -> Wave:
    wave: Wave = audio.double().numpy().copy()
    return wave


def _like(wave: Wave, audio: Tensor) -> Tensor:
    return torch.from_numpy(wave).to(audio.dtype)
