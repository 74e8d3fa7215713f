"""Corpora: where they lie, what of them is missing, and making those that are generated."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

from spoofbench import fingerprint
from spoofbench.contracts import Choices, ChosenBuilder, CorpusBuilder, Progress
from spoofbench.errors import (
    CorpusNotFound,
    IncompleteCorpus,
    InvalidKeys,
    InvalidProtocol,
    InvalidSettings,
    SpoofbenchError,
)
from spoofbench.files import storage_errors
from spoofbench.locks import reserved
from spoofbench.plugins import Catalogue
from spoofbench.protocols import Data, Protocol, load
from spoofbench.settings import settings
from spoofbench.specs import CorpusSpec
from spoofbench.trials import Trial, check_counts, check_total, check_unique, missing_audio

CHECKSUMS = "SHA256SUMS"
"""The checksums of a corpus's files, as `sha256sum` writes them, where a corpus has them."""
NAMED = 3
"""How many missing things a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a corpus lies, and who said so; ``folder`` is None if nobody did."""

    folder: Path | None
    said_by: str


def locate(corpus: str, catalogue: Catalogue, *, data: Path | None = None) -> Location:
    """Find a corpus: ``data`` (the option --data), else environment, else settings, else cache.

    The cache holds only corpora that spoofbench generates.
    """
    if data is not None:
        return Location(folder=data, said_by="--data")
    chosen = settings()
    if chosen.data is not None and (chosen.data / corpus).exists():
        return Location(folder=chosen.data / corpus, said_by="SPOOFBENCH_DATA")
    if corpus in chosen.corpora:
        return Location(folder=chosen.corpora[corpus], said_by="the settings file")
    if corpus in catalogue.corpora.names():
        spec = catalogue.corpora.get(corpus).spec
        if spec.target and (folder := generated_folder(spec)).is_dir():
            return Location(folder=folder, said_by="generated")
    return Location(folder=None, said_by="nobody")


def generated_folder(spec: CorpusSpec) -> Path:
    """Return where a generated corpus is kept."""
    return settings().cache_folder() / "corpora" / f"{spec.name}-{spec.version}"


def build(spec: CorpusSpec, folder: Path, progress: Progress) -> None:
    """Generate a corpus in ``folder``, which appears only when it is complete.

    Raises `CorpusNotFound` for a corpus that cannot be generated or a folder that is in use.
    """
    _check_buildable(spec, folder)
    builder: CorpusBuilder = spec.resolve()
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            builder(beside, progress)
            beside.chmod(0o755)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def build_chosen(
    spec: CorpusSpec,
    folder: Path,
    choices: Choices,
    progress: Progress,
    note: Callable[[str], None],
) -> None:
    """Generate a corpus as ``choices`` say in ``folder``, which appears only when it is complete.

    What an interrupted build with the same choices had made, beside ``folder``, is taken up.
    Raises what `build` raises, `InvalidSettings` for a choice that the corpus does not take, and
    `InvalidRun` if another process is building it.
    """
    _check_buildable(spec, folder)
    plain = Choices()
    for choice in fields(Choices):
        if choice.name not in spec.asks and getattr(choices, choice.name) != getattr(
            plain, choice.name
        ):
            raise InvalidSettings(f"{spec.name} is built without --{choice.name}")
    builder: ChosenBuilder = spec.resolve()
    unfinished = unfinished_folder(spec, folder, choices)
    with reserved(unfinished):
        builder(unfinished, progress, choices, note)
    with storage_errors(folder):
        unfinished.rename(folder)


def unfinished_folder(spec: CorpusSpec, folder: Path, choices: Choices) -> Path:
    """Return where a corpus that will lie in ``folder`` grows: a place for each set of choices."""
    said = repr((spec.name, spec.version, replace(choices, workers=0)))
    return folder.parent / f".{folder.name}.{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def _check_buildable(spec: CorpusSpec, folder: Path) -> None:
    if not spec.target:
        raise CorpusNotFound(f"{spec.name} is not generated", hint=how_to_obtain(spec))
    if folder.exists():
        raise CorpusNotFound(f"{folder} exists already", hint="name a new folder, or remove it")


