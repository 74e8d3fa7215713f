import numpy as np
import pytest
import torch
from scipy.signal import freqz

from spoofbench import Context
from spoofbench.errors import InvalidCondition
from spoofbench_channels.filters import BandLimit, Resample, band

RATE = 16_000


def context(*options: float) -> Context:
    random = torch.Generator().manual_seed(1)
    return Context(rate=RATE, random=random, utterance="u", options=options)


def tone(hz: float, samples: int = RATE) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hz * torch.arange(samples, dtype=torch.float64) / RATE).float()


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3)) * 0.1


def gain_db(before: torch.Tensor, after: torch.Tensor) -> float:
    """Return how much louder the middle is; the ends are left out, where filters start."""
    middle = slice(len(before) // 4, -len(before) // 4)
    return float(20 * torch.log10(after[middle].norm() / before[middle].norm()))


@pytest.mark.parametrize("hz", [500, 1000, 3000, 3390])
def test_a_tone_in_the_band_stays_as_it_is(hz: float):
    heard = BandLimit().apply(tone(hz), 3400, context(300.0))
    torch.testing.assert_close(heard[4000:-4000], tone(hz)[4000:-4000], atol=2e-3, rtol=0)


@pytest.mark.parametrize("hz", [50, 190, 3510, 5000, 7900])
def test_a_tone_outside_the_band_is_attenuated_by_more_than_40_db(hz: float):
    assert gain_db(tone(hz), BandLimit().apply(tone(hz), 3400, context(300.0))) < -40


def test_without_a_low_edge_the_lowest_frequencies_stay():
    steady = torch.full((RATE,), 0.25)
    heard = BandLimit().apply(steady, 3400, context(0.0))
    torch.testing.assert_close(heard[2000:-2000], steady[2000:-2000], atol=1e-3, rtol=0)


@pytest.mark.parametrize(("low", "high"), [(0, 200), (0, 6000), (300, 3400), (100, 7900)])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_the_filter_is_flat_in_the_band_and_stops_100_hz_outside_it(low: int, high: int, rate: int):
    hz, response = freqz(band(low, high, rate), worN=2**15, fs=rate)
    gains_db = 20 * np.log10(np.abs(response) + 1e-12)
    inside = (hz >= low) & (hz <= high)
    outside = (hz <= low - 100) | (hz >= high + 100)
    assert np.abs(gains_db[inside]).max() < 0.01
    assert gains_db[outside].max() < -60


def test_the_filter_is_symmetric_so_that_nothing_is_delayed():
    taps = band(300.0, 3400.0, RATE)
    assert len(taps) % 2 == 1
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)
    click = torch.zeros(5000)
    click[1234] = 1.0
    assert int(BandLimit().apply(click, 3400, context(0.0)).argmax()) == 1234


@pytest.mark.parametrize(
    ("level", "low"), [(7950.0, 0.0), (9000.0, 0.0), (3400.0, 3300.0), (3400.0, 50.0)]
)
def test_a_band_that_cannot_be_is_an_error(level: float, low: float):
    with pytest.raises(InvalidCondition, match="band-limit@"):
        BandLimit().apply(tone(1000), level, context(low))


def test_a_tone_keeps_frequency_and_level_through_another_rate():
    heard = Resample().apply(tone(1000), 8000, context())
    assert int(torch.fft.rfft(heard.double()).abs().argmax()) == 1000
    assert gain_db(tone(1000), heard) == pytest.approx(0, abs=0.01)
    torch.testing.assert_close(heard[1000:-1000], tone(1000)[1000:-1000], atol=1e-3, rtol=0)


def test_what_the_lower_rate_cannot_hold_is_gone():
    assert gain_db(tone(4500), Resample().apply(tone(4500), 8000, context())) < -60


@pytest.mark.parametrize("level", [16_000.0, 48_000.0])
def test_a_rate_that_is_not_lower_is_an_error(level: float):
    with pytest.raises(InvalidCondition, match="16,000"):
        Resample().apply(tone(1000), level, context())


@pytest.mark.parametrize(("made", "level"), [(BandLimit(), 3400.0), (Resample(), 7000.0)])
@pytest.mark.parametrize("samples", [1, 50, 1600, 40_000])
def test_the_shortest_and_the_longest_trials_keep_their_length(made, level: float, samples: int):
    assert made.apply(noise(samples), level, context(0.0)).shape == (samples,)
