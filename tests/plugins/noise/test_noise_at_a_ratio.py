"""The signal-to-noise ratio of every noise, measured anew from what came out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from pools import FakePool
from torch import Generator, Tensor

from spoofbench.contracts import Context
from spoofbench.plugins import catalogue

RATE = 16_000
NAMES = ("white", "pink", "brown", "hum", "babble", "music", "recordings")
every_noise = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with one recording of two seconds, at 44.1 kHz in stereo."""
    folder: Path = tmp_path_factory.mktemp("recordings")
    soundfile.write(
        folder / "a.wav", 0.2 * np.random.default_rng(1).standard_normal((88_200, 2)), 44_100
    )
    return str(folder)


def tone(seconds: float = 4.0, *, amplitude: float = 0.1) -> Tensor:
    """Return a steady tone: its active level is its RMS level, 3.01 dB below the amplitude."""
    samples = torch.arange(int(seconds * RATE), dtype=torch.float64)
    return (amplitude * torch.sin(2 * math.pi * 500 * samples / RATE)).float()


def context(folder: str, *, seed: int = 0, options: tuple[float, ...] = ()) -> Context:
    return Context(
        rate=RATE,
        random=Generator().manual_seed(seed),
        utterance="u",
        pool=FakePool(rate=RATE),
        options=options,
        source=folder,
    )


def made_of(name: str):
    return catalogue().augmentations.get(name).spec.resolve()()


def level_db(audio: Tensor) -> float:
    return 10 * math.log10(float(audio.double().square().mean()))


@every_noise
@pytest.mark.parametrize("snr_db", [20.0, 5.0, -5.0])
def test_the_ratio_of_tone_to_noise_is_the_one_asked_for(name, snr_db, folder):
    audio = tone()
    made = made_of(name).apply(audio, snr_db, context(folder))
    assert level_db(audio) - level_db(made - audio) == pytest.approx(snr_db, abs=0.03)


@every_noise
def test_the_ratio_that_is_noted_is_exact(name, folder):
    own = context(folder)
    made_of(name).apply(tone(), 7.5, own)
    assert own.notes["snr_db"] == pytest.approx(7.5, abs=1e-4)


@every_noise
def test_speech_with_pauses_is_measured_while_it_is_there(name, folder):
    """RMS over all of it would take the noise to be 6 dB lower."""
    audio = torch.cat([torch.zeros(4 * RATE), tone(4), torch.zeros(8 * RATE)])
    made = made_of(name).apply(audio, 10.0, context(folder))
    assert level_db(tone(4)) - level_db(made - audio) == pytest.approx(10, abs=0.4)


@every_noise
def test_noise_reaches_from_the_first_sample_to_the_last(name, folder):
    audio = tone(4)
    added = made_of(name).apply(audio, 0.0, context(folder)) - audio
    parts = [level_db(part) for part in added.chunk(8)]
    assert max(parts) - min(parts) < 15


@every_noise
def test_silence_stays_and_its_ratio_is_said_to_be_undefined(name, folder):
    own = context(folder)
    silence = torch.zeros(RATE)
    assert torch.equal(made_of(name).apply(silence, 5.0, own), silence)
    assert own.notes == {"undefined": "no active speech"}


@every_noise
@pytest.mark.parametrize("samples", [1, 50, 1_600, 320_000])
def test_audio_of_any_length_gets_noise(name, samples, folder):
    audio = tone(20)[:samples] + 0.01
    own = context(folder)
    made = made_of(name).apply(audio, 5.0, own)
    assert (made.shape, made.dtype) == (audio.shape, torch.float32)
    assert torch.isfinite(made).all()
    assert own.notes["snr_db"] == pytest.approx(5, abs=1e-3)
    assert not torch.equal(made, audio)


@every_noise
def test_a_clipped_result_is_not_clipped_again(name, folder):
    """Beyond full scale the noise is all there: the model hears floats."""
    audio = tone(amplitude=1.0)
    made = made_of(name).apply(audio, -5.0, context(folder))
    assert float(made.abs().max()) > 1


@every_noise
def test_another_seed_gives_another_noise(name, folder):
    audio = tone()
    one, same, other = (
        made_of(name).apply(audio, 5.0, context(folder, seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
