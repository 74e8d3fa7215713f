from __future__ import annotations

import numpy as np
import pytest
from scipy import signal
from voices import voice

from spoofbench.robustness.speech_level import active_level
from spoofbench_mini.contracts import RATE, Audio, Made, Unusable
from spoofbench_mini.treatment import NARROWEST_HZ, Bounds, bandwidth, treat


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def treated(audio: Audio, draws: np.random.Generator, hertz: float = 7000) -> Made:
    return treat(audio, draws, Bounds(highest_hz=hertz, speech_samples=len(audio)))


def power_above(audio: Audio, hertz: float) -> float:
    """Return the mean power spectral density above a frequency in dB."""
    frequencies, power = signal.welch(audio, RATE, nperseg=512)
    return float(10 * np.log10(power[frequencies > hertz].mean()))


def test_a_wide_and_a_narrow_recording_leave_with_the_same_band():
    """White noise is the floor of both: within the spread of its estimate they are equal."""
    wide = voice(seed=1)
    narrow = signal.sosfiltfilt(signal.butter(8, 3500, fs=RATE, output="sos"), wide)
    above = [power_above(treated(audio, random(), 3500).audio, 4200) for audio in (wide, narrow)]
    assert abs(above[0] - above[1]) < 1.0
    assert power_above(wide, 4200) - power_above(narrow, 4200) > 20


def test_what_was_loud_and_what_was_quiet_leave_equally_loud():
    levels = []
    for gain in (0.02, 1.0):
        made = treated(voice(seed=2) * gain, random(5), 7000).audio
        level = active_level(made, RATE)
        assert level is not None
        levels.append(level.level_db)
    assert abs(levels[0] - levels[1]) < 0.1
    assert -29.5 < levels[0] < -22.5


def test_the_level_is_the_one_that_the_steps_name():
    made = treated(voice(seed=3), random(9), 7000)
    named = float(next(s for s in made.steps if s.startswith("active level")).split()[2])
    level = active_level(made.audio, RATE)
    assert level is not None
    assert level.level_db == pytest.approx(named, abs=0.3)


@pytest.mark.parametrize("silence", [0.0, 0.2, 1.5])
def test_margins_are_drawn_whatever_silence_was_there(silence: float):
    """Speech that starts at once is given silence, speech that starts late loses it."""
    speech = np.concatenate([np.zeros(int(silence * RATE)), voice(seed=4), np.zeros(RATE)])
    bounds = Bounds(highest_hz=7000, speech_samples=RATE)
    lengths = {len(treat(speech, random(seed), bounds).audio) for seed in range(3)}
    own = [len(treat(voice(seed=4), random(seed), bounds).audio) for seed in range(3)]
    assert len(lengths) == 3
    assert all(min(abs(length - o) for o in own) <= RATE // 25 for length in lengths)


def test_a_pair_gets_the_same_noise_and_the_same_codec():
    first, second = (treated(voice(seed=5), random(1), 7000).audio for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, treated(voice(seed=5), random(2), 7000).audio)


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (np.zeros(3 * RATE), "nobody speaks"),
        (np.full(3 * RATE, np.nan), "not finite"),
        (voice(seconds=0.5), "not from 1 to 14 s"),
        (voice(seconds=20), "not from 1 to 14 s"),
    ],
)
def test_what_cannot_be_a_trial_is_refused_with_the_reason(audio: Audio, reason: str):
    with pytest.raises(Unusable, match=reason):
        treated(audio, random(), 7000)


@pytest.mark.parametrize("hertz", [3600, 5000, 6500])
def test_the_band_of_a_recording_ends_where_its_power_does(hertz: float):
    noise = random(7).standard_normal(4 * RATE)
    taps = signal.firwin(801, hertz, fs=RATE)
    assert bandwidth(signal.fftconvolve(noise, taps, "same")) == pytest.approx(hertz, abs=150)


def test_silence_and_telephone_speech_have_the_bands_at_the_ends():
    assert bandwidth(np.sin(np.arange(RATE) * 0.1)) == NARROWEST_HZ
    assert bandwidth(np.zeros(RATE)) == 7000


@pytest.mark.parametrize("seconds", [2.0, 3.0, 6.0])
def test_whatever_is_made_of_a_recording_is_as_long(seconds: float):
    """A text that takes longer to read than the recording lasts is cut to its length."""
    bounds = Bounds.of(voice(seconds=2.0, seed=8))
    made = treat(voice(seconds=seconds, seed=9), random(4), bounds).audio
    own = treat(voice(seconds=2.0, seed=8), random(4), bounds).audio
    assert abs(len(made) - len(own)) < 0.2 * RATE


def test_the_speech_is_cut_to_the_share_that_the_steps_name():
    made = treated(voice(seconds=4.0, seed=3), random(6))
    named = float(next(s for s in made.steps if s.startswith("cut after")).split()[2])
    assert 0.8 * 4.0 <= named <= 4.0
    margins = next(s for s in made.steps if s.startswith("trim")).replace(",", "").split()
    expected = min(named, 4.0) + float(margins[2]) + float(margins[4])
    assert len(made.audio) / RATE == pytest.approx(expected, abs=0.45)
