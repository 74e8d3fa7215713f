from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from spoofbench.errors import DownloadFailed
from spoofbench.fetching import archives
from spoofbench.fetching.archives import unpack

TARS = ["a.tar", "a.tar.gz", "a.tgz"]


def silent(done: int, total: int) -> None:
    pass


def packed_zip(file: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file


def packed_tar(file: Path, *members: tuple[str | tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(file, "w" if file.suffix == ".tar" else "w:gz") as archive:
        for given, content in members:
            info = tarfile.TarInfo(given) if isinstance(given, str) else given
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file


def packed(file: Path, *members: tuple[str, bytes]) -> Path:
    return packed_zip(file, *members) if file.suffix == ".zip" else packed_tar(file, *members)


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refused(archive: Path, tmp_path: Path) -> str:
    """Unpack in a folder of its own; whatever happens, nothing may be written outside."""
    before = everything(tmp_path)
    folder = tmp_path / "deep" / "below"
    folder.mkdir(parents=True)
    with pytest.raises(DownloadFailed) as error:
        unpack(archive, folder, silent)
    outside = {path for path in everything(tmp_path) if not path.startswith("deep/below")}
    assert outside - before == {"deep"}
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    return str(error.value)


@pytest.mark.parametrize("name", ["a.zip", *TARS])
def test_files_and_folders_come_out_as_they_went_in(tmp_path: Path, name: str):
    archive = packed(tmp_path / name, ("LA/keys.txt", b"key"), ("LA/flac/one.flac", b"\0\1"))
    target = tmp_path / "out"
    target.mkdir()
    unpack(archive, target, silent)
    assert (target / "LA/keys.txt").read_bytes() == b"key"
    assert (target / "LA/flac/one.flac").read_bytes() == b"\0\1"
    assert everything(target) == {"LA", "LA/keys.txt", "LA/flac", "LA/flac/one.flac"}


@pytest.mark.parametrize("name", ["a.zip", *TARS])
def test_progress_says_once_that_all_is_unpacked(tmp_path: Path, name: str):
    seen: list[tuple[int, int]] = []
    archive = packed(tmp_path / name, ("a", b"1"), ("b", b"2"), ("c", b"3"))
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out", lambda done, total: seen.append((done, total)))
    assert [done == total for done, total in seen] == [False, False, False, True]


@pytest.mark.parametrize("name", ["a.zip", *TARS])
@pytest.mark.parametrize(
    "member", ["../evil", "a/../../evil", "..", "/evil", "//evil", "C:/evil", "..\\evil", "\\evil"]
)
def test_a_member_that_leads_outside_is_refused(tmp_path: Path, name: str, member: str):
    archive = packed(tmp_path / name, ("good", b""), (member, b"evil"))
    assert "outside" in refused(archive, tmp_path)


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc"),
        (tarfile.SYMTYPE, "keys.txt"),
        (tarfile.LNKTYPE, "keys.txt"),
        (tarfile.FIFOTYPE, ""),
        (tarfile.CHRTYPE, ""),
    ],
)
def test_a_tar_with_links_or_devices_is_refused(tmp_path: Path, kind: bytes, link: str):
    archive = packed_tar(
        tmp_path / "a.tar.gz", ("keys.txt", b"key"), (special("flac", kind, link), b"")
    )
    assert "not a plain file" in refused(archive, tmp_path)


def test_a_zip_with_a_link_is_refused(tmp_path: Path):
    link = zipfile.ZipInfo("flac")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = packed_zip(tmp_path / "a.zip", (link, b"/etc"))
    assert "not a plain file" in refused(archive, tmp_path)


def test_a_zip_with_a_password_is_refused(tmp_path: Path):
    archive = packed_zip(tmp_path / "a.zip", ("keys.txt", b"key"))
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)
    assert "not a plain file" in refused(archive, tmp_path)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_an_archive_that_grows_without_end_is_refused(tmp_path: Path, name: str, monkeypatch):
    monkeypatch.setattr(archives, "_ALWAYS_ALLOWED", 0)
    archive = packed(tmp_path / name, ("zeros", bytes(10_000_000)))
    assert "times its size" in refused(archive, tmp_path)


@pytest.mark.parametrize("name", ["a.zip", *TARS])
@pytest.mark.parametrize("content", [b"", b"<html>Please log in</html>", bytes(2000)])
def test_another_kind_of_file_is_no_archive(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, tmp_path)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_a_cut_archive_is_refused_wherever_it_was_cut(tmp_path: Path, name: str):
    whole = packed(tmp_path / name, ("a", bytes(range(256)) * 20)).read_bytes()
    for place, length in enumerate((1, 50, len(whole) // 4, len(whole) // 3)):
        (tmp_path / name).write_bytes(whole[:length])
        folder = tmp_path / f"out{place}"
        folder.mkdir()
        with pytest.raises(DownloadFailed):
            unpack(tmp_path / name, folder, silent)


def test_a_zip_with_a_flipped_bit_is_refused(tmp_path: Path):
    archive = packed_zip(tmp_path / "a.zip", ("a", bytes(range(256)) * 20))
    content = bytearray(archive.read_bytes())
    content[60] ^= 1
    archive.write_bytes(content)
    refused(archive, tmp_path)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("LA.zip", True), ("keys.tar.gz", True), ("a.tar", True), ("README.txt", False)],
)
def test_archives_are_known_by_their_names(name: str, is_one: bool):
    assert archives.is_archive(name) == is_one
