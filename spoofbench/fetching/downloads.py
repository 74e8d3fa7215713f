"""Corpora that may be downloaded: what would be fetched, and fetching it so that it can go on."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from requests import RequestException
from rich.filesize import decimal

from spoofbench.corpora import generated_folder, how_to_obtain, locate
from spoofbench.errors import (
    CorpusNotFound,
    DownloadFailed,
    InvalidRun,
    StorageError,
    UnknownName,
)
from spoofbench.fetching.archives import is_archive, unpack
from spoofbench.fetching.web import GOES_ON, Remote, Voice, Web
from spoofbench.files import write_text
from spoofbench.locks import reserved
from spoofbench.plugins import Catalogue
from spoofbench.settings import settings
from spoofbench.specs import CorpusSpec, Download

RECORD = "spoofbench-fetch.json"
"""The file in a fetched corpus that says what was fetched from where."""
ROOM = 1.1
"""How much of the size of an archive its content may take: audio is packed already."""
_UNPACKING = "unpacking-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file that is still to be fetched, with what the spec leaves to the record or the server.

    ``size`` is in bytes, 0 where nobody says it; ``checksum`` is empty where none is published;
    ``here`` bytes have arrived already.
    """

    download: Download
    url: str
    size: int
    checksum: str
    here: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `fetch` would do: which files, for which folder, and what disk space that takes."""

    spec: CorpusSpec
    folder: Path
    items: tuple[Item, ...]
    unfinished: bool
    free: int

    @property
    def total(self) -> int:
        """Bytes that are still to come, of files whose size is known."""
        return sum(max(item.size - item.here, 0) for item in self.items)

    @property
    def needed(self) -> int:
        """Return about how many bytes the disk must have free: an archive goes when unpacked."""
        sizes = [item.size for item in self.items]
        unpacked = sum(round(ROOM * size) for size in sizes)
        return max(0, unpacked + max(sizes, default=0) - sum(item.here for item in self.items))


class Fetched(BaseModel):
    """A file that was fetched: ``published`` says whether its checksum was known beforehand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    source: str
    url: str
    size: int
    checksum: str
    published: bool


