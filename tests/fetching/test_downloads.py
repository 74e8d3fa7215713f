from __future__ import annotations

import errno
import hashlib
import io
import itertools
import json
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from servers import File, Server, serving

from spoofbench.corpora import how_to_obtain
from spoofbench.errors import CorpusNotFound, DownloadFailed, StorageError, UnknownName
from spoofbench.fetching import downloads
from spoofbench.fetching.downloads import RECORD, Plan, describe, fetch, plan
from spoofbench.fetching.web import Voice, Web
from spoofbench.locks import reserved
from spoofbench.plugins import catalogue
from spoofbench.settings import remember_corpus, settings
from spoofbench.specs import CorpusSpec, Download

NUMBERS = itertools.count()
WEB = Web(wait_seconds=0)
GENEROUS = 10**15


def of_zip(**members: bytes) -> bytes:
    """Return a zip; a member's name has ``__`` for a slash and ``_txt`` for its suffix."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_txt", ".txt"), text)
    return content.getvalue()


def of_tar(*names: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
    return content.getvalue()


def md5(content: bytes) -> str:
    return "md5:" + hashlib.md5(content, usedforsecurity=False).hexdigest()


def sha256(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


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
def folder(tmp_path: Path) -> Path:
    return tmp_path / "corpora" / "LA"


def spec(*files: Download) -> CorpusSpec:
    return CorpusSpec(
        name="somewhere",
        summary="Somewhere's corpus.",
        licence="ODC-By 1.0",
        obtain="download it from https://example.org",
        page="https://example.org/corpus",
        downloads=files,
    )


def offer(server: Server, name: str, content: bytes, **given: object) -> Download:
    """Put a file on the server and return the download that a plugin would declare for it."""
    server.files[name] = File(content)
    known = {"url": server.url(name), "size": len(content), "checksum": sha256(content)}
    return Download(file=name, **{**known, **given})


def quiet(notes: list[str] | None = None, seen: Callable[[str], None] | None = None) -> Voice:
    def progress(what: str, unit: str) -> nullcontext:
        return nullcontext(lambda done, total: seen(what) if seen else None)

    return Voice(note=(notes if notes is not None else []).append, progress=progress)


def fetched(wanted: CorpusSpec, folder: Path, **options: object) -> Plan:
    planned = plan(wanted, folder, WEB, **options)
    fetch(planned, WEB, quiet())
    return planned


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below ``folder``, but for the record of what was fetched."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    }


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.parent.iterdir() if path != folder]


# what arrives


def test_a_zip_is_unpacked_into_the_folder_and_nothing_else_is_left(server, folder):
    wanted = spec(offer(server, "LA.zip", of_zip(keys_txt=b"keys", flac__one_txt=b"1")))
    fetched(wanted, folder)
    assert contents(folder) == {"keys.txt": b"keys", "flac/one.txt": b"1"}
    assert leftovers(folder) == []


def test_the_parts_of_a_corpus_come_together_in_one_folder(server, folder):
    wanted = spec(
        offer(server, "part00.tar.gz", of_tar("DF/flac/a", "DF/LICENSE")),
        offer(server, "part01.tar.gz", of_tar("DF/flac/b", "DF/LICENSE")),
        offer(server, "keys.zip", of_zip(keys__DF_txt=b"keys"), unpack="extra/keys"),
        offer(server, "README.txt", b"read me"),
    )
    fetched(wanted, folder)
    assert set(contents(folder)) == {
        *("DF/flac/a", "DF/flac/b", "DF/LICENSE"),
        *("extra/keys/keys/DF.txt", "README.txt"),
    }


@pytest.mark.parametrize("inside", ["LA", "no-such-folder"])
def test_a_folder_in_the_archive_is_left_off_where_the_archive_has_it(server, folder, inside):
    wanted = spec(offer(server, "LA.zip", of_zip(LA__keys_txt=b"keys"), inside=inside))
    fetched(wanted, folder)
    assert list(contents(folder)) == (["keys.txt"] if inside == "LA" else ["LA/keys.txt"])


def test_an_empty_folder_may_be_named(server, folder):
    folder.mkdir(parents=True)
    fetched(spec(offer(server, "LA.zip", of_zip(keys_txt=b"keys"))), folder)
    assert list(contents(folder)) == ["keys.txt"]


def test_what_was_fetched_from_where_is_written_down(server, folder):
    known, unknown = of_zip(a_txt=b"a"), of_zip(b_txt=b"b")
    wanted = spec(
        offer(server, "a.zip", known, checksum=md5(known)),
        offer(server, "b.zip", unknown, checksum="", size=0),
    )
    fetched(wanted, folder)
    record = json.loads((folder / RECORD).read_text())
    assert (record["corpus"], record["version"], record["licence"]) == (
        *("somewhere", "1", "ODC-By 1.0"),
    )
    assert [
        (f["file"], f["url"], f["size"], f["checksum"], f["published"]) for f in record["files"]
    ] == [
        ("a.zip", server.url("a.zip"), len(known), md5(known), True),
        ("b.zip", server.url("b.zip"), len(unknown), sha256(unknown), False),
    ]


def test_what_is_complete_is_not_fetched_twice(server, folder):
    wanted = spec(offer(server, "LA.zip", of_zip(keys_txt=b"keys")))
    fetched(wanted, folder)
    server.asked.clear()
    planned = plan(wanted, folder, WEB)
    assert (planned.items, planned.unfinished, server.asked) == ((), False, [])


def test_one_file_of_a_corpus_can_be_fetched_first_and_the_rest_later(server, folder):
    wanted = spec(
        offer(server, "audio.tar.gz", of_tar("flac/a")),
        offer(server, "keys.zip", of_zip(keys__a_txt=b"keys")),
    )
    fetched(wanted, folder, only=["keys.zip"])
    assert list(contents(folder)) == ["keys/a.txt"]
    assert server.paths() == ["keys.zip"]
    fetched(wanted, folder)
    assert set(contents(folder)) == {"keys/a.txt", "flac/a"}
    assert server.paths() == ["keys.zip", "audio.tar.gz"]


def test_keys_can_be_added_to_audio_that_was_unpacked_by_hand(server, folder):
    (folder / "flac").mkdir(parents=True)
    (folder / "flac" / "a").write_bytes(b"mine")
    wanted = spec(
        offer(server, "audio.tar.gz", of_tar("flac/a")),
        offer(server, "keys.zip", of_zip(keys__a_txt=b"keys")),
    )
    with pytest.raises(CorpusNotFound, match="not fetched by spoofbench") as error:
        plan(wanted, folder, WEB)
    assert "--only" in error.value.hint
    fetched(wanted, folder, only=["keys.zip"])
    assert contents(folder) == {"flac/a": b"mine", "keys/a.txt": b"keys"}


# Zenodo


def zenodo(server: Server, *names: str, **wrong: object) -> str:
    """Put a record of files on the server, in the form of Zenodo's API; return its address."""
    entries = [
        {
            "id": "b1",
            "key": name,
            "size": len(server.files[name].content),
            "checksum": md5(server.files[name].content),
            "links": {"self": server.url(name)},
            **wrong,
        }
        for name in names
    ]
    server.files["record"] = File(json.dumps({"id": 1, "files": entries}).encode())
    return server.url("record")


