from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from servers import File, Server, serving

from spoofbench.errors import DownloadFailed
from spoofbench.fetching import web
from spoofbench.fetching.web import Remote, Voice, Web

OLD = np.random.default_rng(0).bytes(300_000)
NEW = np.random.default_rng(1).bytes(300_000)
HALF = 150_000


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.files.clear()
    running.asked.clear()
    return running


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "a.zip.part"


def quiet(seen: list[tuple[int, int]] | None = None) -> Voice:
    def progress(done: int, total: int) -> None:
        if seen is not None:
            seen.append((done, total))

    return Voice(note=lambda text: None, progress=lambda what, unit: nullcontext(progress))


def bring(server: Server, part: Path, *, size: int = 0, judged: bool = False) -> bytes:
    remote = Remote(url=server.url("a.zip"), size=size, judged=judged)
    Web(wait_seconds=0).bring(remote, part, quiet())
    return part.read_bytes()


def half(server: Server, part: Path, file: File) -> None:
    """Fetch half of a file, and be interrupted."""
    server.files["a.zip"] = file

    def progress(done: int, total: int) -> None:
        if part.stat().st_size >= HALF:
            raise KeyboardInterrupt

    voice = Voice(note=lambda text: None, progress=lambda what, unit: nullcontext(progress))
    with pytest.raises(KeyboardInterrupt):
        Web(wait_seconds=0).bring(
            Remote(url=server.url("a.zip"), size=0, judged=False), part, voice
        )
    assert HALF <= part.stat().st_size < len(file.content)
    server.asked.clear()


def test_a_file_arrives_as_it_is(server, part):
    server.files["a.zip"] = File(OLD)
    assert bring(server, part, size=len(OLD)) == OLD


def test_a_file_of_unknown_size_arrives_too(server, part):
    server.files["a.zip"] = File(OLD, says_size=False)
    assert bring(server, part) == OLD


def test_an_interrupted_file_is_gone_on_with_where_it_stopped(server, part):
    half(server, part, File(OLD))
    start = part.stat().st_size
    assert bring(server, part) == OLD
    assert server.ranges("a.zip") == [f"bytes={start}-"]
    assert server.asked[0][1]["If-Range"] == '"one"'


def test_a_file_with_a_date_instead_of_a_tag_is_gone_on_with(server, part):
    half(server, part, File(OLD, etag="", date="Tue, 01 Jun 2021 00:00:00 GMT"))
    start = part.stat().st_size
    assert bring(server, part) == OLD
    assert server.ranges("a.zip") == [f"bytes={start}-"]


def test_a_weak_tag_does_not_tell_versions_apart(server, part):
    half(server, part, File(OLD, etag='W/"one"'))
    assert bring(server, part) == OLD
    assert server.ranges("a.zip") == [None]


def test_a_server_that_knows_no_ranges_sends_the_file_anew(server, part):
    half(server, part, File(OLD, ranges=False))
    assert bring(server, part) == OLD


def test_a_half_whose_version_nobody_knows_is_not_gone_on_with(server, part):
    half(server, part, File(OLD, etag=""))
    assert bring(server, part) == OLD
    assert server.ranges("a.zip") == [None]


def test_a_half_of_unknown_version_is_gone_on_with_where_a_checksum_judges_the_whole(server, part):
    half(server, part, File(OLD, etag=""))
    start = part.stat().st_size
    assert bring(server, part, judged=True) == OLD
    assert server.ranges("a.zip") == [f"bytes={start}-"]


@pytest.mark.parametrize("blind", [False, True])
def test_a_changed_file_is_not_joined_to_the_half_of_the_old_one(server, part, blind: bool):
    half(server, part, File(OLD))
    server.files["a.zip"] = File(NEW, etag='"two"', blind=blind)
    assert bring(server, part) == NEW


def test_a_file_that_became_shorter_than_the_half_is_fetched_anew(server, part):
    half(server, part, File(OLD))
    server.files["a.zip"] = File(NEW[:1000], etag='"two"', blind=True)
    assert bring(server, part) == NEW[:1000]


