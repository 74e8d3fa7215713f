"""What a plugin declares: names, one line each, and where the code is; no code is imported."""

from __future__ import annotations

import math
import pkgutil
import re
from dataclasses import dataclass
from typing import Any

from spoofbench.errors import BrokenPlugin

API_VERSION = 1
"""The version of the plugin interface. A plugin written for another says ``SPOOFBENCH_API = N``."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_RESOURCE = re.compile(r"[A-Za-z_][\w.]*:[\w][\w.-]*\.toml")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}")
_FILE = re.compile(r"\w[\w.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A name (kebab-case), one line about it, and ``target``, where its code is.

    ``target`` reads ``package.module:attribute`` and is imported only when the name is used.
    """

    name: str
    target: str
    summary: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"the name {self.name!r} is not kebab-case, such as 'aasist-small'")
        self.check_target()

    def check_target(self) -> None:
        """Raise ValueError unless ``target`` has the form that this kind of spec needs."""
        if not _TARGET.fullmatch(self.target):
            raise ValueError(f"the target {self.target!r} does not read 'package.module:attribute'")

    def resolve(self) -> Any:
        """Import what ``target`` points to; raise `BrokenPlugin` where that fails."""
        try:
            return pkgutil.resolve_name(self.target)
        except Exception as error:  # importing runs code, which may fail in any way
            raise BrokenPlugin(
                f"'{self.name}' points to {self.target}, which cannot be imported: "
                f"{type(error).__name__}: {error}",
                hint="install what the plugin needs, or tell its authors",
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Published weights that ``--weights NAME`` fetches: where they are, and what they must be."""

    name: str
    url: str
    sha256: str
    size: int
    licence: str
    source: str

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"{self.sha256!r} is not a sha256 in lower-case hexadecimal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that was published for a model: ``value`` of ``metric`` on ``protocol``.

    Rates are fractions. ``source`` is the paper, ``note`` what one must know beside it.
    """

    protocol: str
    metric: str
    value: float
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec(Spec):
    """A countermeasure: ``target`` called without arguments gives a `contracts.Countermeasure`.

    ``samples`` is the input length, in samples, that the model was made for (None: utterances stay
    whole). ``min_samples`` is the shortest input that it can take, ``max_samples`` the longest
    (None: any). ``parameters`` is how many numbers it learns (0: not said). ``recipe`` names the
    TOML file of its default training recipe, as ``package:file.toml``, ``recipes`` further ones,
    which ``--recipe`` takes by the file's name without its ending. ``source`` is the paper or
    page that describes the model, ``figures`` what was published of it.

    ``shortcut`` says in words what the model hears, for one that hears nothing else on purpose:
    `spoofbench audit` sets it beside real ones.
    """

    sample_rate: int = 16_000
    samples: int | None = None
    min_samples: int = 1
    max_samples: int | None = None
    parameters: int = 0
    recipe: str = ""
    recipes: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    source: str = ""
    figures: tuple[Figure, ...] = ()
    shortcut: str = ""

    def __post_init__(self) -> None:
        super(ModelSpec, self).__post_init__()
        for recipe in filter(None, (self.recipe, *self.recipes)):
            if not _RESOURCE.fullmatch(recipe):
                raise ValueError(f"the recipe {recipe!r} does not read 'package:file.toml'")

    def named_recipes(self) -> dict[str, str]:
        """Return the further recipes by the names that ``--recipe`` takes."""
        return {r.partition(":")[2].removesuffix(".toml"): r for r in self.recipes}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec(Spec):
    """A reader: ``target`` is a `contracts.Reader`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file of a corpus that anyone may download.

    ``file`` is its name; archives (``.zip``, ``.tar``, ``.tar.gz``, ``.tgz``) are unpacked. It is
    at ``url``, or where ``record`` says: the address of a Zenodo record in Zenodo's API, from which
    address, size and checksum are read when they are not said here. ``size`` is in bytes (0:
    unknown), ``checksum`` reads ``sha256:HEX`` or ``md5:HEX``. ``unpack`` is the folder of the
    corpus that the content goes to (empty: the corpus folder), ``inside`` a folder in the archive
    that is left off, where the archive has it.
    """

    file: str
    url: str = ""
    record: str = ""
    size: int = 0
    checksum: str = ""
    unpack: str = ""
    inside: str = ""

    def __post_init__(self) -> None:
        if not _FILE.fullmatch(self.file):
            raise ValueError(f"{self.file!r} is not the name of a file")
        given = [address for address in (self.url, self.record) if address]
        if not given or not all(a.startswith(("https://", "http://")) for a in given):
            raise ValueError(f"{self.file} needs a url or a record, an http address")
        if self.checksum and not _CHECKSUM.fullmatch(self.checksum):
            raise ValueError(f"{self.checksum!r} reads neither 'sha256:HEX' nor 'md5:HEX'")
        if self.size < 0:
            raise ValueError(f"{self.file} cannot have {self.size} bytes")
        for folder in (self.unpack, self.inside):
            if folder and not all(_FILE.fullmatch(part) for part in folder.split("/")):
                raise ValueError(f"{folder!r} is not the path of a folder inside the corpus")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSpec(Spec):
    """A corpus: what it is, and how one comes by it.

    ``target`` is a `contracts.CorpusBuilder` for a corpus that is generated, else empty; then
    ``obtain`` says in words where it is to be had. ``page`` is the address of the page that
    describes it, ``downloads`` are the files of one that may be downloaded freely. ``asks`` names
    the fields of `contracts.Choices` that its builder heeds: the builder is then a
    `contracts.ChosenBuilder`, called only when it is asked for. ``version`` changes when the audio
    of the corpus changes.
    """

    target: str = ""
    licence: str
    obtain: str
    page: str = ""
    downloads: tuple[Download, ...] = ()
    asks: tuple[str, ...] = ()
    version: str = "1"

    def check_target(self) -> None:
        """Raise ValueError unless ``target`` is empty or points to code."""
        if self.target:
            super(CorpusSpec, self).check_target()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolSpec(Spec):
    """A protocol: ``target`` names its TOML file, as ``package:file.toml``."""

    aliases: tuple[str, ...] = ()

    def check_target(self) -> None:
        """Raise ValueError unless ``target`` names a TOML file in a package."""
        if not _RESOURCE.fullmatch(self.target):
            raise ValueError(f"the target {self.target!r} does not read 'package:file.toml'")


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationSpec(Spec):
    """An augmentation: ``target`` called without arguments gives a `contracts.Augmentation`.

    ``unit`` is that of its level (``"dB SNR"``), ``levels`` are usual ones from easy to hard; both
    are empty for an augmentation that has no level. ``lowest`` and ``highest`` bound the level.
    ``options`` are further numbers that may follow the level, each a name and its default.
    ``family`` is ``noise``, ``codec``, ``overlap``, ``reverb``, ``channel`` or ``time``.
    ``talkers`` is how many other speakers of the protocol it needs. ``source`` says in words what
    must stand in parentheses behind the name, such as a folder; it is empty if nothing may.
    ``neutral`` is the level that changes nothing, where both sides of it are hard: 1 for a speed.
    ``keeps_length`` is false for what changes how long a trial is. ``on_device`` is true where
    ``apply_batch`` works on whichever device the audio lies: training then applies it there.
    ``version`` changes whenever the audio that it gives changes.
    """

    unit: str
    levels: tuple[float, ...]
    lowest: float = -math.inf
    highest: float = math.inf
    options: tuple[tuple[str, float], ...] = ()
    family: str = "other"
    talkers: int = 0
    source: str = ""
    neutral: float | None = None
    keeps_length: bool = True
    on_device: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSpec(Spec):
    """An objective: ``target``, called with a `contracts.ObjectiveContext`, gives a module.

    That is a `contracts.Objective`, or a `contracts.JudgingObjective` if it ``judges``: then it may
    take the place of the model's own loss and score. ``options`` are numbers that a recipe may
    change, each a name and its default. ``source`` is the paper or page that describes it.
    """

    judges: bool = False
    options: tuple[tuple[str, float], ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec(Spec):
    """A metric: ``target`` is a `contracts.Metric`.

    ``title`` heads its column. ``percent`` prints the fraction as a percentage. ``needs_asv`` asks
    for the rates of the protocol's ASV system, ``needs_joint`` for the ASV score of each trial.
    ``needs_llr`` says that scores are read as log-likelihood ratios. ``higher_is_better`` is false
    for errors and costs. ``weighted`` says that it counts trials by their weights; a bootstrap
    repeats the trials for a metric that does not. ``version`` changes whenever its numbers can
    change: it is part of every fingerprint.
    """

    title: str
    percent: bool = False
    needs_asv: bool = False
    needs_joint: bool = False
    needs_llr: bool = False
    higher_is_better: bool = False
    weighted: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterSpec(Spec):
    """A reporter: ``target`` is a `contracts.Reporter`; its name is what ``--format`` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSpec(Spec):
    """A tracker: ``target`` is a `contracts.TrackerMaker`; its name is what ``--tracker`` takes."""