def test_size_checksum_and_address_are_read_from_the_record(server, folder):
    content = of_tar("flac/a")
    server.files["part00.tar.gz"] = File(content)
    record = zenodo(server, "part00.tar.gz")
    wanted = spec(Download(file="part00.tar.gz", record=record))
    (item,) = plan(wanted, folder, WEB).items
    assert (item.url, item.size, item.checksum) == (
        *(server.url("part00.tar.gz"), len(content), md5(content)),
    )
    fetched(wanted, folder)
    assert list(contents(folder)) == ["flac/a"]


def test_a_record_is_read_once_for_all_files(server, folder):
    server.files |= {name: File(of_tar(name)) for name in ("a.tar.gz", "b.tar.gz")}
    record = zenodo(server, "a.tar.gz", "b.tar.gz")
    wanted = spec(*(Download(file=name, record=record) for name in ("a.tar.gz", "b.tar.gz")))
    plan(wanted, folder, WEB)
    assert server.paths() == ["record"]


def test_a_checksum_of_the_plugin_goes_before_that_of_the_record(server, folder):
    content = of_tar("flac/a")
    server.files["a.tar.gz"] = File(content)
    record = zenodo(server, "a.tar.gz")
    wanted = spec(Download(file="a.tar.gz", record=record, checksum=sha256(b"another")))
    with pytest.raises(DownloadFailed, match=sha256(b"another").partition(":")[2]):
        fetched(wanted, folder)


