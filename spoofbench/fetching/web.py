"""Files from servers: asked for again where that may help, and gone on with where they broke."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from spoofbench import __version__
from spoofbench.contracts import Progress
from spoofbench.errors import DownloadFailed
from spoofbench.fetching.archives import MEGABYTE

BREAKS = 5
"""How often a transfer may break in a row, without a byte in between, before we give up."""
GOES_ON = "what has arrived is kept: the same command goes on where it stopped"
_CHUNK = 1 << 16
_TIMEOUTS = (15, 60)
_RETRIES = 3
_BUSY = (429, 500, 502, 503, 504)
_PARTIAL, _FAILED, _OUT_OF_RANGE = 206, 400, 416


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How a download speaks to the user."""

    note: Callable[[str], None]
    progress: Callable[[str, str], AbstractContextManager[Progress]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A file on a server: its size in bytes (0: unknown), and whether a checksum will judge it."""

    url: str
    size: int
    judged: bool


class _Broken(Exception):
    """A transfer that ended before the file did."""


class _StartOver(Exception):
    """A half that cannot be gone on with."""


class Web:
    """Asks servers, and asks again after errors that may pass.

    ``wait_seconds`` is the first of the waits in between, each twice as long as the one before.
    """

    def __init__(self, *, wait_seconds: float = 1.0) -> None:
        self.wait_seconds = wait_seconds
        retries = Retry(
            total=_RETRIES,
            backoff_factor=wait_seconds,
            status_forcelist=_BUSY,
            raise_on_status=False,
            respect_retry_after_header=False,  # hours of silence are no help
        )
        self._session = requests.Session()
        # A file that is compressed on the way has another length, and no place to go on from.
        self._session.headers.update(
            {"User-Agent": f"spoofbench/{__version__}", "Accept-Encoding": "identity"}
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retries))

    def ask(
        self, url: str, headers: Mapping[str, str] | None = None, *, also: str = ""
    ) -> requests.Response:
        """Return a server's answer, its body not yet read.

        To a question about a ``Range``, "out of range" is an answer. Raises `DownloadFailed`, whose
        hint says ``also`` what holds for the caller.
        """
        try:
            answer = self._session.get(url, headers=headers, stream=True, timeout=_TIMEOUTS)
        except requests.RequestException as error:
            raise DownloadFailed(
                f"{url} cannot be reached: {type(error).__name__}",
                hint=_hint(
                    "look at the connection (and at HTTPS_PROXY, if there is a proxy)", also
                ),
            ) from error
        out_of_range = answer.status_code == _OUT_OF_RANGE and "Range" in (headers or {})
        if answer.status_code >= _FAILED and not out_of_range:
            answer.close()
            raise DownloadFailed(
                f"{url}: the server says {answer.status_code} {answer.reason}",
                hint=_hint("the file may have moved, or the server may be busy", also),
            )
        return answer

    def size(self, url: str) -> int:
        """Return how many bytes the server says that a file has, 0 if it does not say."""
        with self.ask(url) as answer:
            return _length(answer)

    def bring(self, remote: Remote, part: Path, voice: Voice) -> None:
        """Fetch until ``part`` is the whole file; what ``part`` holds already is not fetched again.

        Raises `DownloadFailed`; what has arrived until then stays in ``part``. OSError is raised as
        it comes.
        """
        failures = 0
        while failures < BREAKS:
            before = _size(part)
            try:
                with voice.progress(f"fetching {part.stem}", "MB") as progress:
                    self._go_on(remote, part, progress)
            except _StartOver:
                failures += 1
                part.unlink(missing_ok=True)
            except (_Broken, urllib3.exceptions.HTTPError):
                here = _size(part)
                failures = 0 if here > before else failures + 1
                voice.note(f"{part.stem}: the connection broke after {here:,} bytes")
                time.sleep(self.wait_seconds * 2**failures)
            else:
                return
        raise DownloadFailed(
            f"{remote.url}: the connection broke {BREAKS} times at the same place", hint=GOES_ON
        )

    def _go_on(self, remote: Remote, part: Path, progress: Progress) -> None:
        """Ask once for what ``part`` lacks, else for all of it.

        The half of one version is never joined to the rest of another: the server is asked to go on
        with that version only (``If-Range``), and what it answers is compared as well. Where it
        tells versions not apart, a half is used only if a checksum will judge the whole.
        """
        start, version = _size(part), _read_version(part)
        if remote.size and start == remote.size:
            return
        headers = {}
        if start and (version or remote.judged):
            headers["Range"] = f"bytes={start}-"
            if version:
                headers["If-Range"] = version
        with self.ask(remote.url, headers, also=GOES_ON) as answer:
            if answer.status_code == _OUT_OF_RANGE:
                raise _StartOver
            begin = 0
            if answer.status_code == _PARTIAL:
                begin = start
                if _first_byte(answer) != start or _changed(version, answer):
                    raise _StartOver
            size = begin + _length(answer) if _length(answer) else remote.size
            if remote.size and size != remote.size:
                raise DownloadFailed(
                    f"{remote.url} has {size:,} bytes; {remote.size:,} were published",
                    hint="the file was changed, or a proxy answered in its place",
                )
            _save(answer, part, begin, size, progress)


def _hint(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _save(answer: requests.Response, part: Path, begin: int, size: int, progress: Progress) -> None:
    """Write the body of an answer to ``part`` from byte ``begin`` on, up to ``size`` bytes.

    ``size`` is 0 where the server leaves it open.
    """
    here = begin
    megabytes = max(1, -(-(size - begin) // MEGABYTE))
    with part.open("ab" if begin else "wb") as file:
        _write_version(part, _version(answer))
        # As they come: some servers call the packing of an archive an encoding of the transfer.
        for chunk in answer.raw.stream(_CHUNK, decode_content=False):
            file.write(chunk)
            file.flush()
            here += len(chunk)
            progress(min((here - begin) // MEGABYTE, megabytes - 1), megabytes)
    if size and here != size:
        raise _Broken
    progress(megabytes, megabytes)


def _length(answer: requests.Response) -> int:
    said = answer.headers.get("Content-Length", "")
    return int(said) if said.isdecimal() else 0


def _first_byte(answer: requests.Response) -> int:
    """Return the place of the first byte that an answer to a ``Range`` holds; -1 if unknown."""
    unit, _, span = answer.headers.get("Content-Range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else -1


def _version(answer: requests.Response) -> str:
    """Return what tells this version of a file from others: a strong ETag, else its date."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")


def _changed(version: str, answer: requests.Response) -> bool:
    """Say whether an answer comes from another version; a server may leave it unsaid."""
    return bool(version and _version(answer) and _version(answer) != version)


def _read_version(part: Path) -> str:
    file = part.with_name(f"{part.name}.version")
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _write_version(part: Path, version: str) -> None:
    part.with_name(f"{part.name}.version").write_text(version, encoding="utf-8")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
