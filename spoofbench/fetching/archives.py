"""Unpacking archives that come from elsewhere: nothing leaves the folder, nothing is a link."""

from __future__ import annotations

import gzip
import re
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

from spoofbench.contracts import Progress
from spoofbench.errors import DownloadFailed

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
"""How the names of archives end."""
MOST_GROWTH = 50
"""How many times as large as itself an archive may become; tables of text shrink to a tenth."""
MEGABYTE = 1_000_000
"""Bytes in the unit in which progress is shown."""
_ALWAYS_ALLOWED = 1 << 26
_NEEDS_PASSWORD = 1
_ELSE = "the server may have sent something else in its place"

_DRIVE = re.compile(r"[A-Za-z]:")
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # a zip packed in a way that zipfile does not know
    UnicodeDecodeError,
)


def is_archive(name: str) -> bool:
    """Say whether a file of this name is unpacked."""
    return name.endswith(SUFFIXES)


def unpack(archive: Path, folder: Path, progress: Progress) -> None:
    """Unpack ``archive`` into ``folder``, which is empty; ``progress`` counts its megabytes.

    Raises `DownloadFailed` for an archive that is damaged or empty, that holds anything but files
    and folders, that would write outside ``folder``, or that grows beyond `MOST_GROWTH`; what was
    unpacked until then stays. OSError is raised as it comes.
    """
    try:
        if archive.name.endswith(".zip"):
            _unpack_zip(archive, folder, progress)
        else:
            _unpack_tar(archive, folder, progress)
    except _DAMAGED as error:
        raise DownloadFailed(
            f"{archive.name} cannot be unpacked: {error or type(error).__name__}",
            hint=_ELSE,
        ) from error
    if not any(folder.iterdir()):
        raise DownloadFailed(f"{archive.name} holds no file", hint=_ELSE)


def _unpack_zip(archive: Path, folder: Path, progress: Progress) -> None:
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        bound = _Bound(archive)
        for member in members:
            kind = stat.S_IFMT(member.external_attr >> 16)
            secret = member.flag_bits & _NEEDS_PASSWORD
            plain = kind in (0, stat.S_IFREG, stat.S_IFDIR) and not secret
            bound.admit(member.filename, member.file_size, plain=plain)
        meter = _Meter(archive, progress)
        done = 0
        for member in members:
            opened.extract(member, folder)
            done += member.compress_size
            meter.show(done)
    meter.end()


def _unpack_tar(archive: Path, folder: Path, progress: Progress) -> None:
    with archive.open("rb") as file, tarfile.open(fileobj=file, mode="r:*") as opened:
        # Early releases of Python 3.11 have no filter; what it refuses is refused below as well.
        opened.extraction_filter = getattr(tarfile, "data_filter", None)
        bound, meter = _Bound(archive), _Meter(archive, progress)
        for member in opened:
            bound.admit(member.name, member.size, plain=member.isfile() or member.isdir())
            opened.extract(member, folder)
            meter.show(file.tell())
    meter.end()


class _Meter:
    """Shows how much of an archive is unpacked, and once that it is done."""

    def __init__(self, archive: Path, progress: Progress) -> None:
        self.progress = progress
        self.megabytes = 1 + archive.stat().st_size // MEGABYTE

    def show(self, done: int) -> None:
        """Show that ``done`` bytes of the archive are unpacked."""
        self.progress(min(done // MEGABYTE, self.megabytes - 1), self.megabytes)

    def end(self) -> None:
        """Show that all of it is unpacked."""
        self.progress(self.megabytes, self.megabytes)


class _Bound:
    """Admits the members of one archive one by one, until they are too much."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive.name
        self.left = MOST_GROWTH * archive.stat().st_size + _ALWAYS_ALLOWED

    def admit(self, name: str, size: int, *, plain: bool) -> None:
        """Raise `DownloadFailed` for a member that may not be unpacked."""
        parts = name.replace("\\", "/").split("/")
        if parts[0] == "" or ".." in parts or _DRIVE.match(name) or "\0" in name:
            self._refuse(f"{name!r} would be written outside the corpus")
        if not plain:
            self._refuse(f"{name!r} is not a plain file: a link, a device, or locked")
        self.left -= size
        if self.left < 0:
            self._refuse(f"it unpacks to more than {MOST_GROWTH} times its size")

    def _refuse(self, reason: str) -> None:
        raise DownloadFailed(
            f"{self.archive} is refused: {reason}",
            hint="do not unpack it by hand either before its publisher has explained this",
        )
