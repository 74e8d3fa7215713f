from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from program import run_python
from torch import Generator
from torch.utils.data import DataLoader, Dataset

from spoofbench.errors import InvalidCondition
from spoofbench.robustness.recordings import (
    CACHE_BYTES,
    DRAWS,
    Recordings,
    from_random_place,
    looped,
)

RATE = 16_000


def seeded(seed: int = 0) -> Generator:
    return torch.Generator().manual_seed(seed)


def noise(seconds: float, *, rate: int = RATE, channels: int = 1) -> np.ndarray:
    shape = (int(seconds * rate), channels) if channels > 1 else int(seconds * rate)
    return 0.1 * np.random.default_rng(0).standard_normal(shape)


def write(file: Path, audio: np.ndarray, rate: int = RATE) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, audio, rate)


@pytest.fixture
def musan(tmp_path: Path) -> Path:
    """A folder in the layout of MUSAN: kinds, sources, and texts beside the recordings."""
    write(tmp_path / "noise/free-sound/noise-free-sound-0001.wav", noise(3))
    write(tmp_path / "noise/sound-bible/noise-sound-bible-0000.wav", noise(2))
    (tmp_path / "noise/free-sound/ANNOTATIONS").write_text("noise-free-sound-0001 none\n")
    (tmp_path / "noise/free-sound/LICENSE").write_text("public domain\n")
    (tmp_path / "noise/free-sound/._noise-free-sound-0001.wav").write_bytes(b"\0\5\x16\7")
    return tmp_path


def test_recordings_of_musan_are_found_at_any_depth_in_order(musan):
    assert Recordings(str(musan), RATE).names == (
        "noise/free-sound/noise-free-sound-0001.wav",
        "noise/sound-bible/noise-sound-bible-0000.wav",
    )


def test_recordings_of_esc_50_are_found_and_brought_to_mono_at_the_rate(tmp_path):
    write(tmp_path / "audio/1-100032-A-0.wav", noise(5, rate=44_100, channels=2), 44_100)
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/esc50.csv").write_text("filename,fold\n1-100032-A-0.wav,1\n")
    recordings = Recordings(str(tmp_path), RATE)
    audio, name = recordings.draw(seeded())
    assert (name, audio.shape, audio.dtype) == (
        "audio/1-100032-A-0.wav",
        (5 * RATE,),
        torch.float32,
    )


def test_a_segment_is_a_stretch_of_a_recording(tmp_path):
    ramp = np.arange(1, 2001) / 4000
    write(tmp_path / "ramp.flac", ramp)
    segment = Recordings(str(tmp_path), RATE).segment(seeded(), 100).numpy()
    start = round(float(segment[0]) * 4000) - 1
    np.testing.assert_allclose(segment, ramp[start : start + 100], atol=1e-4)


def test_segments_start_everywhere(tmp_path):
    write(tmp_path / "ramp.flac", np.arange(1, 13) / 16)
    recordings, random = Recordings(str(tmp_path), RATE), seeded()
    starts = {round(float(recordings.segment(random, 10)[0]) * 16) for _ in range(60)}
    assert starts == {1, 2, 3}


def test_every_recording_is_used(musan):
    recordings, random = Recordings(str(musan), RATE), seeded()
    assert {recordings.piece(random, 50).name for _ in range(40)} == set(recordings.names)


def test_the_same_seed_gives_the_same_segment(musan):
    once, again = (Recordings(str(musan), RATE).segment(seeded(3), RATE) for _ in range(2))
    other = Recordings(str(musan), RATE).segment(seeded(4), RATE)
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_a_recording_shorter_than_the_trial_is_repeated_without_a_click(tmp_path):
    """A tone that does not come round would jump by its amplitude at each repetition."""
    tone = 0.5 * np.sin(2 * np.pi * 100.7 * np.arange(4_000) / RATE)
    write(tmp_path / "tone.wav", tone)
    segment = Recordings(str(tmp_path), RATE).segment(seeded(), 20_000).numpy()
    steepest = np.abs(np.diff(tone)).max()
    assert len(segment) == 20_000
    assert np.abs(np.diff(segment)).max() < 2 * steepest
    np.testing.assert_allclose(segment[:1000], segment[3840:4840], atol=1e-6)


def test_noise_that_is_repeated_is_as_loud_where_it_was_joined():
    random = np.random.default_rng(1)
    joins = [looped(random.standard_normal(1600).astype(np.float32), RATE)[:160] for _ in range(99)]
    assert np.sqrt(np.mean(np.square(joins))) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7])
