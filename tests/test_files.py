from __future__ import annotations

from pathlib import Path

import pytest

from spoofbench.errors import StorageError
from spoofbench.files import remove_leftovers, replaced, storage_errors, write_text


def test_text_is_written_as_it_is(tmp_path: Path):
    write_text(tmp_path / "a.txt", "Müller\tß\r\n\n")
    assert (tmp_path / "a.txt").read_bytes() == "Müller\tß\r\n\n".encode()


def test_a_file_is_replaced(tmp_path: Path):
    write_text(tmp_path / "a.txt", "old")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_missing_folders_are_made(tmp_path: Path):
    write_text(tmp_path / "b" / "c" / "a.txt", "x")
    assert (tmp_path / "b" / "c" / "a.txt").read_text() == "x"


def test_nothing_else_is_left_beside_the_file(tmp_path: Path):
    write_text(tmp_path / "a.txt", "x")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


def write_half(path: Path, error: BaseException) -> None:
    with replaced(path) as beside:
        beside.write_text("half of the n")
        raise error


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt(), OSError(28, "full")])
def test_a_failure_leaves_the_old_file(tmp_path: Path, error: BaseException):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises((type(error), StorageError)):
        write_half(tmp_path / "a.txt", error)
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt(), OSError(28, "full")])
def test_a_failure_leaves_no_half_file(tmp_path: Path, error: BaseException):
    with pytest.raises((type(error), StorageError)):
        write_half(tmp_path / "a.txt", error)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_of_the_named_files_is_removed_and_nothing_else(tmp_path: Path):
    left: list[Path] = []
    for name in ("last.safetensors", "epoch-0003.safetensors", "other.safetensors"):
        with replaced(tmp_path / name) as beside:
            beside.write_text("whole")
            left.append(beside)
    for file in left:
        file.write_text("half of the n")  # as SIGKILL leaves it
    for name in (".last.safetensors", ".last.safetensors.backup", "last.safetensors.12345678"):
        (tmp_path / name).touch()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / left[0].name).touch()
    before = set(tmp_path.rglob("*"))
    remove_leftovers(tmp_path, "last.safetensors", "epoch-*.safetensors")
    assert before - set(tmp_path.rglob("*")) == set(left[:2])


def test_until_it_is_whole_the_new_file_is_not_seen(tmp_path: Path):
    with replaced(tmp_path / "a.txt") as beside:
        beside.write_text("new")
        assert not (tmp_path / "a.txt").exists()


def test_what_the_system_says_becomes_an_error_that_names_the_path(tmp_path: Path):
    with (
        pytest.raises(StorageError, match=r"a\.txt: No space left on device"),
        storage_errors(tmp_path / "a.txt"),
    ):
        raise OSError(28, "No space left on device")


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_other_people_may_read_what_was_written(tmp_path: Path):
    write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").stat().st_mode & 0o444 == 0o444