class FetchRecord(BaseModel):
    """What `RECORD` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: str
    version: str
    licence: str
    files: tuple[Fetched, ...] = ()

    def has(self, download: Download) -> bool:
        """Say whether ``download`` was fetched from where it is today."""
        return (download.file, _source(download)) in {(f.file, f.source) for f in self.files}

    def including(self, files: Sequence[Fetched]) -> Self:
        """Return the record with ``files`` added, or put in the place of older ones."""
        new = {file.file for file in files}
        kept = [file for file in self.files if file.file not in new]
        return self.model_copy(update={"files": (*kept, *files)})


class _Links(BaseModel):
    self: str


class _RecordFile(BaseModel):
    key: str
    size: int
    checksum: Annotated[str, Field(pattern="^(md5|sha256|sha512):[0-9a-f]+$")]
    links: _Links


class _Record(BaseModel):
    """What is read of a Zenodo record."""

    files: list[_RecordFile]


def default_folder(spec: CorpusSpec, catalogue: Catalogue) -> Path:
    """Return where a corpus goes when nobody says where.

    That is the folder that is set for it, else ``SPOOFBENCH_DATA/<corpus>``, else the cache.
    """
    if (place := locate(spec.name, catalogue)).folder is not None:
        return place.folder
    data = settings().data
    return data / spec.name if data is not None else generated_folder(spec)


def plan(spec: CorpusSpec, folder: Path, web: Web, *, only: Sequence[str] = ()) -> Plan:
    """Find out what is to be fetched for ``folder``: of all files, or of those named in ``only``.

    Raises `CorpusNotFound` for a corpus that cannot be fetched and for a folder that holds
    something else, `UnknownName` for a file that the corpus does not have, `DownloadFailed` where
    a server does not answer as it should.
    """
    if not spec.downloads:
        raise CorpusNotFound(f"{spec.name} cannot be fetched by spoofbench", hint=_by_hand(spec))
    wanted = _chosen(spec, only)
    folder = folder.expanduser().resolve()
    with _storage(folder):
        if not only:
            _check_unused(folder, spec)
        try:
            return _planned(spec, folder, wanted, web)
        except DownloadFailed as error:
            hint = f"{error.hint}\nor by hand: {_by_hand(spec)}"
            raise DownloadFailed(str(error), hint=hint) from error


def _check_unused(folder: Path, spec: CorpusSpec) -> None:
    if folder.exists() and not _is_empty(folder) and _read_record(folder / RECORD, spec) is None:
        raise CorpusNotFound(
            f"{folder} holds something that was not fetched by spoofbench",
            hint="name a new folder; or, to add a file to what you have: --only FILE, one of "
            + ", ".join(download.file for download in spec.downloads),
        )


def _planned(spec: CorpusSpec, folder: Path, wanted: Sequence[Download], web: Web) -> Plan:
    there = _read_record(folder / RECORD, spec)
    work = _work(folder)
    done = _read_record(work / RECORD, spec)
    missing = [d for d in wanted if not any(r and r.has(d) for r in (there, done))]
    records = {record: _read_zenodo(record, web) for record in sorted({d.record for d in missing})}
    return Plan(
        spec=spec,
        folder=folder,
        items=tuple(_item(d, records.get(d.record), work, web) for d in missing),
        unfinished=done is not None,
        free=shutil.disk_usage(_existing(folder)).free,
    )


def describe(planned: Plan) -> Iterator[str]:
    """Yield the lines that a user should read before agreeing to a plan."""
    spec = planned.spec
    yield f"{spec.name}: {spec.summary}"
    yield f"licence: {spec.licence}"
    if spec.page:
        yield f"page:    {spec.page}"
    for item in planned.items:
        size = decimal(item.size) if item.size else "size unknown"
        here = f", {decimal(item.here)} of it here already" if item.here else ""
        yield f"  {item.download.file}  {size}{here}  from {item.url}"
    yield f"to fetch: {_amount(planned)}, for {planned.folder}"
    yield f"space:    about {decimal(planned.needed)} while unpacking, {decimal(planned.free)} free"
    unchecked = [item.download.file for item in planned.items if not item.checksum]
    if unchecked:
        yield (
            f"warning: no checksum is published for {', '.join(unchecked)}: nothing but the "
            f"server vouches for it. Its sha256 is written to {RECORD}"
        )


def check_space(planned: Plan) -> None:
    """Raise `StorageError` where the disk has too little room for a plan."""
    if planned.needed > planned.free:
        raise StorageError(
            f"{_existing(planned.folder)} has {decimal(planned.free)} free, and "
            f"{planned.spec.name} takes about {decimal(planned.needed)} while it is unpacked",
            hint="free some space, or name a folder on another disk",
        )


def fetch(planned: Plan, web: Web, voice: Voice) -> tuple[Fetched, ...]:
    """Fetch, check and unpack what is missing; the corpus folder appears when all of it is there.

    After an interruption the next call goes on, within the file that was cut.

    Raises `DownloadFailed` for what does not arrive or is not what was published, and
    `StorageError` for a folder that cannot be written.
    """
    spec, work = planned.spec, _work(planned.folder)
    with _storage(work), _alone(work):
        for cut in work.glob(f"{_UNPACKING}*"):
            shutil.rmtree(cut)
        for item in planned.items:
            fetched = _fetch_item(item, work, web, voice)
            done = _read_record(work / RECORD, spec) or _new_record(spec)
            write_text(work / RECORD, _json(done.including([fetched])))
            (work / item.download.file).unlink(missing_ok=True)
        done = _read_record(work / RECORD, spec) or _new_record(spec)
        _land(done, work, planned)
    return done.files


# one file


def _fetch_item(item: Item, work: Path, web: Web, voice: Voice) -> Fetched:
    """Fetch one file and put what it holds into ``work/corpus``."""
    name = item.download.file
    archive = work / name
    if not archive.exists():
        part = work / f"{name}.part"
        web.bring(Remote(url=item.url, size=item.size, judged=bool(item.checksum)), part, voice)
        part.rename(archive)
    size = archive.stat().st_size
    try:
        with voice.progress(f"checking {name}", "MB"):
            checksum = _checked(item, archive)
        _place(item.download, archive, work, voice)
    except DownloadFailed:
        archive.unlink(missing_ok=True)
        raise
    if not item.checksum:
        voice.note(f"{name}: no checksum is published; it arrived as {checksum}")
    return Fetched(
        file=name,
        source=_source(item.download),
        url=item.url,
        size=size,
        checksum=checksum,
        published=bool(item.checksum),
    )


def _checked(item: Item, archive: Path) -> str:
    """Return the checksum of ``archive``; raise `DownloadFailed` unless it is the published one."""
    kind, _, wanted = (item.checksum or "sha256:").partition(":")
    with archive.open("rb") as file:
        digest = partial(hashlib.new, kind, usedforsecurity=False)
        found = hashlib.file_digest(file, digest).hexdigest()
    if wanted and found != wanted:
        raise DownloadFailed(
            f"{item.url} arrived with {kind} {found}; {wanted} was published",
            hint="nothing was kept of it: the same command fetches it anew. If that does not help, "
            "the file was changed, or a proxy answers in its place",
        )
    return f"{kind}:{found}"


def _place(download: Download, archive: Path, work: Path, voice: Voice) -> None:
    """Unpack ``archive``, then move its content to its place in ``work/corpus``."""
    target = work / "corpus" / download.unpack
    with tempfile.TemporaryDirectory(dir=work, prefix=_UNPACKING) as name:
        content = Path(name) / "content"
        content.mkdir()
        if is_archive(download.file):
            with voice.progress(f"unpacking {download.file}", "MB") as progress:
                unpack(archive, content, progress)
        else:
            shutil.copy2(archive, content / download.file)
        inside = content / download.inside
        _merge(inside if inside.is_dir() else content, target)


def _merge(source: Path, target: Path) -> None:
    """Move ``source`` to ``target``; folders that are on both sides are joined."""
    if source.is_dir() and target.is_dir():
        for entry in sorted(source.iterdir()):
            _merge(entry, target / entry.name)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _land(done: FetchRecord, work: Path, planned: Plan) -> None:
    """Move the finished corpus to its folder, and remove what was needed on the way.

    What has arrived of files that nobody asks for this time is kept.
    """
    there = _read_record(planned.folder / RECORD, planned.spec) or _new_record(planned.spec)
    corpus = work / "corpus"
    corpus.mkdir(exist_ok=True)
    write_text(corpus / RECORD, _json(there.including(done.files)))
    _merge(corpus, planned.folder)
    (work / RECORD).unlink(missing_ok=True)
    if not any(work.glob("*.part")):
        shutil.rmtree(work)


# what servers say


def _read_zenodo(record: str, web: Web) -> dict[str, _RecordFile]:
    """Return the files of a Zenodo record by name. Without a record there are none."""
    if not record:
        return {}
    with web.ask(record) as answer:
        try:
            files = _Record.model_validate_json(answer.content).files
        except (ValidationError, RequestException) as error:
            raise DownloadFailed(
                f"{record} is not the record of files that it should be: {type(error).__name__}",
                hint="a proxy may have answered in its place; try again later",
            ) from error
    return {file.key: file for file in files}


def _item(
    download: Download, record: Mapping[str, _RecordFile] | None, work: Path, web: Web
) -> Item:
    """Complete what the spec says of a file by what its record says, or the server."""
    here = _size(work / f"{download.file}.part") or _size(work / download.file)
    if not download.record:
        size = download.size or web.size(download.url)
        return Item(
            download=download, url=download.url, size=size, checksum=download.checksum, here=here
        )
    entry = (record or {}).get(download.file)
    if entry is None:
        raise DownloadFailed(
            f"{download.record} has no file {download.file}",
            hint="its publisher may have made a new version; look for a newer spoofbench",
        )
    return Item(
        download=download,
        url=download.url or entry.links.self,
        size=download.size or entry.size,
        checksum=download.checksum or entry.checksum,
        here=here,
    )


# what lies on the disk


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _read_record(file: Path, spec: CorpusSpec) -> FetchRecord | None:
    """Return what was fetched, None without a record; raise `CorpusNotFound` if it is another's."""
    if not file.is_file():
        return None
    try:
        record = FetchRecord.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise CorpusNotFound(
            f"{file} cannot be read: {error.error_count()} faults",
            hint=f"remove {file.parent}, or name a new folder",
        ) from error
    if (record.corpus, record.version) != (spec.name, spec.version):
        raise CorpusNotFound(
            f"{file.parent} holds {record.corpus}, version {record.version}",
            hint="name a new folder",
        )
    return record