def test_a_recording_of_a_few_samples_fills_any_length(length):
    audio = np.ones(length, dtype=np.float32)
    made = from_random_place(audio, 1000, RATE, seeded())
    assert made.shape == (1000,)
    assert np.abs(made).min() > 0.9


def test_what_is_given_away_can_be_written_into_without_harm(musan):
    recordings = Recordings(str(musan), RATE)
    first = recordings.segment(seeded(), 2 * RATE).clone()
    recordings.segment(seeded(), 2 * RATE).zero_()
    recordings.draw(seeded())[0].zero_()
    assert torch.equal(recordings.segment(seeded(), 2 * RATE), first)


def test_silent_pieces_are_drawn_again(tmp_path):
    audio = np.zeros(RATE)
    audio[: RATE // 4] = noise(0.25)
    write(tmp_path / "mostly-silent.wav", audio)
    recordings, random = Recordings(str(tmp_path), RATE), seeded()
    assert all(float(recordings.segment(random, 100).abs().max()) > 1e-5 for _ in range(50))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidCondition, match=r"missing: there is no such folder") as caught:
        Recordings(str(tmp_path / "missing"), RATE)
    assert caught.value.hint


def test_a_folder_without_recordings_is_named(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing to hear")
    with pytest.raises(InvalidCondition, match=r": no recordings in it") as caught:
        Recordings(str(tmp_path), RATE)
    assert str(tmp_path) in str(caught.value)
    assert ".wav" in caught.value.hint


def test_a_folder_of_silence_is_named(tmp_path):
    write(tmp_path / "a.wav", np.zeros(RATE))
    recordings = Recordings(str(tmp_path), RATE)
    with pytest.raises(InvalidCondition, match="all 1 recordings in it are silent") as caught:
        recordings.check()
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(InvalidCondition, match=f"{DRAWS} random pieces in a row were silent"):
        recordings.segment(seeded(), 100)
    with pytest.raises(InvalidCondition, match=f"{DRAWS} random recordings in a row were silent"):
        recordings.draw(seeded())


def test_a_folder_in_which_one_recording_can_be_heard_is_good(tmp_path):
    write(tmp_path / "a.wav", np.zeros(RATE))
    write(tmp_path / "b.wav", noise(1))
    recordings = Recordings(str(tmp_path), RATE)
    recordings.check()
    assert recordings.draw(seeded())[1] == "b.wav"


def test_a_recording_that_cannot_be_decoded_is_named(tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF" + bytes(60))
    with pytest.raises(InvalidCondition, match=r"broken\.wav: cannot be decoded") as caught:
        Recordings(str(tmp_path), RATE).check()
    assert "take it out" in caught.value.hint


def test_the_fingerprint_is_that_of_names_and_sizes(tmp_path):
    write(tmp_path / "b/x.wav", noise(1))
    write(tmp_path / "a.flac", noise(1))
    sizes = {name: (tmp_path / name).stat().st_size for name in ("a.flac", "b/x.wav")}
    text = "".join(f"{name}\t{size}\n" for name, size in sizes.items())
    recordings = Recordings(str(tmp_path), RATE)
    assert recordings.fingerprint == hashlib.sha256(text.encode()).hexdigest()


def test_another_file_or_name_gives_another_fingerprint(tmp_path):
    write(tmp_path / "a.wav", noise(1))
    before = Recordings(str(tmp_path), RATE).fingerprint
    (tmp_path / "a.wav").rename(tmp_path / "b.wav")
    renamed = Recordings(str(tmp_path), RATE).fingerprint
    write(tmp_path / "c.wav", noise(1))
    assert len({before, renamed, Recordings(str(tmp_path), RATE).fingerprint}) == 3


SENT = """
import multiprocessing, sys
multiprocessing.set_start_method("spawn")
from spoofbench.robustness.recordings import Recordings
recordings = Recordings(sys.argv[1], int(sys.argv[2]))
worker = multiprocessing.Process(target=recordings.check)
worker.start()
worker.join()
sys.exit(worker.exitcode)
"""


def test_recordings_can_be_sent_to_a_worker(musan):
    """As a loader does where processes do not inherit: on macOS and Windows."""
    done = run_python("-c", SENT, musan, str(RATE))
    assert done.code == 0, done.err


@pytest.mark.parametrize("workers", [1, 4])
def test_workers_share_what_may_be_held(musan, workers):
    recordings = Recordings(str(musan), RATE)

    class Drawing(Dataset[int]):
        def __len__(self) -> int:
            return 8

        def __getitem__(self, place: int) -> int:
            recordings.draw(seeded(place))
            return recordings._cache.budget.capacity

    held = torch.cat(list(DataLoader(Drawing(), num_workers=workers)))
    assert set(held.tolist()) == {CACHE_BYTES // workers}
