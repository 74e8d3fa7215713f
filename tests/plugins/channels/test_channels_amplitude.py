import pytest
import torch

from spoofbench import Context
from spoofbench.errors import InvalidCondition
from spoofbench_channels.amplitude import Clip, Gain, Quantise, speaking

RATE = 16_000


def context() -> Context:
    return Context(rate=RATE, random=torch.Generator().manual_seed(1), utterance="u")


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3)) * 0.1


@pytest.mark.parametrize("percent", [1, 5, 25, 90])
def test_the_share_of_speech_that_is_clipped_is_the_level(percent: float):
    audio = noise(RATE)
    heard = Clip().apply(audio, percent, noted := context())
    changed = (heard != audio).double().mean()
    assert 100 * float(changed) == pytest.approx(percent, abs=0.01)
    assert noted.notes["clipped_percent"] == pytest.approx(percent, abs=0.02)


def test_clipping_is_flat_at_one_height_and_leaves_the_rest_alone():
    audio = noise(RATE)
    heard = Clip().apply(audio, 10, context())
    changed = heard != audio
    height = float(heard.abs().max())
    assert (heard[changed].abs() == height).all()
    assert float(audio[~changed].abs().max()) <= height


def test_pauses_do_not_count_when_speech_is_clipped():
    """Half of the time is a pause: 10 % of the speech are 5 % of all."""
    audio = torch.cat([noise(RATE), torch.zeros(RATE)])
    heard = Clip().apply(audio, 10, context())
    assert float((heard != audio).double().mean()) == pytest.approx(0.05, abs=1e-4)


def test_frames_within_40_db_of_the_loudest_are_speech():
    steps = torch.tensor([1.0, 0.011, 0.009, 0.0]).repeat_interleave(320)
    assert speaking(steps.numpy(), RATE).reshape(4, 320).all(axis=1).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_speech_that_was_clipped_before_is_said_to_be():
    audio = noise(RATE).sign() * 0.5
    heard = Clip().apply(audio, 5, noted := context())
    assert torch.equal(heard, audio)
    assert noted.notes["clipped_percent"] == 100


def test_no_percent_clips_nothing():
    assert torch.equal(Clip().apply(noise(500), 0, context()), noise(500))


def test_silence_cannot_be_clipped():
    assert not Clip().apply(torch.zeros(500), 10, noted := context()).any()
    assert noted.notes["undefined"] == "silence"


@pytest.mark.parametrize(("level", "factor"), [(-20.0, 0.1), (20.0, 10.0), (0.0, 1.0)])
def test_twenty_decibels_are_a_factor_of_ten(level: float, factor: float):
    torch.testing.assert_close(Gain().apply(noise(100), level, context()), noise(100) * factor)


@pytest.mark.parametrize("bits", [4, 8, 12, 16])
def test_quantising_errs_by_half_a_step_at_most(bits: int):
    audio = torch.rand(RATE, generator=torch.Generator().manual_seed(5)) * 1.8 - 0.9
    error = (Quantise().apply(audio, bits, context()) - audio).abs()
    step = 2.0 ** (1 - bits)
    loudest = min(0.9, 1 - step)
    assert float(error[audio.abs() < loudest].max()) <= step / 2 * (1 + 1e-6) + 1e-7
    assert float(error.max()) > 0.95 * step / 2


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_full_sine_has_the_snr_of_its_bits(bits: int):
    """6.02 dB a bit and 1.76 dB: the power of a sine over that of an even error in one step."""
    time = torch.arange(4 * RATE, dtype=torch.float64) / RATE
    sine = ((1 - 2.0 ** (1 - bits)) * torch.sin(2 * torch.pi * 997.3 * time)).float()
    Quantise().apply(sine, bits, noted := context())
    assert noted.notes["snr_db"] == pytest.approx(6.02 * bits + 1.76, abs=0.2)


@pytest.mark.parametrize("bits", [2, 3, 5])
def test_there_are_no_more_values_than_the_bits_can_say(bits: int):
    heard = Quantise().apply(noise(RATE) * 20, bits, context())
    assert len(heard.unique()) == 2**bits
    assert float(heard.min()) == -1.0
    assert float(heard.max()) == 1 - 2.0 ** (1 - bits)


def test_bits_are_whole():
    with pytest.raises(InvalidCondition, match=r"quantise@7\.5"):
        Quantise().apply(noise(100), 7.5, context())


@pytest.mark.parametrize("samples", [1, 50, 4000])
def test_a_batch_of_changed_amplitudes_is_the_trials_one_by_one(samples: int):
    audio, levels = noise(3, samples), torch.tensor([-17.0, 3.3, 0.0], dtype=torch.float64)
    together = Gain().apply_batch(audio, levels, [context() for _ in audio])
    for row, heard, level in zip(audio, together, levels.tolist(), strict=True):
        assert torch.equal(heard, Gain().apply(row, level, context()))
