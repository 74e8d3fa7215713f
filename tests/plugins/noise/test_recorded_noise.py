from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Generator

from spoofbench.contracts import Context
from spoofbench.errors import InvalidCondition
from spoofbench_noise.recorded import Recorded

RATE = 16_000
SPEECH = 0.1 * torch.sin(torch.arange(4 * RATE) * 0.02)


def context(folder: Path, *, seed: int = 0) -> Context:
    return Context(
        rate=RATE, random=Generator().manual_seed(seed), utterance="u", source=str(folder)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings, tones of 1000 and 3000 Hz; the second is shorter than a trial."""
    (tmp_path / "low").mkdir()
    for name, hertz, seconds in (("low/a.wav", 1000, 6), ("b.flac", 3000, 1)):
        time = np.arange(seconds * RATE) / RATE
        soundfile.write(tmp_path / name, 0.3 * np.sin(2 * np.pi * hertz * time), RATE)
    return tmp_path


def test_what_is_added_is_the_recording_that_is_noted(folder):
    tones = {"low/a.wav": 1000, "b.flac": 3000}
    heard = set()
    for seed in range(12):
        own = context(folder, seed=seed)
        added = (Recorded().apply(SPEECH, 5.0, own) - SPEECH).double().numpy()
        strongest = np.argmax(np.abs(np.fft.rfft(added))) / 4
        assert strongest == pytest.approx(tones[str(own.notes["recording"])], abs=2)
        heard.add(own.notes["recording"])
    assert heard == set(tones)


def test_a_folder_that_is_missing_is_an_error_before_anything_is_heard(tmp_path):
    with pytest.raises(InvalidCondition, match="no such folder"):
        Recorded().fingerprint(str(tmp_path / "missing"), RATE)


def test_a_folder_of_silence_is_an_error_before_anything_is_heard(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    with pytest.raises(InvalidCondition, match="silent"):
        Recorded().fingerprint(str(tmp_path), RATE)


def test_silent_recordings_are_an_error_when_they_are_to_be_added(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    with pytest.raises(InvalidCondition, match="silent"):
        Recorded().apply(SPEECH, 5.0, context(tmp_path))


def test_a_folder_that_grew_has_another_fingerprint(folder):
    before = Recorded().fingerprint(str(folder), RATE)
    assert Recorded().fingerprint(str(folder), RATE) == before
    soundfile.write(folder / "c.wav", np.ones(100) / 2, RATE)
    assert Recorded().fingerprint(str(folder), RATE) != before


def test_folders_are_kept_apart(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    soundfile.write(other / "x.wav", 0.1 * np.ones(RATE), RATE)
    made, own = Recorded(), context(other)
    made.apply(SPEECH, 5.0, context(folder))
    made.apply(SPEECH, 5.0, own)
    assert own.notes["recording"] == "x.wav"
