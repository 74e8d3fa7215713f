"""The whole build, from folders of computed voices, which every machine has."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from inprocess import Spoofbench
from program import PLAIN
from voices import voice, write_folder

from spoofbench.contracts import Choices
from spoofbench.errors import InvalidKeys, InvalidSettings, StorageError
from spoofbench.fingerprint import sha256
from spoofbench_mini import corpus, making
from spoofbench_mini.attacks import catalogue
from spoofbench_mini.contracts import RATE, Unusable

ATTACKS = ("world", "griffin-lim", "world-f0")


def quiet(done: int, total: int) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("speech") / "people")


def choices(speech: Path, *, seed: int = 0, workers: int = 1, **said: object) -> Choices:
    return Choices(
        speech=(str(speech),),
        attacks=ATTACKS,
        size="tiny",
        seed=seed,
        workers=workers,
        **said,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def built(speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    corpus.build(folder, quiet, choices(speech), lambda line: None)
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def contents(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): sha256(file)
        for file in folder.rglob("*")
        if file.is_file() and file.name not in ("README.txt", "SHA256SUMS")
    }


def test_the_manifest_tells_of_every_file_where_it_comes_from_and_its_checksum(built: Path):
    listed = rows(built)
    files = {file.stem: file for file in built.rglob("*.flac")}
    assert {row["utterance"] for row in listed} == set(files)
    assert all(sha256(files[row["utterance"]]) == row["sha256"] for row in listed)
    for row in listed:
        audio = soundfile.info(files[row["utterance"]])
        assert (audio.samplerate, audio.channels, audio.subtype) == (RATE, 1, "PCM_16")
        assert float(row["seconds"]) == pytest.approx(audio.duration, abs=1e-3)
        assert row["steps"].endswith("16 bit FLAC")
        assert row["source"] == "people"


def test_speakers_and_attacks_of_eval_are_met_nowhere_else(built: Path):
    def of(column: str, *parts: str) -> set[str]:
        return {row[column] for row in rows(built) if row["part"] in parts} - {"-"}

    assert not of("speaker", "train") & of("speaker", "dev", "eval")
    assert not of("speaker", "dev") & of("speaker", "eval")
    assert of("attack", "train", "dev") == {"world", "griffin-lim"}
    assert of("attack", "eval") == {"world-f0"}


def test_both_of_a_pair_went_through_the_same_treatment(built: Path):
    own = {row["utterance"]: row for row in rows(built)}
    pairs = [(row, own[row["pair"]]) for row in own.values() if row["attack"] != "-"]
    assert len(pairs) > 20
    for copy, original in pairs:
        assert copy["recording"] == original["recording"]
        assert copy["steps"].split(" | ")[1:] == original["steps"].split(" | ")


def test_sums_are_those_that_sha256sum_would_check(built: Path):
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=built, check=False, timeout=60
    )
    assert done.returncode == 0


def test_asv_scores_part_targets_from_others_and_cover_every_trial(built: Path):
    lines = (built / "mini_asv_scores" / "mini.asv.eval.gi.trl.scores.txt").read_text().splitlines()
    table = [line.split() for line in lines]
    assert {line[0] for line in table} == {
        r["utterance"] for r in rows(built) if r["part"] == "eval"
    }
    scores = {key: [float(line[4]) for line in table if line[3] == key] for key in
              ("target", "nontarget", "spoof")}  # fmt: skip
    assert np.mean(scores["target"]) > np.mean(scores["nontarget"])
    assert len(scores["spoof"]) > 0


def test_two_processes_make_the_same_files_as_one(speech: Path, built: Path, tmp_path: Path):
    corpus.build(tmp_path, quiet, choices(speech, workers=2), lambda line: None)
    assert contents(tmp_path) == contents(built)


def test_another_seed_makes_another_corpus(speech: Path, built: Path, tmp_path: Path):
    corpus.build(tmp_path, quiet, choices(speech, seed=1), lambda line: None)
    assert not set(contents(tmp_path).values()) & set(contents(built).values())


def test_a_build_that_was_killed_goes_on_and_makes_the_same(
    speech: Path, built: Path, tmp_path: Path
):
    """What is in the journal counts; a half file and a half line count for nothing."""
    script = (
        "import sys; from pathlib import Path; from spoofbench.contracts import Choices\n"
        "from spoofbench_mini import corpus\n"
        "if __name__ == '__main__':\n"
        f"    corpus.build(Path(sys.argv[1]), lambda d, t: None, {choices(speech)!r}, print)\n"
    )
    (tmp_path / "go.py").write_text(script)
    folder = tmp_path / "mini"
    folder.mkdir()
    killed = subprocess.Popen(
        [sys.executable, tmp_path / "go.py", folder],
        env={**os.environ, **PLAIN},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = folder / making.JOURNAL
    until = time.monotonic() + 100
    while time.monotonic() < until:
        if journal.is_file() and journal.read_text().count("\n") >= 10:
            break
        time.sleep(0.02)
    os.killpg(killed.pid, 9)
    killed.wait(timeout=10)
    before = journal.read_text().splitlines()
    assert 10 <= len(before) < len(rows(built))
    with journal.open("a") as lines:
        lines.write('{"utterance": "MINI_T_00')
    corpus.build(folder, quiet, choices(speech), lambda line: None)
    assert contents(folder) == contents(built)
    assert not journal.exists()


def test_a_file_that_was_damaged_meanwhile_is_made_again(
    speech: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Stopped(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(corpus.manifest, "write_keys", stop)
        with pytest.raises(Stopped):
            corpus.build(tmp_path, quiet, choices(speech), lambda line: None)
    victim = next(tmp_path.rglob("*.flac"))
    victim.write_bytes(victim.read_bytes()[:100])
    corpus.build(tmp_path, quiet, choices(speech), lambda line: None)
    assert contents(tmp_path) == contents(built)


def test_a_journal_of_something_else_is_refused(speech: Path, tmp_path: Path):
    (tmp_path / making.JOURNAL).write_text(json.dumps({"utterance": "X", "steps": []}) + "\n")
    with pytest.raises(InvalidKeys, match="line 1: not a line of this build"):
        corpus.build(tmp_path, quiet, choices(speech), lambda line: None)


def test_an_attack_that_fails_on_one_text_costs_that_file_and_no_more(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world = catalogue.attack("world-f0")
    whole = type(world).copy
    failed: list[int] = []

    def sometimes(self: object, audio: np.ndarray, random: np.random.Generator) -> object:
        if not failed:
            failed.append(1)
            raise Unusable("it crashed")
        return whole(world, audio, random)  # type: ignore[arg-type]

    monkeypatch.setattr(type(world), "copy", sometimes)
    monkeypatch.setattr(making, "_pool", in_this_process)
    notes: list[str] = []
    corpus.build(tmp_path, quiet, choices(speech), notes.append)
    assert "left out: 1 files of world-f0: it crashed" in notes
    listed = rows(tmp_path)
    assert sum(row["attack"] == "world-f0" for row in listed) == 11
    assert {row["utterance"] for row in listed} == {f.stem for f in tmp_path.rglob("*.flac")}


class in_this_process:  # noqa: N801
    """Stands in for the pool: makes the files in this process, where tests can patch."""

    def __init__(self, workers: int, sources: dict, folder: Path, seed: int) -> None:
        making._Worker.sources, making._Worker.folder = dict(sources), folder
        making._Worker.seed = seed

    def __enter__(self) -> in_this_process:
        return self

    def __exit__(self, *_: object) -> None: ...

    map = staticmethod(map)


def test_a_full_disk_is_told_and_leaves_no_half_file(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write, count = soundfile.write, iter(range(1000))

    def full(file: object, *args: object, **said: object) -> None:
        if isinstance(file, Path) and next(count) == 5:
            Path(file).write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, *args, **said)

    monkeypatch.setattr(making.soundfile, "write", full)
    monkeypatch.setattr(making, "_pool", in_this_process)
    with pytest.raises(StorageError, match="No space left"):
        corpus.build(tmp_path, quiet, choices(speech), lambda line: None)
    assert len(list(tmp_path.rglob("*.flac"))) == 5
    assert [
        f for f in tmp_path.rglob("*") if f.is_file() and f.suffix not in (".flac", ".jsonl")
    ] == []


def test_one_speaker_is_too_few(tmp_path: Path):
    one = write_folder(tmp_path / "alone", speakers=1)
    with pytest.raises(InvalidSettings, match="1 speakers have enough recordings"):
        corpus.build(tmp_path / "mini", quiet, choices(one), lambda line: None)


def test_music_and_eight_kilohertz_are_left_out_with_the_reason(tmp_path: Path):
    folder = write_folder(tmp_path / "mixed")
    time_ = np.arange(3 * RATE) / RATE
    for number in range(8):
        (folder / "band").mkdir(exist_ok=True)
        (folder / "phone").mkdir(exist_ok=True)
        soundfile.write(folder / "band" / f"{number}.wav", 0.1 * np.sin(1500 * time_), RATE)
        soundfile.write(folder / "phone" / f"{number}.wav", voice()[::2], 8000)
    (tmp_path / "mini").mkdir()
    notes: list[str] = []
    corpus.build(tmp_path / "mini", quiet, choices(folder), notes.append)
    told = "\n".join(notes)
    assert "mixed-band: 8 of 8 recordings: 8 no pauses: music or noise, not speech" in told
    assert "mixed-phone: 8 of 8 recordings: 8 recorded at 8 kHz, less than 16" in told


def test_an_attack_that_is_asked_for_and_missing_is_refused_with_the_command(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    said = Choices(speech=(str(speech),), attacks=("codec2",), size="tiny")
    with pytest.raises(InvalidSettings, match="the attack codec2 is not installed") as refused:
        corpus.build(tmp_path, quiet, said, lambda line: None)
    assert refused.value.hint == "apt-get install codec2"


def test_what_is_not_installed_is_listed_and_done_without(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("hifigan", "piper", "kokoro"):
        monkeypatch.setattr(type(catalogue.attack(name)), "missing", lambda self: "pip install it")
    notes: list[str] = []
    said = Choices(speech=(str(speech),), size="tiny", workers=1)
    corpus.build(tmp_path / "mini", quiet, said, notes.append) if (
        (tmp_path / "mini").mkdir() is None
    ) else None
    for name in ("hifigan", "piper", "kokoro", "codec2", "espeak-ng", "flite", "festival"):
        assert any(line.startswith(f"without {name}: ") for line in notes)
    assert {row["attack"] for row in rows(tmp_path / "mini")} == {"-", *ATTACKS}


def test_the_command_builds_checks_and_judges(speech: Path, spoofbench_cli: Spoofbench):
    said = ["--speech", str(speech), "--attacks", ",".join(ATTACKS), "--workers", "1"]
    done = spoofbench_cli("data", "build", "mini", "corpus", "--size", "tiny", *said)
    assert (done.code, "mini is in" in done.out) == (0, True), done.err
    checked = spoofbench_cli("data", "check", "mini", "--data", "corpus")
    assert checked.code == 0, checked.out
    assert checked.out.count("every recording is what it was") == 4
    run = ("run", "shortcut-channel", "--data", "corpus", "--workers", "0", "--protocol")
    judged = spoofbench_cli(*run, "mini-eval")
    assert judged.code == 0, judged.err
    assert "12 bona fide + 12 spoof trials" in judged.out
    for name in ("silence", "channel", "duration", "loudness", "bandwidth"):
        assert f"shortcut-{name} (trained)" in judged.out
    assert "min t-DCF" in judged.out
    pairs = spoofbench_cli(*run, "mini-eval-pairs", "--format", "csv")
    assert pairs.code == 0, pairs.err


def test_a_changed_file_is_found(speech: Path, spoofbench_cli: Spoofbench, tmp_path: Path):
    said = ["--speech", str(speech), "--attacks", ",".join(ATTACKS), "--workers", "1"]
    spoofbench_cli("data", "build", "mini", "corpus", "--size", "tiny", *said)
    victim = sorted((tmp_path / "corpus").rglob("MINI_D_*.flac"))[0]
    soundfile.write(victim, voice(), RATE)
    checked = spoofbench_cli("data", "check", "mini-dev", "--data", "corpus")
    assert checked.code == 2
    assert f"1 recordings are not those that" in checked.out  # noqa: F541
    assert victim.name in checked.out


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["--attacks", "magic"], "--attacks magic: there is no such attack"),
        (["--size", "huge"], "--size huge"),
        (["--speech", "nowhere"], "there is no such folder"),
        (["--speech", "debian:cowsay"], "no speech is known in that package"),
    ],
)
def test_bad_choices_end_with_exit_code_2(
    said: list[str], message: str, speech: Path, spoofbench_cli: Spoofbench, tmp_path: Path
):
    usual = [] if "--speech" in said else ["--speech", str(speech)]
    done = spoofbench_cli("data", "build", "mini", "corpus", *usual, *said)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "corpus").exists()


def test_mini_is_never_built_unasked(spoofbench_cli: Spoofbench):
    done = spoofbench_cli("run", "shortcut-channel", "--protocol", "mini-eval")
    assert done.code == 2
    assert "spoofbench data build mini" in done.err
