from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from spoofbench import corpora
from spoofbench.contracts import Choices
from spoofbench.errors import InvalidRun, InvalidSettings, StorageError
from spoofbench.locks import reserved
from spoofbench.plugins import catalogue
from spoofbench.protocols import read
from spoofbench.specs import CorpusSpec

Progress = Callable[[int, int], None]


def count_up(
    folder: Path, progress: Progress, choices: Choices, note: Callable[[str], None]
) -> None:
    """Write the next of three files; stop after each but the last."""
    there = sum(path.suffix == ".txt" for path in folder.iterdir())
    (folder / f"{there}.txt").write_text(choices.size)
    if there < 2:
        raise KeyboardInterrupt


def fill_the_disk(
    folder: Path, progress: Progress, choices: Choices, note: Callable[[str], None]
) -> None:
    raise StorageError("no space left", hint="make room")


def chosen(builder: Callable[..., None], *asks: str) -> CorpusSpec:
    return CorpusSpec(
        name="grown",
        target=f"{__name__}:{builder.__name__}",
        summary="Grown here.",
        licence="none",
        obtain="built",
        asks=asks,
    )


def build(spec: CorpusSpec, folder: Path, choices: Choices) -> None:
    corpora.build_chosen(spec, folder, choices, lambda done, total: None, lambda line: None)


def test_an_interrupted_build_goes_on_where_it_was(tmp_path: Path):
    spec, folder, choices = chosen(count_up, "size"), tmp_path / "grown", Choices(size="small")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            build(spec, folder, choices)
        assert not folder.exists()
    build(spec, folder, choices)
    assert sorted(path.name for path in folder.iterdir()) == ["0.txt", "1.txt", "2.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["grown"]


def test_other_choices_do_not_go_on_with_what_was_begun(tmp_path: Path):
    spec = chosen(count_up, "size", "workers")
    begun, other = Choices(size="small"), Choices(size="full")
    assert corpora.unfinished_folder(spec, tmp_path, begun) != corpora.unfinished_folder(
        spec, tmp_path, other
    )


def test_the_number_of_workers_does_not_change_what_is_built(tmp_path: Path):
    spec = chosen(count_up, "workers")
    assert corpora.unfinished_folder(spec, tmp_path, Choices(workers=1)) == (
        corpora.unfinished_folder(spec, tmp_path, Choices(workers=2))
    )


def test_a_choice_that_a_corpus_does_not_take_is_refused_by_name(tmp_path: Path):
    with pytest.raises(InvalidSettings, match="grown is built without --speech"):
        build(chosen(count_up, "size"), tmp_path / "grown", Choices(speech=("debian",)))
    assert not list(tmp_path.iterdir())


def test_two_builds_of_one_corpus_do_not_meet(tmp_path: Path):
    spec = chosen(count_up, "size")
    with (
        reserved(corpora.unfinished_folder(spec, tmp_path / "grown", Choices())),
        pytest.raises(InvalidRun, match="another process is at work"),
    ):
        build(spec, tmp_path / "grown", Choices())


def test_a_full_disk_leaves_no_corpus_that_looks_whole(tmp_path: Path):
    with pytest.raises(StorageError, match="no space left"):
        build(chosen(fill_the_disk), tmp_path / "grown", Choices())
    assert not (tmp_path / "grown").exists()


def with_checksums(tiny: Path, copy: Path) -> Path:
    shutil.copytree(tiny, copy)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(copy).as_posix()}\n"
        for path in sorted(copy.rglob("*"))
        if path.is_file()
    ]
    (copy / corpora.CHECKSUMS).write_text("".join(lines))
    return copy


def test_a_recording_with_another_checksum_is_a_fault_that_is_named(tiny: Path, tmp_path: Path):
    copy = with_checksums(tiny, tmp_path / "copy")
    protocol = read(copy / "tiny-eval.toml")
    sound = corpora.inspect(protocol, catalogue(), data=copy)
    assert not sound.faults
    assert "every recording is what it was" in sound.said
    trial = corpora.read_trials(protocol, catalogue(), copy)[0]
    with (copy / trial.audio).open("ab") as file:
        file.write(b"more")
    faults = " ".join(corpora.inspect(protocol, catalogue(), data=copy).faults)
    assert "1 recordings are not those that" in faults
    assert trial.audio in faults
