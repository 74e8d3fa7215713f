"""Corpora: where they lie, what of them is missing, and making those that are generated."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spoofbench.contracts import CorpusBuilder, Progress
from spoofbench.errors import (
    CorpusNotFound,
    IncompleteCorpus,
    InvalidKeys,
    InvalidProtocol,
    SpoofbenchError,
)
from spoofbench.files import storage_errors
from spoofbench.plugins import Catalogue
from spoofbench.protocols import Protocol, load
from spoofbench.settings import settings
from spoofbench.specs import CorpusSpec
from spoofbench.trials import Trial, check_counts, check_unique, missing_audio

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
    if not spec.target:
        raise CorpusNotFound(f"{spec.name} is not generated", hint=how_to_obtain(spec))
    if folder.exists():
        raise CorpusNotFound(f"{folder} exists already", hint="name a new folder, or remove it")
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


def root_of(protocol: Protocol, catalogue: Catalogue, *, data: Path | None = None) -> Path:
    """Return the folder of the protocol's corpus, checked to be there and to hold its key file.

    Raises `CorpusNotFound` with the way to get the corpus, or what the folder seems to be.
    """
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


def how_to_obtain(spec: CorpusSpec) -> str:
    """Say in words how one comes by a corpus."""
    return f"{spec.name}: {spec.obtain} (licence: {spec.licence})"


def read_trials(protocol: Protocol, catalogue: Catalogue, root: Path) -> tuple[Trial, ...]:
    """Read the trials of ``protocol`` below ``root`` and check them; open no audio."""
    reader = catalogue.datasets.get(protocol.data.reader).spec.resolve()
    trials = tuple(reader(protocol.data, root))
    keys = str(root / protocol.data.keys)
    check_unique(trials, source=keys)
    if protocol.expect is not None:
        check_counts(
            trials,
            bonafide=protocol.expect.bonafide,
            spoof=protocol.expect.spoof,
            source=keys,
        )
    outside = [t for t in trials if t.audio.startswith("/") or "../" in t.audio]
    if outside:
        raise InvalidKeys(f"{keys}: the audio of {outside[0].utterance} lies outside the corpus")
    return trials


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
    from spoofbench import asv

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
    if protocol.tandem is not None:
        checks.append(("ASV scores are there", lambda: asv.of(protocol, root)))
    for good, look in checks:
        try:
            look()
        except SpoofbenchError as error:
            faults.append(str(error))
        else:
            said.append(good)
    return Findings(said=tuple(said), faults=tuple(faults))


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
