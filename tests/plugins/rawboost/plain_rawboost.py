"""The stages of RawBoost for one waveform, with SciPy's filters: to hold the batched form against.

The draws are made in the same order, so that both give the same audio to rounding.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import signal
from torch import Generator

Wave = NDArray[np.float64]

SERIES = {1: (1,), 2: (2,), 3: (3,), 4: (1, 2, 3), 5: (1, 2), 6: (1, 3), 7: (2, 3)}


def rawboost(wave: Wave, algorithm: int, random: Generator) -> Wave:
    if algorithm == 8:
        both = stage(1, wave, random) + stage(2, wave, random)
        return normalised(both, wave)
    for number in SERIES[algorithm]:
        wave = stage(number, wave, random)
    return wave


def stage(number: int, wave: Wave, random: Generator) -> Wave:
    if number == 1:
        return convolutive(wave, random, 5)
    if number == 2:
        return impulsive(wave, random, 10.0)
    return stationary(wave, random, between(10.0, 40.0, random))


def convolutive(wave: Wave, random: Generator, orders: int) -> Wave:
    total = np.zeros_like(wave)
    for order in range(1, orders + 1):
        fall_db = 0.0 if order == 1 else between(5.0, 20.0, random)
        total += 10 ** (-fall_db / 20) * signal.fftconvolve(wave**order, taps(random), "same")
    return normalised(total - total.mean(), wave)


def impulsive(wave: Wave, random: Generator, percent: float) -> Wave:
    count = int(between(0.0, percent, random) / 100 * len(wave))
    where = torch.randperm(len(wave), generator=random)[:count].numpy()
    drawn = 2 * torch.rand(2, count, generator=random, dtype=torch.float64).numpy() - 1
    made = wave.copy()
    made[where] += 2.0 * wave[where] * drawn[0] * drawn[1]
    return normalised(made, wave)


def stationary(wave: Wave, random: Generator, snr_db: float) -> Wave:
    white = torch.randn(len(wave), generator=random, dtype=torch.float64).numpy()
    noise = signal.fftconvolve(white, taps(random), "same")
    size = np.linalg.norm(wave) / np.linalg.norm(noise)
    return wave + noise * size * 10 ** (-snr_db / 20)


def taps(random: Generator, rate: int = 16_000) -> Wave:
    made, half = np.ones(1), rate / 2
    for _ in range(5):
        centre, width = between(20.0, 8000.0, random), between(100.0, 1000.0, random)
        count = int(between(10.0, 101.0, random)) // 2 * 2 + 1
        low = max(centre - width / 2, half / 1000)
        high = min(max(centre + width / 2, low + half / 1000), half - half / 1000)
        low = min(low, high - half / 1000)
        made = np.convolve(made, signal.firwin(count, [low, high], window="hamming", fs=rate))
    _, response = signal.freqz(made, worN=512)
    return made / np.abs(response).max()


def between(low: float, high: float, random: Generator) -> float:
    return low + (high - low) * float(torch.rand(1, generator=random, dtype=torch.float64))


def normalised(made: Wave, like: Wave) -> Wave:
    return made * np.abs(like).max() / np.abs(made).max()
