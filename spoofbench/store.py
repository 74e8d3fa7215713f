"""Decoded audio on disk, memory-mapped: shared by workers, by processes and by later runs."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from spoofbench.files import storage_errors

HOME = "spoofbench-audio"
"""The folder below the user's that is ours: nothing outside of it is looked at."""
_HEADER = struct.Struct("<8sQI12x")
"""Magic number, number of samples, checksum of the samples."""
_MAGIC = b"sbaudio1"
_SAMPLES = np.dtype("<f4")
_ENTRY = re.compile(r"[0-9a-f]{62}\.f32")
_SLACK = 10
"""A tenth of the limit is freed at once, so that not every new file looks through all others."""


class Stored(NamedTuple):
    """A waveform ``(time,)`` that cannot be written to, and whether it was in the store."""

    audio: NDArray[np.float32]
    found: bool


class Store:
    """Keeps decoded audio in ``folder``, at most ``limit`` bytes; the least recently used goes.

    A file for each recording: a header, then its samples as float32. Its name is a hash of all
    that decides them: path, size and time of the recording, rate and decoder. Whatever is not
    whole is made anew. Several processes may read and write at once.
    """

    def __init__(self, folder: Path, *, limit: int) -> None:
        self.folder = folder.absolute()
        self.limit = limit
        self._home = self.folder / HOME
        self._checked: set[str] = set()

    def read(
        self,
        file: Path,
        rate: int,
        decode: Callable[[Path, int], NDArray[np.float32]],
        *,
        decoder: str,
    ) -> Stored:
        """Return what ``decode`` makes of ``file`` at ``rate``; it is called if that is not held.

        ``decoder`` names the versions that decide its samples. Raises what ``decode`` raises, and
        `StorageError` where the folder cannot be written or the disk is full.
        """
        try:
            name = _name(file.absolute(), rate, decoder)
        except OSError:  # the decoder says better what is wrong with the file
            return Stored(decode(file, rate), found=False)
        place = self._home / name[:2] / f"{name[2:]}.f32"
        with self._storage_errors():
            held = self._find(place)
        if held is not None:
            return Stored(held, found=True)
        audio = decode(file, rate)
        audio.flags.writeable = False
        with self._storage_errors():
            self._keep(place, audio)
        return Stored(audio, found=False)

    def _find(self, place: Path) -> NDArray[np.float32] | None:
        """Map what lies in ``place``; None where that is nothing, or not whole."""
        try:
            with place.open("rb") as file:
                header = file.read(_HEADER.size)
                if len(header) < _HEADER.size:
                    return None
                magic, samples, checksum = _HEADER.unpack(header)
                size = os.fstat(file.fileno()).st_size
                if magic != _MAGIC or size != _HEADER.size + samples * _SAMPLES.itemsize:
                    return None
                mapped = np.memmap(file, _SAMPLES, "r", _HEADER.size, (samples,))
        except FileNotFoundError:
            return None
        audio = mapped.view(np.ndarray).astype(np.float32, copy=False)
        if place.name not in self._checked:
            if zlib.crc32(audio.data) != checksum:
                return None
            self._checked.add(place.name)
        with suppress(FileNotFoundError, PermissionError):  # evicted since; or another user's
            _touch(place)
        return audio

    def _keep(self, place: Path, audio: NDArray[np.float32]) -> None:
        size = _HEADER.size + audio.nbytes
        if size > self.limit:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._home / "lock"):
            held = self._held()
            if held is None or held + size > self.limit:
                held = self._make_room(size)
            # Counted first: if this process is killed, the count is too high, and is mended when
            # room is next made.
            (self._home / "bytes").write_text(str(held + size), encoding="ascii")
            beside = self._home / "writing"  # whoever has the lock writes it: one name suffices
            try:
                with beside.open("wb") as file:
                    file.write(_HEADER.pack(_MAGIC, len(audio), zlib.crc32(audio.data)))
                    file.write(audio.astype(_SAMPLES, copy=False).data)
                _touch(beside)
                beside.replace(place)  # not synchronised: what a crash cuts off is made anew
            finally:
                beside.unlink(missing_ok=True)

    def _held(self) -> int | None:
        """Return how many bytes are held as far as is known; None where that is not known."""
        try:
            return int((self._home / "bytes").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _make_room(self, size: int) -> int:
        """Remove the least recently used until ``size`` bytes fit; return how many are left."""
        entries = []
        for entry in _entries(self._home):
            state = entry.stat(follow_symlinks=False)
            entries.append((state.st_mtime_ns, state.st_size, entry.path))
        held = sum(size for _, size, _ in entries)
        if held + size <= self.limit:
            return held
        for _, own, path in sorted(entries):
            if held + size <= self.limit - self.limit // _SLACK:
                break
            Path(path).unlink(missing_ok=True)
            held -= own
        return held

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        with storage_errors(
            self.folder,
            hint="free some space, choose another --cache-dir or a smaller --cache-limit, or go "
            "without",
        ):
            yield


def _touch(file: Path) -> None:
    """Let the time of ``file`` say when it was last used; the system's own clock ticks in 4 ms."""
    now = time.time_ns()
    os.utime(file, ns=(now, now))


def _name(file: Path, rate: int, decoder: str) -> str:
    state = file.stat()
    said = (str(file), state.st_size, state.st_mtime_ns, rate, decoder)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _entries(home: Path) -> Iterator[os.DirEntry[str]]:
    """Give the files that hold audio, and no other."""
    for shelf in home.iterdir():
        if re.fullmatch(r"[0-9a-f]{2}", shelf.name) and shelf.is_dir():
            with os.scandir(shelf) as found:
                yield from (entry for entry in found if _ENTRY.fullmatch(entry.name))