def _new_record(spec: CorpusSpec) -> FetchRecord:
    return FetchRecord(corpus=spec.name, version=spec.version, licence=spec.licence)


def _json(record: FetchRecord) -> str:
    return record.model_dump_json(indent=2) + "\n"


def _work(folder: Path) -> Path:
    """Return the folder beside ``folder`` in which a corpus is put together."""
    return folder.with_name(f".{folder.name}.fetch")


def _existing(folder: Path) -> Path:
    """Return the nearest folder on the way up that exists."""
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    try:
        with reserved(work):
            yield
    except InvalidRun as error:
        raise DownloadFailed(
            f"another process is fetching into {work}", hint="wait for it"
        ) from error


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    """Turn what the system says of the disk into a clear error; the network has its own."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError(
            f"{error.filename or path}: {error.strerror or error}",
            hint=(f"free some space; {GOES_ON}" if full else "name another folder"),
        ) from error


# words


def _source(download: Download) -> str:
    return download.url or download.record


def _chosen(spec: CorpusSpec, only: Sequence[str]) -> tuple[Download, ...]:
    names = [download.file for download in spec.downloads]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise UnknownName(
            f"{spec.name} has no file {unknown[0]}", hint=f"it has {', '.join(names)}"
        )
    return tuple(d for d in spec.downloads if not only or d.file in only)


def _by_hand(spec: CorpusSpec) -> str:
    if spec.target:
        return f"it is generated: spoofbench data build {spec.name}"
    return f"{how_to_obtain(spec)}\nthen: spoofbench data set {spec.name} DIR"


def _amount(planned: Plan) -> str:
    unknown = sum(not item.size for item in planned.items)
    more = f" and {unknown} of unknown size" if unknown else ""
    return f"{decimal(planned.total)}{more}"