def root_of(protocol: Protocol, catalogue: Catalogue, *, data: Path | None = None) -> Path:
    """Return the folder of the protocol's corpus, checked to be there and to hold its key file.

    Raises `CorpusNotFound` with the way to get the corpus, or what the folder seems to be.
    """
    if protocol.data.own is not None:
        return _own_root(protocol.data.own, data)
    corpus = protocol.data.corpus
    place = locate(corpus, catalogue, data=data)
    known = corpus in catalogue.corpora.names()
    obtain = how_to_obtain(catalogue.corpora.get(corpus).spec) if known else ""
    setting = (
        f"then: spoofbench data set {corpus} DIR   (or --data DIR)"
        if known
        else f'say where it lies: --data DIR, or {corpus} = "DIR" below [corpora] in the settings'
    )
    if place.folder is None:
        raise CorpusNotFound(
            f"{protocol.name} needs the corpus {corpus}, and no folder is set for it",
            hint="\n".join(filter(None, [obtain, setting])),
        )
    if not place.folder.is_dir():
        raise CorpusNotFound(
            f"{corpus}: {place.folder} (from {place.said_by}) "
            + ("is not a folder" if place.folder.exists() else "does not exist"),
            hint="\n".join(filter(None, [obtain, setting])),
        )
    if (place.folder / protocol.data.keys).is_file():
        return place.folder
    raise CorpusNotFound(
        f"{place.folder} (from {place.said_by}) lacks {protocol.data.keys}, "
        f"the key file of {protocol.name}",
        hint=_resemblance(place.folder, protocol, catalogue) or obtain,
    )


def _own_root(own: Path, data: Path | None) -> Path:
    """Return the folder that one's own audio lies in: --data, else the file's folder or itself."""
    root = data or (own if own.is_dir() else own.parent)
    if not own.exists() or not root.is_dir():
        absent = root if own.exists() else own
        raise CorpusNotFound(f"{absent} is not there", hint="name a file or a folder that is")
    return root


def how_to_obtain(spec: CorpusSpec) -> str:
    """Say in words how one comes by a corpus."""
    return f"{spec.name}: {ways_to_obtain(spec)} (licence: {spec.licence})"


def ways_to_obtain(spec: CorpusSpec) -> str:
    """Say which command fetches a corpus, where one does, and how one comes by it without."""
    command = f"spoofbench data fetch {spec.name}, or " if spec.downloads else ""
    return command + spec.obtain


def read_trials(protocol: Protocol, catalogue: Catalogue, root: Path) -> tuple[Trial, ...]:
    """Read the trials of ``protocol`` below ``root`` and check them; open no audio."""
    return read_parts(protocol, catalogue, root).chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a key file lists: the trials of a protocol, and those that it leaves out."""

    chosen: tuple[Trial, ...]
    left_out: tuple[Trial, ...]
    """Trials of other subsets, which ``data.only`` leaves out."""


def read_parts(protocol: Protocol, catalogue: Catalogue, root: Path) -> Parts:
    """Read everything that the key file of ``protocol`` lists, checked; open no audio."""
    reader = catalogue.datasets.get(protocol.data.reader).spec.resolve()
    parts = _parted(tuple(reader(protocol.data, root)), protocol.data)
    keys = str(root / protocol.data.keys)
    check_unique(parts.chosen, source=keys)
    _check_expected(protocol, parts.chosen, keys)
    outside = [t for t in parts.chosen if t.audio.startswith("/") or "../" in t.audio]
    if outside:
        raise InvalidKeys(f"{keys}: the audio of {outside[0].utterance} lies outside the corpus")
    return parts


def _check_expected(protocol: Protocol, trials: Sequence[Trial], keys: str) -> None:
    expect = protocol.expect
    if expect is not None and expect.bonafide is not None and expect.spoof is not None:
        check_counts(trials, bonafide=expect.bonafide, spoof=expect.spoof, source=keys)
    elif expect is not None and expect.trials is not None:
        check_total(trials, expected=expect.trials, source=keys)
    elif protocol.data.own is not None and len({trial.bonafide for trial in trials}) < 2:
        raise InvalidKeys(
            f"{keys} lists no trials of one of the classes, {len(trials):,} in all",
            hint="bona fide speech and spoofs are judged against each other: both are needed",
        )


def _parted(trials: tuple[Trial, ...], data: Data) -> Parts:
    if not data.only:
        return Parts(chosen=trials, left_out=())
    wanted = [(column, frozenset(values)) for column, values in data.only.items()]
    chosen: list[Trial] = []
    left_out: list[Trial] = []
    for trial in trials:
        meant = all(trial.column(column) in values for column, values in wanted)
        (chosen if meant else left_out).append(trial)
    return Parts(chosen=tuple(chosen), left_out=tuple(left_out))


def check_audio(protocol: Protocol, trials: Sequence[Trial], root: Path) -> None:
    """Raise `IncompleteCorpus`, with counts and a few names, unless every trial has its audio."""
    missing = missing_audio(trials, root)
    if missing:
        named = ", ".join(trial.audio for trial in missing[:NAMED])
        more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        raise IncompleteCorpus(
            f"{protocol.name}: {len(missing):,} of {len(trials):,} recordings are missing "
            f"in {root}: {named}{more}",
            hint="copy the missing files, or try things out with --limit N, "
            "which takes from what is there and stamps every table",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a look at a corpus showed: what is there, and what is wrong."""

    said: tuple[str, ...]
    faults: tuple[str, ...]


