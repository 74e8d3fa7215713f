"""Folders in which only one process may be at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from spoofbench.errors import InvalidRun
from spoofbench.files import storage_errors

_LOCK = ".lock"


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Make ``folder`` if need be, and keep other processes out of it.

    Raises `InvalidRun` if another process is at work there. A lock does not outlive its process.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:  # which is an OSError too
            raise InvalidRun(
                f"another process is at work in {folder}",
                hint="wait for it, or choose another --out",
            ) from None
    try:
        yield
    finally:
        (folder / _LOCK).unlink(missing_ok=True)  # while it is held, so that nobody else's goes
        lock.release()
