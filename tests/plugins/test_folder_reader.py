from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from spoofbench.errors import CorpusNotFound, InvalidKeys
from spoofbench.protocols import Data
from spoofbench.trials import Trial
from spoofbench_readers.folder import read_trials

DATA = Data(
    reader="folder", corpus="c", keys=".", columns=("path", "attack", "key"), audio="{path}"
)
FILES = (
    "bonafide/b.wav",
    "bonafide/a.wav",
    "spoof/tts/1.flac",
    "spoof/vc/deep/2.mp3",
    "spoof/3.ogg",
)


def trials(root: Path, files: Sequence[str] = FILES) -> Sequence[Trial]:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return read_trials(DATA, root)


def fault(root: Path, files: Sequence[str]) -> InvalidKeys:
    with pytest.raises(InvalidKeys) as raised:
        trials(root, files)
    return raised.value


def test_bona_fide_speech_comes_first_and_all_is_sorted_by_path(tmp_path: Path):
    assert [trial.audio for trial in trials(tmp_path)] == [
        "bonafide/a.wav",
        "bonafide/b.wav",
        "spoof/3.ogg",
        "spoof/tts/1.flac",
        "spoof/vc/deep/2.mp3",
    ]


def test_subfolders_of_spoofs_are_attacks(tmp_path: Path):
    assert [trial.attack for trial in trials(tmp_path)] == ["-", "-", "spoof", "tts", "vc"]


def test_a_trial_is_called_by_its_path_without_the_ending(tmp_path: Path):
    assert trials(tmp_path)[0] == Trial(
        utterance="bonafide/a", speaker="", attack="-", bonafide=True, audio="bonafide/a.wav"
    )


def test_trials_that_differ_in_their_ending_keep_it(tmp_path: Path):
    files = ("real/a.wav", "real/a.flac", "fake/b.wav")
    assert [t.utterance for t in trials(tmp_path, files)] == ["real/a.flac", "real/a.wav", "fake/b"]


@pytest.mark.parametrize(("own", "other"), [("Bona-Fide", "SPOOF"), ("real", "fake")])
def test_the_classes_are_spelt_in_many_ways(tmp_path: Path, own: str, other: str):
    found = trials(tmp_path, (f"{own}/a.wav", f"{other}/b.wav"))
    assert [trial.bonafide for trial in found] == [True, False]


def test_what_is_no_audio_and_what_is_hidden_is_passed_over(tmp_path: Path):
    more = ("bonafide/readme.txt", "bonafide/._a.wav", "spoof/.cache/x.wav", "other/c.wav")
    assert len(trials(tmp_path, (*FILES, *more))) == len(FILES)


def test_endings_may_be_in_capitals(tmp_path: Path):
    assert len(trials(tmp_path, ("real/A.WAV", "fake/B.FLAC"))) == 2


@pytest.mark.parametrize("ending", ["m4a", "AAC", "wma"])
def test_recordings_that_cannot_be_read_are_not_left_out_in_silence(tmp_path: Path, ending: str):
    error = fault(tmp_path, (*FILES, f"spoof/x.{ending}"))
    assert f"x.{ending}: recordings in the format .{ending.lower()} cannot be read" in str(error)


@pytest.mark.parametrize("files", [("bonafide/a.wav",), ("spoof/a.wav", "x/b.wav"), ("a.wav",)])
def test_a_folder_without_both_classes_says_what_it_has(tmp_path: Path, files: tuple[str, ...]):
    folders = ", ".join(sorted({file.split("/")[0] for file in files if "/" in file}))
    assert str(fault(tmp_path, files)).endswith(f"it has: {folders or 'none'}")


def test_links_to_folders_are_followed(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.wav").touch()
    (tmp_path / "own" / "spoof").mkdir(parents=True)
    (tmp_path / "own" / "spoof" / "tts").symlink_to(tmp_path / "elsewhere")
    found = trials(tmp_path / "own", ("bonafide/a.wav",))
    assert [trial.audio for trial in found] == ["bonafide/a.wav", "spoof/tts/1.wav"]


def test_a_link_that_goes_round_in_circles_is_a_fault(tmp_path: Path):
    (tmp_path / "spoof").mkdir()
    (tmp_path / "spoof" / "again").symlink_to(tmp_path / "spoof")
    assert "a link to a folder that holds it" in str(fault(tmp_path, ("bonafide/a.wav",)))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CorpusNotFound, match="nowhere cannot be read"):
        read_trials(DATA, tmp_path / "nowhere")
