"""Protocols: which trials of which corpus, judged by which metrics.

They are read from TOML and checked strictly, before any audio is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from spoofbench import tomlfile
from spoofbench.errors import InvalidProtocol
from spoofbench.plugins import Catalogue

if TYPE_CHECKING:
    from spoofbench.metrics.judged import DetectionCosts

CROP_RULE = "first samples, repeated if shorter"
"""How an utterance is brought to a model's input length in evaluation; part of the fingerprint."""

CROSSED = " x "
"""What stands between two columns whose values are crossed, and between their values."""

OWN_AUDIO = ("csv:", "folder:")
"""How names of protocols for one's own audio begin; a file or a folder follows."""

PATH = "path"
"""The column of a key file that may hold a path, where others hold names."""

_NO_GROUPS = ("utterance", "key", PATH, "-")
"""Columns by which results cannot be broken down."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _inside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
        raise ValueError(
            "it must be a path below the corpus, with forward slashes and without '..'"
        )
    return path


Only = Mapping[str, Annotated[tuple[str, ...], Field(strict=False, min_length=1)]]


def _check_only(only: Only, columns: tuple[str, ...], table: str) -> None:
    for column in only:
        if column not in columns:
            raise ValueError(f"{table}.only names '{column}', which is not a column")


Delimiter = Literal["blank", "tab", ",", ";"]


class Data(_Table):
    """Where the trials and their audio are, below the corpus folder."""

    reader: str
    """The dataset plugin that reads the key file."""
    corpus: str
    """The corpus; where it lies is the user's setting, never the protocol's.

    For one's own audio it is what ``--protocol`` named, made absolute: ``csv:/home/me/list.csv``.
    """
    keys: str
    """The key file."""
    columns: tuple[str, ...] = Field(strict=False)
    """What stands in each column of the key file; ``-`` is skipped."""
    delimiter: Delimiter = "blank"
    """What parts the columns: any blanks, or one of these characters."""
    only: Only = Field(default_factory=dict)
    """Which lines of the key file are meant: a column's name, and the values that it may have."""
    audio: str
    """The audio of a trial, with ``{utterance}`` or another column in braces."""
    sample_rate: int = Field(default=16_000, ge=1_000)
    """Samples per second that audio is converted to."""

    _audio_stays_inside = field_validator("audio")(_inside)

    @field_validator("keys")
    @classmethod
    def _keys_stay_inside(cls, keys: str, info: ValidationInfo) -> str:
        own = str(info.data.get("corpus", "")).startswith(OWN_AUDIO)
        return keys if own else _inside(keys)

    @model_validator(mode="after")
    def _columns_suffice(self) -> Self:
        if "utterance" not in self.columns and PATH not in self.columns:
            raise ValueError("data.columns lacks 'utterance'")
        if "key" not in self.columns:
            raise ValueError("data.columns lacks 'key'")
        for _, name, _, _ in Formatter().parse(self.audio):
            if name is not None and name not in self.columns:
                raise ValueError(f"data.audio names {{{name}}}, which is not a column")
        try:
            self.audio.format(**dict.fromkeys(self.columns, "x"))
        except (ValueError, LookupError, AttributeError) as error:
            raise ValueError(f"data.audio: {error}") from None
        _check_only(self.only, self.columns, "data")
        return self

    @property
    def own(self) -> Path | None:
        """The file or folder of one's own audio that ``--protocol`` named; None for a corpus."""
        kind, _, place = self.corpus.partition(":")
        return Path(place) if f"{kind}:" in OWN_AUDIO else None


class Expect(_Table):
    """How many trials there are; a partial copy must not produce a number.

    Both classes are counted, or, where only that is published, all ``trials`` together.
    """

    bonafide: int | None = Field(default=None, ge=0)
    spoof: int | None = Field(default=None, ge=0)
    trials: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _counts_are_of_one_kind(self) -> Self:
        counted = [self.bonafide is not None, self.spoof is not None, self.trials is not None]
        if counted not in ([True, True, False], [False, False, True]):
            raise ValueError("expect needs 'bonafide' and 'spoof', or 'trials' alone")
        return self


