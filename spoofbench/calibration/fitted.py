"""What is fitted on dev scores and stored: what calibration and fusion files have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spoofbench.errors import InvalidCalibration, InvalidScores, InvalidSettings
from spoofbench.files import write_text
from spoofbench.metrics.judged import DetectionCosts
from spoofbench.scores import ScoreTable

Floats = NDArray[np.float64]

AGREEMENT = 1e-9
"""How far a stored threshold may be from what the stored costs and map give."""


class Part(BaseModel):
    """A part of a stored file: strict, since anybody may have written it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Operation(Part):
    """The costs of a decision, and from where on it is to accept.

    ``threshold`` is a log-likelihood ratio, ``raw_threshold`` the uncalibrated score where the map
    is affine.
    """

    p_spoof: float = Field(gt=0, lt=1)
    c_miss: float = Field(gt=0)
    c_fa: float = Field(gt=0)
    threshold: float
    raw_threshold: float | None = None

    @model_validator(mode="after")
    def _threshold_follows_from_costs(self) -> Self:
        expected = self.costs.bayes_threshold
        if not math.isclose(self.threshold, expected, rel_tol=AGREEMENT, abs_tol=AGREEMENT):
            raise ValueError(f"threshold is {self.threshold}, the costs give {expected}")
        return self

    @property
    def costs(self) -> DetectionCosts:
        """The priors and costs as metrics take them."""
        return DetectionCosts(p_spoof=self.p_spoof, c_miss=self.c_miss, c_fa=self.c_fa)

    def describe(self) -> str:
        """Say from where on to accept, and for which costs."""
        raw = "" if self.raw_threshold is None else f" (score >= {self.raw_threshold:.6g})"
        return (
            f"accept at llr >= {self.threshold:.6g}{raw}: P_spoof {self.p_spoof:g}, "
            f"C_miss {self.c_miss:g}, C_fa {self.c_fa:g}"
        )


class Source(Part):
    """A score file that something was fitted on."""

    label: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Development(Part):
    """The protocol that something was fitted on."""

    protocol: str
    fingerprint: str
    bonafide: int = Field(ge=1)
    spoof: int = Field(ge=1)


class Fitted(Part):
    """What the files of calibrations and of fusions have in common."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    dev: Development
    negated: bool
    """Whether higher meant more spoof in the score files; the map takes them turned round."""
    operation: Operation
    spoofbench: str
    """The version that fitted it."""
    made: str
    """When, in UTC."""


F = TypeVar("F", bound=Fitted)


def operation_of(p_spoof: float, c_miss: float, c_fa: float) -> Operation:
    """Return the costs with their Bayes threshold; raise `InvalidSettings` if they make no sense.

    Accepting costs less than rejecting from ``log(P_spoof C_fa / (P_bonafide C_miss))`` on.
    """
    try:
        costs = DetectionCosts(p_spoof=p_spoof, c_miss=c_miss, c_fa=c_fa)
        threshold = costs.bayes_threshold
    except ValueError as error:
        raise InvalidSettings(
            f"--p-spoof {p_spoof} --c-miss {c_miss} --c-fa {c_fa}: {error}"
        ) from error
    return Operation(p_spoof=p_spoof, c_miss=c_miss, c_fa=c_fa, threshold=threshold)


def check_ridge(ridge: float) -> None:
    """Raise `InvalidSettings` for a ridge that is negative or not finite."""
    if not 0 <= ridge < math.inf:
        raise InvalidSettings(f"--ridge {ridge}: it must be 0 or more", hint="try 0.01")


def negation(stored: Fitted, negate: bool | None) -> bool | None:
    """Return how to read files for a stored map: as the user says, else as it was fitted."""
    return True if negate is None and stored.negated else negate


def with_llrs(table: ScoreTable, llrs: Floats, source: str) -> ScoreTable:
    """Return ``table`` with these scores; raise `InvalidScores` if one is not finite."""
    if not np.isfinite(llrs).all():
        worst = table.trials[int(np.flatnonzero(~np.isfinite(llrs))[0])].utterance
        raise InvalidScores(f"{source}: the score of {worst} is too large to calibrate")
    return ScoreTable(trials=table.trials, scores=llrs)


def write_scores(table: ScoreTable, file: Path) -> None:
    """Write ``utterance<tab>score`` lines, with as many digits as give the same numbers back."""
    pairs = zip(table.trials, table.scores.tolist(), strict=True)
    write_text(file, "".join(f"{trial.utterance}\t{score!r}\n" for trial, score in pairs))


def check_new(files: Sequence[Path]) -> None:
    """Raise `InvalidSettings` if one of ``files``, which are to be written, is there."""
    for file in files:
        if file.exists():
            raise InvalidSettings(
                f"{file} exists already", hint="name another place with --out, or remove it"
            )


def write(stored: Fitted, file: Path) -> None:
    """Write a calibration or fusion file."""
    write_text(file, stored.model_dump_json(indent=2, by_alias=True) + "\n")


def parsed(model: type[F], file: Path) -> F:
    """Read a stored file as ``model``; raise `InvalidCalibration`, naming the first fault."""
    try:
        return model.model_validate_json(text_of(file), by_alias=True)
    except ValidationError as error:
        raise fault_in(file, error) from error


def text_of(file: Path) -> str:
    """Read a file; raise `InvalidCalibration` if that fails."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCalibration(f"{file} cannot be read: {error}") from error


def fault_in(file: Path, error: ValidationError) -> InvalidCalibration:
    """Return the error that names the first fault of ``file``."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    said = fault["msg"].removeprefix("Value error, ")
    return InvalidCalibration(
        f"{file}: {where + ': ' if where else ''}{said}",
        hint="is it a file that spoofbench calibrate or fuse wrote, unchanged? fit it again",
    )


def signed(number: float) -> str:
    """Return a number that is added, such as ``+ 0.5`` or ``- 2``."""
    return f"{'-' if number < 0 else '+'} {abs(number):.6g}"
