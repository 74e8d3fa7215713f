from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.signal import welch
from torch import Generator, Tensor

from spoofbench.contracts import BatchAugmentation, Context
from spoofbench_noise.coloured import Brown, Pink, White

RATE = 16_000
COLOURS = (White, Pink, Brown)
every_colour = pytest.mark.parametrize("colour", COLOURS)


def context(seed: int = 0) -> Context:
    return Context(rate=RATE, random=Generator().manual_seed(seed), utterance="u")


def tone(seconds: float) -> Tensor:
    return 0.1 * torch.sin(torch.arange(int(seconds * RATE)) * 0.2)


def noise(colour: type[White], seconds: float = 60.0) -> np.ndarray:
    audio = tone(seconds)
    return (colour().apply(audio, -40.0, context()) - audio).double().numpy()


@pytest.mark.parametrize(("colour", "db_a_decade"), [(White, 0.0), (Pink, -10.0), (Brown, -20.0)])
def test_the_power_density_falls_as_the_colour_says(colour, db_a_decade):
    hertz, density = welch(noise(colour), RATE, nperseg=8192)
    heard = (hertz > 50) & (hertz < 7_500)
    slope, _ = np.polyfit(np.log10(hertz[heard]), 10 * np.log10(density[heard]), 1)
    assert slope == pytest.approx(db_a_decade, abs=0.3)


@every_colour
def test_nothing_is_below_what_can_be_heard(colour):
    spectrum = np.abs(np.fft.rfft(noise(colour))) ** 2
    hertz = np.fft.rfftfreq(60 * RATE, 1 / RATE)
    assert spectrum[hertz < 19].sum() < 1e-6 * spectrum.sum()


@every_colour
def test_the_noise_is_gaussian(colour):
    """Brown noise has few independent values, so its fourth moment is uncertain."""
    values = noise(colour)
    values /= values.std()
    assert np.mean(values**3) == pytest.approx(0, abs=0.3)
    assert np.mean(values**4) == pytest.approx(3, abs=0.5)


@every_colour
@pytest.mark.parametrize("samples", [50, 1_601, 64_000])
def test_a_batch_gets_the_noise_that_each_gets_alone(colour, samples):
    audio = torch.stack([tone(4)[:samples], 0.5 * tone(4)[:samples], torch.zeros(samples)])
    made = colour()
    assert isinstance(made, BatchAugmentation)
    together, alone = ([context(seed) for seed in range(3)] for _ in range(2))
    levels = [5.0, -2.0, 10.0]
    batch = made.apply_batch(audio, torch.tensor(levels, dtype=torch.float64), together)
    singles = [made.apply(*row) for row in zip(audio, levels, alone, strict=True)]
    torch.testing.assert_close(batch, torch.stack(singles), atol=1e-6, rtol=0)
    for one, other in zip(together, alone, strict=True):
        assert one.notes.keys() == other.notes.keys()
        assert one.notes.get("snr_db", 0) == pytest.approx(other.notes.get("snr_db", 0), abs=1e-6)


@every_colour
def test_noise_made_before_changes_nothing(colour):
    used, audio = colour(), tone(2)
    used.apply(tone(1), 0.0, context(5))
    assert torch.equal(used.apply(audio, 0.0, context(1)), colour().apply(audio, 0.0, context(1)))


def test_noise_of_a_millisecond_is_as_wide_as_any():
    """What is short is cut out of half a second: its samples are as independent as those."""
    audio = torch.full((16,), 0.1)
    noises = [White().apply(audio, 0.0, context(seed)) - audio for seed in range(400)]
    neighbours = torch.stack(noises).double()
    correlation = float((neighbours[:, 1:] * neighbours[:, :-1]).mean() / neighbours.var())
    assert abs(correlation) < 4 / math.sqrt(400 * 15)