class Report(_Table):
    """What is measured, and by which columns it is broken down."""

    metrics: tuple[str, ...] = Field(strict=False, min_length=1)
    by: tuple[str, ...] = Field(default=(), strict=False)
    """Columns, or two of them that are crossed: ``attack x codec``."""
    audit: bool = False
    """Whether tables show, without being asked, what models reach that hear only a shortcut."""


class Detection(_Table):
    """The prior and the costs of the countermeasure alone: min DCF, actual DCF, its threshold."""

    p_spoof: float = 0.05
    c_miss: float = 1.0
    c_fa: float = 10.0
    threshold: float | None = None
    """Where the countermeasure works; the Bayes threshold of these costs if it is not said."""

    @model_validator(mode="after")
    def _costs_make_sense(self) -> Self:
        self.costs()
        return self

    def costs(self) -> DetectionCosts:
        """Return them as metrics take them."""
        from spoofbench.metrics.judged import DetectionCosts

        return DetectionCosts(**self.model_dump())


class ExpectAsv(_Table):
    """How many ASV trials there are; the scores of another part must not be used."""

    target: int = Field(ge=1)
    nontarget: int = Field(ge=1)
    spoof: int = Field(ge=1)


class Tandem(_Table):
    """The fixed ASV system that t-DCF needs, with its priors and costs."""

    scores: str
    """The ASV score file."""
    columns: tuple[str, ...] = Field(default=("attack", "key", "score"), strict=False)
    """What stands in each column of the ASV scores, or of ``keys`` if that is a file of its own."""
    keys: str = ""
    """The ASV key file, where ``scores`` has none: line by line its, ending in trial and score."""
    only: Only = Field(default_factory=dict)
    """Which ASV trials are meant, as in ``data.only``."""
    p_spoof: float = 0.05
    p_target: float = 0.9405
    p_nontarget: float = 0.0095
    c_miss: float = 1.0
    c_fa: float = 10.0
    c_fa_spoof: float = 10.0
    expect: ExpectAsv | None = None

    _paths_stay_inside = field_validator("scores", "keys")(_inside)

    @model_validator(mode="after")
    def _costs_make_sense(self) -> Self:
        from spoofbench.asv import costs_of

        costs_of(self)
        return self

    @model_validator(mode="after")
    def _columns_suffice(self) -> Self:
        needed = ("key", "utterance") if self.keys else ("key", "score")
        for column in needed:
            if column not in self.columns:
                raise ValueError(f"tandem.columns lacks '{column}'")
        _check_only(self.only, self.columns, "tandem")
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
    detection: Detection = Field(default_factory=Detection)
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
        for by in self.report.by:
            crossed = by.split(CROSSED)
            for column in crossed:
                if column not in groups:
                    raise ValueError(
                        f"report.by names '{column}'; groups are made by: {', '.join(groups)}"
                    )
            if len(crossed) > 2 or len(set(crossed)) < len(crossed):
                raise ValueError(f"report.by crosses '{by}'; two different columns can be crossed")
        return self

    @model_validator(mode="after")
    def _training_is_for_training(self) -> Self:
        if self.training and self.role != "train":
            raise ValueError(f"[training] belongs to a train protocol, not to role '{self.role}'")
        return self

    @property
    def trial_count(self) -> int | None:
        """How many trials there must be, if the protocol says so."""
        if self.expect is None:
            return None
        if self.expect.trials is not None:
            return self.expect.trials
        return (self.expect.bonafide or 0) + (self.expect.spoof or 0)


def load(name: str, catalogue: Catalogue) -> Protocol:
    """Return the protocol ``name`` of the catalogue, or that of a file given as ``path/to.toml``.

    ``csv:FILE`` and ``folder:DIR`` are protocols for one's own audio, made on the spot.

    Raises `UnknownName`, `InvalidProtocol`, and what `own_audio.protocol_for` raises.
    """
    if name.startswith(OWN_AUDIO):
        from spoofbench.own_audio import protocol_for

        return protocol_for(name)
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
    protocol = tomlfile.validate(
        Protocol,
        {"name": name or file.name.removesuffix(".toml"), **table},
        text=text,
        where=str(file),
        error=InvalidProtocol,
    )
    if protocol.data.own is not None:
        raise InvalidProtocol(
            f"{file}: a corpus cannot be called '{protocol.data.corpus}'",
            hint="csv:FILE and folder:DIR stand in the place of a protocol's name",
        )
    return protocol
