import pytest
import torch

from spoofbench import Context
from spoofbench_timing.rates import Pitch, Speed

RATE = 16_000


def context(rate: int = RATE) -> Context:
    return Context(rate=rate, random=torch.Generator().manual_seed(1), utterance="u")


def tone(hz: float, samples: int = 2 * RATE, rate: int = RATE) -> torch.Tensor:
    time = torch.arange(samples, dtype=torch.float64) / rate
    return (0.3 * torch.sin(2 * torch.pi * hz * time)).float()


def loudest_hz(audio: torch.Tensor, rate: int = RATE) -> float:
    """Return the frequency of the highest peak, to a sixteenth of a hertz, by zero padding."""
    size = 2**18
    window = torch.hann_window(len(audio), dtype=torch.float64)
    spectrum = torch.fft.rfft(audio.double() * window, size).abs()
    return float(spectrum.argmax()) * rate / size


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.05, 1.1, 1.4, 2.0])
def test_speed_scales_frequency_by_the_factor_and_length_by_its_inverse(factor: float):
    heard = Speed().apply(tone(440), factor, context())
    assert len(heard) == round(2 * RATE / factor)
    assert loudest_hz(heard) == pytest.approx(440 * factor, abs=0.05)
    assert float(heard.std()) == pytest.approx(float(tone(440).std()), rel=0.005)


def test_no_other_speed_is_no_change():
    torch.testing.assert_close(Speed().apply(tone(440), 1.0, context()), tone(440))


def test_what_does_not_fit_below_half_the_rate_is_not_folded_back():
    heard = Speed().apply(tone(7000), 1.4, context())
    assert float(heard[1000:-1000].abs().max()) < 1e-3


@pytest.mark.parametrize("semitones", [-12, -3, 1, 2, 4, 7, 12])
@pytest.mark.parametrize("hz", [200, 1000])
def test_pitch_moves_a_tone_by_semitones_and_keeps_length_and_level(semitones: int, hz: float):
    heard = Pitch().apply(tone(hz), semitones, context())
    assert len(heard) == 2 * RATE
    assert loudest_hz(heard) == pytest.approx(hz * 2 ** (semitones / 12), rel=0.002)
    middle = slice(RATE // 4, -RATE // 4)
    assert float(heard[middle].std()) == pytest.approx(float(tone(hz)[middle].std()), rel=0.05)


def test_pitch_keeps_the_place_in_time():
    """A burst of a tone stays in its place, to the 10 ms by which a frame may be moved."""
    audio = torch.zeros(2 * RATE)
    audio[12_000:16_000] = tone(500, 4000)
    for semitones in (-4, 4):
        power = Pitch().apply(audio, semitones, context()).double() ** 2
        centre = float((power * torch.arange(len(power))).sum() / power.sum())
        assert centre == pytest.approx(14_000, abs=160)


def test_no_semitones_are_no_change():
    assert torch.equal(Pitch().apply(tone(300), 0, context()), tone(300))


def test_pitch_works_at_other_sample_rates():
    heard = Pitch().apply(tone(500, 16_000, 8000), 3, context(8000))
    assert loudest_hz(heard, 8000) == pytest.approx(500 * 2**0.25, rel=0.002)


@pytest.mark.parametrize("level", [-12.0, -1.0, 4.0, 12.0])
@pytest.mark.parametrize("samples", [1, 50, 700])
def test_pitch_of_the_shortest_speech_is_finite(level: float, samples: int):
    for audio in (tone(500, samples), torch.zeros(samples), torch.ones(samples)):
        heard = Pitch().apply(audio, level, context())
        assert heard.shape == (samples,)
        assert torch.isfinite(heard).all()


@pytest.mark.parametrize(("made", "level"), [(Speed(), 1.2), (Pitch(), 2.0)])
def test_silence_at_another_rate_is_silence(made, level: float):
    assert not made.apply(torch.zeros(4000), level, context()).any()
