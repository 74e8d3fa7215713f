"""Expected levels are known by construction, or come from the Recommendation read literally."""

from __future__ import annotations

import math

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from spoofbench.robustness.speech_level import active_level, rms_db

RATE = 16_000
ON_DB = 20 * math.log10(0.1 / math.sqrt(2))
"""The level of a sine of amplitude 0.1."""


def sine(seconds: float, *, rate: int = RATE) -> NDArray[np.float64]:
    return 0.1 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


def speech_like(seconds: float = 3.0, *, rate: int = RATE) -> NDArray[np.float64]:
    """Noise in syllables of all strengths, with pauses."""
    random = np.random.default_rng(5)
    time = np.arange(int(seconds * rate)) / rate
    syllables = np.clip(np.sin(2 * np.pi * 3 * time), 0, None)
    phrases = np.clip(np.sin(2 * np.pi * 0.4 * time) + 0.3, 0, None)
    return 0.1 * random.standard_normal(len(time)) * syllables * phrases


def by_the_book(audio: NDArray[np.floating], rate: int, *, octaves: float = 1) -> float:
    """Method B at each sample: thresholds ``octaves`` apart, the level interpolated between two."""
    kept = math.exp(-1 / (rate * 0.03))
    hangover = math.ceil(0.2 * rate)
    envelope = np.empty(len(audio))
    first = second = 0.0
    for place, sample in enumerate(audio.tolist()):
        first = kept * first + (1 - kept) * abs(sample)
        second = kept * second + (1 - kept) * first
        envelope[place] = second
    energy = float(np.sum(audio.astype(np.float64) ** 2))
    before = (math.nan, math.nan)
    for threshold in 2.0 ** np.arange(-12, 0, octaves):
        started = np.zeros(len(audio) + hangover + 2)
        (hits,) = np.nonzero(envelope >= threshold)
        started[hits] += 1
        started[hits + hangover + 1] -= 1
        active = np.count_nonzero(np.cumsum(started)[: len(audio)])
        level_db = 10 * math.log10(energy / active)
        excess_db = level_db - 20 * math.log10(threshold) - 15.9
        if excess_db <= 0:
            share = before[1] / (before[1] - excess_db)
            return before[0] + share * (level_db - before[0])
        before = (level_db, excess_db)
    raise AssertionError("the thresholds are too low")


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 600])
def test_a_steady_tone_is_active_throughout_at_its_rms_level(rate):
    level = active_level(sine(20, rate=rate), rate)
    assert level is not None
    assert level.level_db == pytest.approx(ON_DB, abs=0.02)
    assert level.activity == pytest.approx(1, abs=0.005)


def test_a_tone_that_is_on_half_the_time_has_the_level_that_it_has_when_on():
    audio = np.concatenate([sine(5), np.zeros(5 * RATE)])
    level = active_level(audio, RATE)
    assert level is not None
    assert 0.5 + 0.2 / 10 < level.activity < 0.5 + 0.35 / 10, "half, the hangover, the decay"
    assert level.level_db == pytest.approx(ON_DB, abs=0.35)


def test_all_energy_is_that_of_the_active_time():
    audio = speech_like()
    level = active_level(audio, RATE)
    assert level is not None
    assert 0.2 < level.activity < 0.95
    assert level.level_db + 10 * math.log10(level.activity) == pytest.approx(rms_db(audio))


@pytest.mark.parametrize("gain_db", [6.0206, -6.0206, 3.3, -40.0, -90.0])
def test_a_gain_moves_the_level_by_itself(gain_db):
    audio = speech_like()
    before = active_level(audio, RATE)
    after = active_level(audio * 10 ** (gain_db / 20), RATE)
    assert before is not None
    assert after is not None
    assert after.level_db - before.level_db == pytest.approx(gain_db, abs=1e-9)
    assert after.activity == before.activity


def test_silence_behind_speech_hardly_changes_its_level_though_its_rms_falls():
    audio = speech_like()
    longer = np.concatenate([audio, np.zeros(30 * RATE)])
    before, after = active_level(audio, RATE), active_level(longer, RATE)
    assert before is not None
    assert after is not None
    assert after.level_db == pytest.approx(before.level_db, abs=0.5)
    assert rms_db(longer) == pytest.approx(rms_db(audio) - 10 * math.log10(11), abs=1e-6)


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_the_level_is_that_of_the_recommendation_with_thresholds_close_together(rate):
    audio = speech_like(rate=rate)
    level = active_level(audio, rate)
    assert level is not None
    assert level.level_db == pytest.approx(by_the_book(audio, rate, octaves=1 / 64), abs=0.05)


def test_the_level_is_near_that_of_the_recommendation_with_the_thresholds_farthest_apart():
    audio = speech_like()
    level = active_level(audio, RATE)
    assert level is not None
    assert level.level_db == pytest.approx(by_the_book(audio, RATE), abs=1)


@pytest.mark.reference
@pytest.mark.parametrize("octaves", [1, 1 / 16])
def test_the_level_of_recorded_speech_is_that_of_the_recommendation(reference, octaves):
    files = sorted((reference / "asvspoof2019-la").glob("*/flac/*.flac"))
    assert files
    for file in files:
        audio, rate = soundfile.read(file)
        level = active_level(audio, rate)
        assert level is not None
        wanted = by_the_book(audio, rate, octaves=octaves)
        assert level.level_db == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("audio", [np.zeros(RATE), np.zeros(1), np.zeros(0)])
def test_silence_has_no_level(audio):
    assert active_level(audio, RATE) is None


@pytest.mark.parametrize("samples", [1, 50])
def test_what_is_too_short_to_be_followed_is_active_at_its_rms_level(samples):
    level = active_level(np.full(samples, 0.5), RATE)
    assert level is not None
    assert (level.level_db, level.activity) == (pytest.approx(20 * math.log10(0.5)), 1)


def test_a_tensor_has_the_level_of_the_same_array():
    audio = speech_like().astype(np.float32)
    assert active_level(torch.from_numpy(audio), RATE) == active_level(audio, RATE)


def test_the_audio_is_not_written_into():
    audio = speech_like()
    before = audio.copy()
    active_level(audio, RATE)
    assert np.array_equal(audio, before)


def test_the_rms_level_of_a_constant_is_the_constant_in_db():
    assert rms_db(np.full(10, 0.1, dtype=np.float32)) == pytest.approx(-20, abs=1e-6)
    assert rms_db(np.zeros(10)) == -math.inf