def test_a_file_that_the_record_lacks_is_named(server, folder):
    record = zenodo(server)
    with pytest.raises(DownloadFailed, match=r"no file part00\.tar\.gz"):
        plan(spec(Download(file="part00.tar.gz", record=record)), folder, WEB)


@pytest.mark.parametrize("wrong", [{"checksum": "rot13:ab"}, {"size": "big"}, {"links": {}}])
def test_a_record_of_another_form_is_refused(server, folder, wrong):
    server.files["a.tar.gz"] = File(b"")
    record = zenodo(server, "a.tar.gz", **wrong)
    with pytest.raises(DownloadFailed, match="record"):
        plan(spec(Download(file="a.tar.gz", record=record)), folder, WEB)


@pytest.mark.parametrize("page", [b"<html>Please log in</html>", b"", b"[]"])
def test_a_page_in_place_of_a_record_is_refused(server, folder, page):
    server.files["record"] = File(page)
    with pytest.raises(DownloadFailed, match="record"):
        plan(spec(Download(file="a.zip", record=server.url("record"))), folder, WEB)


# what does not arrive


def test_of_a_file_with_a_wrong_checksum_nothing_is_kept(server, folder):
    content = of_zip(keys_txt=b"keys")
    wanted = spec(offer(server, "LA.zip", content, checksum=sha256(b"another")))
    with pytest.raises(DownloadFailed, match=hashlib.sha256(content).hexdigest()):
        fetched(wanted, folder)
    assert not folder.exists()
    assert contents(folder.parent / ".LA.fetch").keys() <= {"LA.zip.part.version"}


@pytest.mark.parametrize("names", [["../evil"], ["/evil"], ["good", "a/../../../evil"]])
def test_an_archive_that_leads_outside_leaves_nothing(server, folder, names):
    wanted = spec(offer(server, "LA.tar.gz", of_tar(*names)))
    with pytest.raises(DownloadFailed, match="outside"):
        fetched(wanted, folder)
    assert not folder.exists()
    assert not list(folder.parents[1].rglob("evil"))
    assert not list(folder.parents[1].rglob("good"))


def test_a_page_in_place_of_an_archive_is_refused(server, folder):
    page = b"<html>Please log in</html>"
    wanted = spec(offer(server, "LA.zip", page, checksum="", size=0))
    with pytest.raises(DownloadFailed, match="cannot be unpacked"):
        fetched(wanted, folder)
    assert not folder.exists()


def interrupted(wanted: CorpusSpec, folder: Path, *, during: str) -> None:
    def stop(what: str) -> None:
        if what == during:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(plan(wanted, folder, WEB), WEB, quiet(seen=stop))
    assert not folder.exists()


@pytest.mark.parametrize("during", ["fetching b.zip", "unpacking b.zip"])
def test_after_an_interruption_finished_files_are_not_fetched_again(server, folder, during):
    big = of_zip(b_txt=os.urandom(200_000))
    wanted = spec(
        offer(server, "a.zip", of_zip(a_txt=b"a")),
        offer(server, "b.zip", big),
        offer(server, "c.zip", of_zip(c_txt=b"c")),
    )
    interrupted(wanted, folder, during=during)
    server.asked.clear()
    planned = plan(wanted, folder, WEB)
    assert [item.download.file for item in planned.items] == ["b.zip", "c.zip"]
    assert 0 < planned.items[0].here <= len(big)
    fetch(planned, WEB, quiet())
    assert set(contents(folder)) == {"a.txt", "b.txt", "c.txt"}
    assert leftovers(folder) == []
    if during.startswith("unpacking"):
        assert server.paths() == ["c.zip"]
    else:
        assert server.paths() == ["b.zip", "c.zip"]
        assert server.ranges("b.zip") == [f"bytes={planned.items[0].here}-"]


