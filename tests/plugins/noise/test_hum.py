from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator

from spoofbench.contracts import Context
from spoofbench.errors import InvalidCondition
from spoofbench_noise.hum import Hum

RATE = 16_000


def hum(seconds: float = 20.0, *, options: tuple[float, ...] = (50.0,), seed: int = 0):
    context = Context(
        rate=RATE, random=Generator().manual_seed(seed), utterance="u", options=options
    )
    audio = 0.1 * torch.sin(torch.arange(int(seconds * RATE)) * 0.2)
    return (Hum().apply(audio, -20.0, context) - audio).double().numpy()


def power(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    return np.fft.rfftfreq(len(audio), 1 / RATE), spectrum / spectrum.sum()


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_all_power_is_at_multiples_of_the_mains_frequency(mains_hz):
    hertz, share = power(hum(options=(mains_hz,)))
    number = np.round(hertz / mains_hz)
    near = (number >= 1) & (np.abs(hertz - number * mains_hz) < 0.4 + 0.11 * number)
    assert share[near].sum() > 0.9999


def test_the_mains_are_at_50_hertz_unless_said_otherwise():
    np.testing.assert_array_equal(hum(options=()), hum(options=(50.0,)))


def test_there_is_a_fundamental_and_there_are_harmonics():
    hertz, share = power(hum())
    for number in range(1, 21):
        here = np.abs(hertz - 50 * number) < 5
        nominal = 1 / number**2
        assert nominal / 30 < share[here].sum() < nominal * 4


def test_the_frequency_drifts_by_a_tenth_of_a_hertz_at_most():
    """The fundamental, shifted to 0 Hz and averaged over seconds, turns at what it is off by."""
    off = []
    for seed in range(5):
        audio = hum(30, seed=seed)
        time = np.arange(len(audio)) / RATE
        shifted = audio * np.exp(-2j * np.pi * 50 * time)
        smooth = shifted.reshape(-1, RATE).mean(axis=1)  # one value a second
        off.append(np.diff(np.unwrap(np.angle(smooth))) / (2 * np.pi))
    assert np.abs(off).max() < 0.105
    assert max(np.ptp(one) for one in off) > 0.01


@pytest.mark.parametrize("mains_hz", [0.0, 49.0, 400.0])
def test_mains_of_other_frequencies_are_refused(mains_hz):
    with pytest.raises(InvalidCondition, match="50 or 60 Hz"):
        hum(1, options=(mains_hz,))
