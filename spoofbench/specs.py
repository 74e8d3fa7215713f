"""What a plugin declares: names, one line each, and where the code is; no code is imported."""

from __future__ import annotations

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
class ModelSpec(Spec):
    """A countermeasure: ``target`` called without arguments gives a `contracts.Countermeasure`.

    ``samples`` is the input length, in samples, that the model was made for (None: utterances stay
    whole). ``min_samples`` is the shortest input that it can take. ``recipe`` names the TOML file
    of its default training recipe, as ``package:file.toml``. ``source`` is the paper or page that
    describes the model.
    """

    sample_rate: int = 16_000
    samples: int | None = None
    min_samples: int = 1
    recipe: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        super(ModelSpec, self).__post_init__()
        if self.recipe and not _RESOURCE.fullmatch(self.recipe):
            raise ValueError(f"the recipe {self.recipe!r} does not read 'package:file.toml'")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec(Spec):
    """A reader: ``target`` is a `contracts.Reader`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSpec(Spec):
    """A corpus: what it is, and how one comes by it.

    ``target`` is a `contracts.CorpusBuilder` for a corpus that is generated, else empty; then
    ``obtain`` says in words where it is to be had. ``version`` changes when its audio changes.
    """

    target: str = ""
    licence: str
    obtain: str
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

    ``unit`` is that of its level (``"dB SNR"``), ``levels`` are usual ones from easy to hard.
    """

    unit: str
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec(Spec):
    """A metric: ``target`` is a `contracts.Metric`.

    ``title`` heads its column. ``percent`` prints the fraction as a percentage. ``needs_asv`` asks
    for the rates of the protocol's ASV system. ``version`` changes whenever its numbers can change:
    it is part of every fingerprint.
    """

    title: str
    percent: bool = False
    needs_asv: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterSpec(Spec):
    """A reporter: ``target`` is a `contracts.Reporter`; its name is what ``--format`` takes."""