def test_a_half_outlives_a_fetch_of_another_file(server, folder):
    big = of_zip(b_txt=os.urandom(200_000))
    wanted = spec(offer(server, "a.zip", of_zip(a_txt=b"a")), offer(server, "b.zip", big))
    interrupted(wanted, folder, during="fetching b.zip")
    fetched(wanted, folder, only=["a.zip"])
    assert list(contents(folder)) == ["a.txt"]
    (item,) = plan(wanted, folder, WEB).items
    assert 0 < item.here < len(big)
    fetched(wanted, folder)
    assert set(contents(folder)) == {"a.txt", "b.txt"}
    assert leftovers(folder) == []


def test_a_corpus_that_was_finished_but_not_moved_is_moved(server, folder, monkeypatch):
    wanted = spec(offer(server, "a.zip", of_zip(a_txt=b"a")))

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(downloads, "_land", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetched(wanted, folder)
    server.asked.clear()
    planned = fetched(wanted, folder)
    assert planned.unfinished
    assert (list(contents(folder)), server.asked) == (["a.txt"], [])


def test_a_full_disk_is_an_error_after_which_the_same_command_goes_on(server, folder, monkeypatch):
    wanted = spec(offer(server, "a.zip", of_zip(a_txt=b"a")))

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "a.txt")

    with monkeypatch.context() as patched:
        patched.setattr(downloads, "unpack", full)
        with pytest.raises(StorageError, match="No space left") as error:
            fetched(wanted, folder)
    assert "goes on" in error.value.hint
    server.asked.clear()
    fetched(wanted, folder)
    assert (list(contents(folder)), server.asked) == (["a.txt"], [])


def test_a_folder_that_cannot_be_made_is_an_error(server, tmp_path):
    (tmp_path / "file").touch()
    wanted = spec(offer(server, "a.zip", of_zip(a_txt=b"a")))
    with pytest.raises(StorageError):
        fetched(wanted, tmp_path / "file" / "corpus")


def test_two_processes_do_not_fetch_the_same_corpus_at_once(server, folder):
    wanted = spec(offer(server, "a.zip", of_zip(a_txt=b"a")))
    with (
        reserved(folder.with_name(f".{folder.name}.fetch")),
        pytest.raises(DownloadFailed, match="another process"),
    ):
        fetched(wanted, folder)


# the plan


def test_the_plan_says_what_a_user_must_know_before_agreeing(server, folder):
    wanted = spec(
        offer(server, "audio.zip", bytes(2_000_000), checksum="md5:" + 32 * "0"),
        offer(server, "keys.zip", bytes(500), checksum=""),
    )
    planned = replace(plan(wanted, folder, WEB), free=3_000_000_000)
    said = "\n".join(describe(planned))
    for word in ("ODC-By 1.0", "https://example.org/corpus", "audio.zip", "2.0 MB", "500 bytes"):
        assert word in said
    assert str(folder) in said
    assert "to fetch: 2.0 MB" in said
    assert "about 4.2 MB while unpacking, 3.0 GB free" in said
    assert "no checksum is published for keys.zip:" in said


def test_a_size_that_nobody_published_is_asked_of_the_server(server, folder):
    wanted = spec(offer(server, "a.zip", bytes(1234), size=0))
    assert plan(wanted, folder, WEB).items[0].size == 1234
    server.files["a.zip"].says_size = False
    planned = plan(wanted, folder, WEB)
    assert planned.items[0].size == 0
    assert "1 of unknown size" in "\n".join(describe(planned))


@pytest.mark.parametrize("answers", [True, False], ids=["a server that lacks it", "no server"])
def test_where_nothing_can_be_fetched_the_way_by_hand_is_said(server, folder, answers):
    nowhere = server.url("gone.zip") if answers else "http://127.0.0.1:1/gone.zip"
    lost = Download(file="gone.zip", url=nowhere)
    with pytest.raises(DownloadFailed) as raised:
        plan(spec(lost), folder, Web(wait_seconds=0))
    assert "download it from https://example.org" in raised.value.hint
    assert "ODC-By 1.0" in raised.value.hint
    assert "what has arrived" not in raised.value.hint