def inspect(protocol: Protocol, catalogue: Catalogue, *, data: Path | None = None) -> Findings:
    """Look at everything that ``protocol`` needs, going on after a fault; open no audio."""
    try:
        root = root_of(protocol, catalogue, data=data)
        trials = read_trials(protocol, catalogue, root)
    except SpoofbenchError as error:
        return Findings(said=("unusable",), faults=_lines(error))
    bonafide = sum(trial.bonafide for trial in trials)
    said = [f"{bonafide:,} bona fide + {len(trials) - bonafide:,} spoof trials in {root}"]
    faults: list[str] = []
    checks: list[tuple[str, Callable[[], object]]] = [
        ("every recording is there", lambda: check_audio(protocol, trials, root))
    ]
    if (root / CHECKSUMS).is_file():
        checks.append(("every recording is what it was", lambda: _check_sums(trials, root)))
    if protocol.tandem is not None:
        checks.append(("ASV scores are there", lambda: _check_asv(protocol, trials, root)))
    for good, look in checks:
        try:
            look()
        except SpoofbenchError as error:
            faults.append("\n".join(_lines(error)))
        else:
            said.append(good)
    return Findings(said=tuple(said), faults=tuple(faults))


def _check_sums(trials: Sequence[Trial], root: Path) -> None:
    """Raise `IncompleteCorpus` unless the audio has the checksums that the corpus lists."""
    listed: dict[str, str] = {}
    for line in (root / CHECKSUMS).read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    present = [trial.audio for trial in trials if (root / trial.audio).is_file()]
    changed = [name for name in present if listed.get(name) != fingerprint.sha256(root / name)]
    if changed:
        raise IncompleteCorpus(
            f"{len(changed):,} recordings are not those that {root / CHECKSUMS} lists: "
            + ", ".join(changed[:NAMED]),
            hint="build or copy the corpus again",
        )


def _check_asv(protocol: Protocol, trials: Sequence[Trial], root: Path) -> None:
    from spoofbench import asv

    scores = asv.of(protocol, root)
    if scores is not None:
        asv.check_part(scores, trials, protocol)


def protocols_of(corpus: str, catalogue: Catalogue) -> list[Protocol]:
    """Return every protocol on offer that uses ``corpus``."""
    return [protocol for protocol in _usable(catalogue) if protocol.data.corpus == corpus]


def _usable(catalogue: Catalogue) -> Iterator[Protocol]:
    """Load the protocols on offer, but for those that no name leads to and those with faults."""
    for offer in catalogue.protocols:
        if not catalogue.protocols.is_disputed(offer.spec.name):
            with suppress(InvalidProtocol):
                yield load(offer.spec.name, catalogue)


def _lines(error: SpoofbenchError) -> tuple[str, ...]:
    return tuple(filter(None, [str(error), *error.hint.splitlines()]))


def _resemblance(folder: Path, protocol: Protocol, catalogue: Catalogue) -> str:
    """Say what ``folder`` looks like, where it is not the corpus that was asked for."""
    if not any(folder.iterdir()):
        return "the folder is empty"
    nested = sorted(folder.glob(f"*/{protocol.data.keys}"))
    if nested:
        below = nested[0].relative_to(folder).parts[0]
        return f"it lies one folder deeper: use {folder / below}"
    for other in _usable(catalogue):
        if other.data.corpus != protocol.data.corpus and (folder / other.data.keys).is_file():
            return f"the folder looks like {other.data.corpus}, as {other.name} needs it"
    return ""