def test_a_file_that_is_here_already_is_not_asked_for(server, part):
    part.write_bytes(OLD)
    assert bring(server, part, size=len(OLD)) == OLD
    assert server.asked == []


def test_a_part_that_is_too_long_is_fetched_anew(server, part):
    server.files["a.zip"] = File(OLD)
    part.write_bytes(OLD + b"more")
    assert bring(server, part, size=len(OLD), judged=True) == OLD


def test_a_connection_that_breaks_is_taken_up_again(server, part):
    server.files["a.zip"] = File(OLD, breaks=[100_000, 100_000])
    assert bring(server, part) == OLD
    first, *others = server.ranges("a.zip")
    assert first is None
    assert len(others) == 2
    assert None not in others


def test_a_server_that_breaks_off_and_knows_no_ranges_is_given_up_after_a_while(server, part):
    server.files["a.zip"] = File(OLD, ranges=False, breaks=[100_000] * 100)
    with pytest.raises(DownloadFailed, match="broke") as error:
        bring(server, part)
    assert "goes on" in error.value.hint
    assert len(server.asked) == web.BREAKS + 1
    assert part.stat().st_size > 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(server, part, status: int):
    server.files["a.zip"] = File(OLD, fails=[status, status])
    assert bring(server, part) == OLD


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (416, 1), (503, 4)])
def test_a_server_that_refuses_is_quoted(server, part, status: int, asked: int):
    server.files["a.zip"] = File(OLD, fails=[status] * 10)
    with pytest.raises(DownloadFailed, match=str(status)):
        bring(server, part)
    assert len(server.asked) == asked
    assert not part.exists()


def test_a_server_that_is_not_there_is_an_error_with_a_way_out(part):
    with serving() as gone:
        url = gone.url("a.zip")
    with pytest.raises(DownloadFailed, match="cannot be reached") as error:
        Web(wait_seconds=0).bring(Remote(url=url, size=0, judged=False), part, quiet())
    assert "connection" in error.value.hint


def test_a_file_of_another_size_than_the_published_one_is_not_even_begun(server, part):
    server.files["a.zip"] = File(OLD)
    with pytest.raises(DownloadFailed, match="300,000 bytes; 299,999 were published"):
        bring(server, part, size=len(OLD) - 1)
    assert not part.exists()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_an_archive_whose_packing_a_server_calls_an_encoding_is_kept_packed(
    server, part, encoding: str
):
    server.files["a.zip"] = File(OLD, headers={"Content-Encoding": encoding})
    assert bring(server, part, size=len(OLD)) == OLD


def test_progress_begins_at_nothing_and_ends_once(server, part):
    server.files["a.zip"] = File(bytes(3_000_001))
    seen: list[tuple[int, int]] = []
    remote = Remote(url=server.url("a.zip"), size=0, judged=False)
    Web(wait_seconds=0).bring(remote, part, quiet(seen))
    assert seen[0][0] == 0
    assert seen[-1] == (4, 4)
    assert [done for done, total in seen].count(4) == 1


def test_a_full_disk_leaves_what_arrived(server, part, monkeypatch):
    server.files["a.zip"] = File(OLD)
    opened: Callable[..., object] = Path.open

    class Full:
        def __init__(self, file: object) -> None:
            self.file = file
            self.left = 2

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *args: object) -> None:
            self.file.close()

        def write(self, chunk: bytes) -> None:
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.file.write(chunk)

        def flush(self) -> None:
            self.file.flush()

    def open_full(path: Path, *args: object, **kwargs: object) -> object:
        file = opened(path, *args, **kwargs)
        return Full(file) if path == part else file

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", open_full)
        with pytest.raises(OSError, match="No space"):
            bring(server, part)
    assert 0 < part.stat().st_size < len(OLD)
    assert bring(server, part) == OLD
    assert server.ranges("a.zip")[1] is not None