def test_a_disk_that_is_too_small_is_refused_before_anything_is_fetched(server, folder):
    planned = plan(spec(offer(server, "a.zip", bytes(1_000_000))), folder, WEB)
    downloads.check_space(replace(planned, free=2_100_000))
    with pytest.raises(StorageError, match=r"2\.1 MB"):
        downloads.check_space(replace(planned, free=2_099_999))


def test_a_file_that_the_corpus_does_not_have_is_refused_with_those_that_it_has(server, folder):
    wanted = spec(offer(server, "a.zip", b""))
    with pytest.raises(UnknownName, match=r"keys\.zip") as error:
        plan(wanted, folder, WEB, only=["keys.zip"])
    assert "a.zip" in error.value.hint


def test_the_folder_of_another_corpus_is_refused(server, folder):
    wanted = spec(offer(server, "a.zip", of_zip(a_txt=b"a")))
    fetched(wanted, folder)
    with pytest.raises(CorpusNotFound, match="holds somewhere, version 1"):
        plan(replace(wanted, version="2"), folder, WEB)


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", '{"corpus": 7}'])
def test_a_damaged_record_is_an_error_with_a_way_out(server, folder, text):
    folder.mkdir(parents=True)
    (folder / RECORD).write_text(text)
    with pytest.raises(CorpusNotFound, match="cannot be read") as error:
        plan(spec(offer(server, "a.zip", b"")), folder, WEB)
    assert "new folder" in error.value.hint


def test_where_a_corpus_goes_by_default(tmp_path, monkeypatch):
    known, wanted = catalogue(), spec()
    assert downloads.default_folder(wanted, known).is_relative_to(os.environ["SPOOFBENCH_CACHE"])
    monkeypatch.setenv("SPOOFBENCH_DATA", str(tmp_path))
    settings.cache_clear()
    assert downloads.default_folder(wanted, known) == tmp_path / "somewhere"
    remember_corpus("somewhere", tmp_path / "mine")
    assert downloads.default_folder(wanted, known) == tmp_path / "mine"


# what a plugin declares


@pytest.mark.parametrize(
    "wrong",
    [
        {"file": "../a.zip"},
        {"file": "a/b.zip"},
        {"file": ".hidden"},
        {"url": "", "record": ""},
        {"url": "ftp://example.org/a.zip"},
        {"url": "file:///etc/passwd"},
        {"size": -1},
        {"checksum": "md5:12"},
        {"checksum": 64 * "0"},
        {"unpack": "/etc"},
        {"unpack": "a/../../b"},
        {"inside": ".."},
    ],
)
def test_a_download_that_cannot_be_meant_is_refused(wrong):
    given = {"file": "a.zip", "url": "https://example.org/a.zip", **wrong}
    with pytest.raises(ValueError, match=r"."):
        Download(**given)


# the command


PLUGIN = """
from spoofbench import CorpusSpec, Download, ProtocolSpec, hookimpl

@hookimpl
def spoofbench_corpora():
    return [CorpusSpec(name="tiny", summary="Tiny.", licence="CC0", obtain="ask", downloads=({0}))]

@hookimpl
def spoofbench_protocols():
    return [ProtocolSpec(name="tiny-eval", target="{1}:tiny-eval.toml", summary="Tiny, eval")]
"""


@pytest.fixture
def installed(server: Server, tiny: Path, tmp_path: Path, monkeypatch) -> Server:
    """A server with the tiny corpus in two files, and a plugin that says so."""
    audio, keys = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=audio, mode="w:gz") as archive:
        archive.add(tiny / "eval", "LA/eval")
    with zipfile.ZipFile(keys, "w") as zipped:
        zipped.write(tiny / "keys" / "eval.txt", "keys/eval.txt")
    found = (
        offer(server, "audio.tar.gz", audio.getvalue(), inside="LA"),
        offer(server, "keys.zip", keys.getvalue()),
    )
    name = f"tiny_fetched_{next(NUMBERS)}"
    package = tmp_path / "site" / name
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(PLUGIN.format(", ".join(map(repr, found)), name))
    shutil.copy(tiny / "tiny-eval.toml", package)
    information = tmp_path / "site" / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[spoofbench]\ntiny = {name}.plugin\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return server


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_fetched_corpus_is_checked_remembered_and_found_afterwards(
    installed, spoofbench_cli, tmp_path
):
    target = tmp_path / "mine"
    outcome = spoofbench_cli("data", "fetch", "tiny", target, "--yes")
    assert outcome.code == 0, outcome.err
    assert f"tiny is in {target} (said in " in outcome.out
    assert "tiny-eval: 4 bona fide + 6 spoof trials" in outcome.out
    assert "every recording is there" in outcome.out
    assert "licence: CC0" in outcome.err
    assert spoofbench_cli("data", "check", "tiny-eval").code == 0


