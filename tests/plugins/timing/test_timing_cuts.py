import pytest
import torch

from spoofbench import Context
from spoofbench_timing.cuts import Duration, TrimSilence

RATE = 16_000


def context() -> Context:
    return Context(rate=RATE, random=torch.Generator().manual_seed(1), utterance="u")


def speech(samples: int = RATE) -> torch.Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(4)) * 0.1


def silence(seconds: float) -> torch.Tensor:
    return torch.zeros(round(seconds * RATE))


@pytest.mark.parametrize("level", [20.0, 30.0, 60.0])
def test_exactly_the_silence_around_is_removed(level: float):
    padded = torch.cat([silence(0.35), speech(), silence(0.5)])
    heard = TrimSilence().apply(padded, level, noted := context())
    assert torch.equal(heard, speech())
    assert noted.notes["cut_s"] == pytest.approx(0.85)


def test_less_than_a_frame_of_silence_stays_where_frames_do_not_fit():
    padded = torch.cat([torch.zeros(1234), speech(), torch.zeros(777)])
    heard = TrimSilence().apply(padded, 30, context())
    assert 0 <= len(heard) - len(speech()) < 2 * 160
    assert len(padded) - len(heard) > 1234 + 777 - 2 * 160


def test_a_pause_between_words_stays():
    words = torch.cat([speech(3200), silence(0.4), speech(3200)])
    assert torch.equal(TrimSilence().apply(words, 30, context()), words)


@pytest.mark.parametrize(("level", "kept"), [(38.0, 4800), (42.0, 9600)])
def test_the_level_is_counted_from_the_loudest_frame(level: float, kept: int):
    """A steady start is 40 dB below the steady rest: below it at 38, above it at 42."""
    audio = torch.cat([torch.full((4800,), 0.005), torch.full((4800,), 0.5)])
    assert len(TrimSilence().apply(audio, level, context())) == kept


def test_a_lower_level_cuts_more():
    ramp = speech() * torch.logspace(-4, 0, RATE)
    lengths = [len(TrimSilence().apply(ramp, level, context())) for level in (60, 50, 40, 30, 20)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1]


@pytest.mark.parametrize("samples", [1, 50, 1600])
def test_silence_is_not_trimmed_to_nothing(samples: int):
    heard = TrimSilence().apply(torch.zeros(samples), 30, noted := context())
    assert len(heard) == samples
    assert noted.notes == {"undefined": "silence"}


@pytest.mark.parametrize("samples", [1, 50])
def test_speech_shorter_than_a_frame_stays(samples: int):
    assert torch.equal(TrimSilence().apply(speech(samples), 30, context()), speech(samples))


def test_what_was_trimmed_does_not_change_with_the_trial():
    padded = torch.cat([silence(0.1), speech()])
    heard = TrimSilence().apply(padded, 30, context())
    heard[0] = 9.0
    assert not padded[: round(0.1 * RATE)].any()
    assert torch.equal(padded[round(0.1 * RATE) :], speech())


@pytest.mark.parametrize(("seconds", "kept"), [(0.5, 8000), (1.0, 16_000), (4.0, 16_000)])
def test_the_first_seconds_stay_and_shorter_trials_whole(seconds: float, kept: int):
    heard = Duration().apply(speech(), seconds, noted := context())
    assert torch.equal(heard, speech()[:kept])
    assert noted.notes["cut_s"] == (RATE - kept) / RATE
