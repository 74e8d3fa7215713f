"""What holds for every codec: length, step, sameness, and odd input."""

from __future__ import annotations

import hashlib
import math
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from codec_calls import CONDITIONS, EASIEST, SPECS, context, lag, noise, speech, through

SPEECH = speech(1.5)

DIGEST = """
import hashlib, numpy as np, sys
sys.path.insert(0, sys.argv[1])
from codec_calls import EASIEST, noise, through
for name, level in EASIEST:
    print(hashlib.sha256(through(name, level, noise(0.5)).audio.tobytes()).hexdigest())
"""


@pytest.mark.parametrize(("name", "level"), CONDITIONS)
def test_speech_comes_back_in_step(name, level):
    assert abs(lag(SPEECH, through(name, level, SPEECH).audio)) <= 1


@pytest.mark.reference
@pytest.mark.parametrize(("name", "level"), CONDITIONS)
def test_real_speech_comes_back_in_step(reference, name, level):
    files = sorted((reference / "asvspoof2019-la").rglob("*.flac"))
    spoken = [soundfile.read(file, dtype="float32")[0] for file in files]
    assert len(spoken) == 3
    assert [abs(lag(s, through(name, level, s).audio)) <= 1 for s in spoken] == [True] * 3


@pytest.mark.parametrize(("name", "level"), CONDITIONS)
def test_no_codec_gives_back_what_it_got(name, level):
    sent = SPEECH[:8000]
    received = through(name, level, sent).audio
    assert np.abs(received - sent).max() > 1e-3


@pytest.mark.parametrize(("name", "level"), EASIEST)
@pytest.mark.parametrize("samples", [1, 50, 1600, 16_001])
def test_the_length_stays(name, level, samples):
    received = through(name, level, noise(2)[:samples]).audio
    assert received.shape == (samples,)
    assert received.dtype == np.float32
    assert np.isfinite(received).all()


@pytest.mark.parametrize(("name", "level"), EASIEST)
def test_twenty_seconds_come_back_in_step_to_the_end(name, level):
    sent = np.resize(SPEECH, 320_000)
    received = through(name, level, sent).audio
    assert len(received) == len(sent)
    late = lag(sent[-16_000:], received[-16_000:])
    assert abs(late) <= (2 if name == "amr-nb" else 1)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
@pytest.mark.parametrize(("name", "level"), EASIEST)
def test_audio_of_another_rate_keeps_rate_and_length(name, level, rate):
    sent = np.sin(2 * np.pi * 500 * np.arange(rate // 2 + 1) / rate).astype(np.float32) / 4
    received = through(name, level, sent, rate=rate).audio
    assert len(received) == len(sent)
    spectrum = np.abs(np.fft.rfft(received[: rate // 2]))
    assert int(np.argmax(spectrum)) * 2 == pytest.approx(500, abs=4)


@pytest.mark.parametrize(("name", "level"), CONDITIONS)
def test_silence_stays_silent(name, level):
    assert np.abs(through(name, level, np.zeros(8000, np.float32)).audio).max() < 2e-3


@pytest.mark.parametrize(("name", "level"), EASIEST)
def test_a_square_wave_at_full_scale_is_finite_and_as_loud(name, level):
    sent = np.sign(np.sin(2 * np.pi * 220 * (np.arange(16_000) + 0.5) / 16_000)).astype(np.float32)
    received = through(name, level, sent).audio
    assert np.isfinite(received).all()
    assert np.std(received) == pytest.approx(1, abs=0.35)


@pytest.mark.parametrize(("name", "level"), EASIEST)
def test_what_is_beyond_full_scale_is_clipped_and_never_wraps_around(name, level):
    sent = 1.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32)
    received = through(name, level, sent).audio
    assert np.corrcoef(sent, received)[0, 1] > 0.9


@pytest.mark.parametrize(("name", "level"), EASIEST)
def test_one_object_keeps_nothing_from_call_to_call(name, level):
    codec = SPECS[name].resolve()()
    first, other = torch.from_numpy(SPEECH[:8000]), torch.from_numpy(noise(0.5))
    before = codec.apply(first, level, context(SPECS[name]))
    codec.apply(other, level, context(SPECS[name]))
    assert torch.equal(codec.apply(first, level, context(SPECS[name])), before)


@pytest.mark.parametrize(("name", "level"), EASIEST)
def test_the_input_is_not_written_into(name, level):
    sent = torch.from_numpy(noise(0.2)) * 20
    kept = sent.clone()
    SPECS[name].resolve()().apply(sent, level, context(SPECS[name]))
    assert torch.equal(sent, kept)


@pytest.mark.parametrize("name", SPECS)
def test_a_codec_travels_to_workers(name):
    codec = SPECS[name].resolve()()
    assert pickle.loads(pickle.dumps(codec)) == codec  # noqa: S301


def test_another_process_gives_the_same_bits():
    here = [
        hashlib.sha256(through(name, level, noise(0.5)).audio.tobytes()).hexdigest()
        for name, level in EASIEST
    ]
    run = subprocess.run(
        [sys.executable, "-c", DIGEST, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == here


def test_vorbis_survives_minutes():
    assert len(through("vorbis", 0, np.resize(SPEECH, 4_800_000)).audio) == 4_800_000


def test_levels_go_from_easy_to_hard_and_lie_within_the_bounds():
    for spec in SPECS.values():
        assert list(spec.levels) == sorted(spec.levels, reverse=True)
        assert all(spec.lowest <= level <= spec.highest for level in spec.levels)
        assert spec.family == "codec"


def test_a_codec_without_a_choice_has_no_level():
    without = {name for name, level in EASIEST if math.isnan(level)}
    assert without == {"g711-alaw", "g711-mulaw", "gsm", "g722"}