def test_a_fetched_corpus_goes_into_the_cache_where_nothing_else_is_said(installed, spoofbench_cli):
    assert spoofbench_cli("data", "fetch", "tiny", "--yes").code == 0
    assert spoofbench_cli("data", "check", "tiny").code == 0
    installed.asked.clear()
    again = spoofbench_cli("data", "fetch", "tiny")
    assert (again.code, installed.asked) == (0, [])
    assert "tiny is in " in again.out


def test_a_folder_that_the_environment_hides_is_pointed_out(installed, spoofbench_cli, tmp_path):
    (tmp_path / "data" / "tiny").mkdir(parents=True)
    environment = {"SPOOFBENCH_DATA": str(tmp_path / "data")}
    outcome = spoofbench_cli("data", "fetch", "tiny", tmp_path / "x", "--yes", env=environment)
    assert "SPOOFBENCH_DATA goes before the settings" in outcome.err


def test_with_only_the_keys_it_says_what_is_missing_but_does_not_fail(
    installed, spoofbench_cli, tmp_path
):
    outcome = spoofbench_cli("data", "fetch", "tiny", tmp_path / "x", "--only=keys.zip", "--yes")
    assert outcome.code == 0
    assert "10 of 10 recordings are missing" in outcome.out
    assert installed.paths() == ["keys.zip"]


def test_a_published_corpus_that_is_not_whole_is_an_error(
    installed, spoofbench_cli, tmp_path, monkeypatch
):
    target = tmp_path / "x"
    assert spoofbench_cli("data", "fetch", "tiny", target, "--yes").code == 0
    (target / "eval" / "E003.flac").unlink()
    outcome = spoofbench_cli("data", "fetch", "tiny", target)
    assert (outcome.code, "not whole: tiny-eval" in outcome.err) == (2, True)


def test_where_nobody_can_be_asked_nothing_is_fetched(installed, spoofbench_cli, tmp_path):
    outcome = spoofbench_cli("data", "fetch", "tiny", tmp_path / "x")
    assert (outcome.code, "--yes" in outcome.err) == (2, True)
    assert (installed.asked, (tmp_path / "x").exists()) == ([], False)


@pytest.mark.parametrize(("answer", "there"), [("y\n", True), ("n\n", False), ("", False)])
def test_a_user_is_asked(installed, spoofbench_cli, tmp_path, monkeypatch, answer, there):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    outcome = spoofbench_cli("data", "fetch", "tiny", tmp_path / "x")
    assert (outcome.code, (tmp_path / "x").exists()) == (0, there)
    assert ("nothing was fetched" in outcome.err) != there


def test_a_corpus_that_cannot_be_downloaded_freely_comes_with_instructions(spoofbench_cli):
    outcome = spoofbench_cli("data", "fetch", "toy")
    assert (outcome.code, "spoofbench data build toy" in outcome.err) == (2, True)


def test_who_lacks_a_corpus_is_told_that_it_can_be_fetched():
    said = how_to_obtain(spec(Download(file="a.zip", url="https://example.org/a.zip")))
    assert "spoofbench data fetch somewhere, or download it from https://example.org" in said
    assert "data fetch" not in how_to_obtain(spec())


def test_how_a_corpus_is_obtained_by_hand_is_said_in_words(folder):
    with pytest.raises(CorpusNotFound, match="cannot be fetched") as error:
        plan(spec(), folder, WEB)
    for words in ("download it from https://example.org", "ODC-By", "data set somewhere DIR"):
        assert words in error.value.hint
