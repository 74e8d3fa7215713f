"""Protocols: which trials of which corpus, judged by which metrics.

They are read from TOML and checked strictly, before any audio is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from spoofbench import tomlfile
from spoofbench.errors import InvalidProtocol
from spoofbench.plugins import Catalogue

CROP_RULE = "first samples, repeated if shorter"
"""How an utterance is brought to a model's input length in evaluation; part of the fingerprint."""

_NO_GROUPS = ("utterance", "key", "-")
"""Columns by which results cannot be broken down."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _inside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
        raise ValueError(
            "it must be a path below the corpus, with forward slashes and without '..'"
        )
    return path


class Data(_Table):
    """Where the trials and their audio are, below the corpus folder."""

    reader: str
    """The dataset plugin that reads the key file."""
    corpus: str
    """The corpus; where it lies is the user's setting, never the protocol's."""
    keys: str
    """The key file."""
    columns: tuple[str, ...] = Field(strict=False)
    """What stands in each column of the key file; ``-`` is skipped."""
    audio: str
    """The audio of a trial, with ``{utterance}`` or another column in braces."""
    sample_rate: int = Field(default=16_000, ge=1_000)
    """Samples per second that audio is converted to."""

    _paths_stay_inside = field_validator("keys", "audio")(_inside)

    @model_validator(mode="after")
    def _columns_suffice(self) -> Self:
        for column in ("utterance", "key"):
            if column not in self.columns:
                raise ValueError(f"data.columns lacks '{column}'")
        for _, name, _, _ in Formatter().parse(self.audio):
            if name is not None and name not in self.columns:
                raise ValueError(f"data.audio names {{{name}}}, which is not a column")
        return self


class Expect(_Table):
    """How many trials there are; a partial copy must not produce a number."""

    bonafide: int = Field(ge=0)
    spoof: int = Field(ge=0)


class Report(_Table):
    """What is measured, and by which columns it is broken down."""

    metrics: tuple[str, ...] = Field(strict=False, min_length=1)
    by: tuple[str, ...] = Field(default=(), strict=False)


class ExpectAsv(_Table):
    """How many ASV trials there are; the scores of another part must not be used."""

    target: int = Field(ge=1)
    nontarget: int = Field(ge=1)
    spoof: int = Field(ge=1)


class Tandem(_Table):
    """The fixed ASV system that t-DCF needs, with its priors and costs."""

    scores: str
    """The ASV score file: attack, key (target, nontarget, spoof), score."""
    p_spoof: float = 0.05
    p_target: float = 0.9405
    p_nontarget: float = 0.0095
    c_miss: float = 1.0
    c_fa: float = 10.0
    c_fa_spoof: float = 10.0
    expect: ExpectAsv | None = None

    _path_stays_inside = field_validator("scores")(_inside)

    @model_validator(mode="after")
    def _costs_make_sense(self) -> Self:
        from spoofbench.asv import costs_of

        costs_of(self)
        return self


class Protocol(_Table):
    """One way to test, or to train, a countermeasure."""

    name: str
    schema_: Literal[1] = Field(alias="schema")
    title: str
    role: Literal["train", "dev", "eval"]
    train: str = ""
    """The protocol on which a model for this one is trained."""
    dev: str = ""
    """The protocol by which such a model is chosen."""
    stamp: str = ""
    """What every table of this protocol must say."""
    data: Data
    expect: Expect | None = None
    report: Report
    tandem: Tandem | None = None
    training: Mapping[str, Any] = Field(default_factory=dict)
    """What a recipe must change for this corpus (a train protocol's only)."""

    @field_validator("training")
    @classmethod
    def _training_is_a_recipe(cls, training: Mapping[str, Any]) -> Mapping[str, Any]:
        from spoofbench.training.recipe import Recipe

        Recipe.model_validate(training)
        return training

    @model_validator(mode="after")
    def _breakdowns_are_columns(self) -> Self:
        groups = [column for column in self.data.columns if column not in _NO_GROUPS]
        for column in self.report.by:
            if column not in groups:
                raise ValueError(
                    f"report.by names '{column}'; groups are made by: {', '.join(groups)}"
                )
        return self

    @model_validator(mode="after")
    def _training_is_for_training(self) -> Self:
        if self.training and self.role != "train":
            raise ValueError(f"[training] belongs to a train protocol, not to role '{self.role}'")
        return self

    @property
    def trial_count(self) -> int | None:
        """How many trials there must be, if the protocol says so."""
        return self.expect.bonafide + self.expect.spoof if self.expect else None


def load(name: str, catalogue: Catalogue) -> Protocol:
    """Return the protocol ``name`` of the catalogue, or that of a file given as ``path/to.toml``.

    Raises `UnknownName`, `InvalidProtocol`.
    """
    if name.endswith(".toml"):
        return read(Path(name))
    spec = catalogue.protocols.get(name).spec
    package, _, resource = spec.target.partition(":")
    try:
        return read(files(package) / resource, name=spec.name)
    except ModuleNotFoundError as error:
        raise InvalidProtocol(f"'{spec.name}' names the package {package}: {error}") from error


def read(file: Traversable, *, name: str = "") -> Protocol:
    """Read a protocol file; it is called ``name``, else like the file without ``.toml``.

    Where it names its train and dev protocols by files, these lie beside it.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidProtocol(f"the protocol {file} cannot be read: {error}") from error
    table = tomlfile.parse(text, where=str(file), error=InvalidProtocol)
    if "name" in table:
        raise InvalidProtocol(f"{file}: unknown key 'name'", hint="a protocol is named by its file")
    if isinstance(file, Path):
        beside = {key: table.get(key) for key in ("train", "dev")}
        table |= {
            key: str(file.parent / value)
            for key, value in beside.items()
            if isinstance(value, str) and value.endswith(".toml")
        }
    return tomlfile.validate(
        Protocol,
        {"name": name or file.name.removesuffix(".toml"), **table},
        text=text,
        where=str(file),
        error=InvalidProtocol,
    )
