"""Fusion: the scores of several systems become one log-likelihood ratio, fitted on dev only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from spoofbench import __version__, judging, runs
from spoofbench.calibration import fitted, logistic
from spoofbench.calibration.development import DevScores
from spoofbench.calibration.fitted import Fitted, Floats, Operation, Part, Source
from spoofbench.errors import InvalidCalibration, InvalidSettings
from spoofbench.scores import ScoreTable


class System(Part):
    """One of the systems: what it was fitted on, and its weight.

    ``standardised`` is the weight per standard deviation of the system's dev scores.
    """

    source: Source
    weight: float
    standardised: float


class Fusion(Fitted):
    """What a fusion file holds: ``llr = sum of weight * score, + offset``."""

    kind: Literal["fusion"] = "fusion"
    systems: tuple[System, ...] = Field(min_length=2)
    offset: float
    ridge: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _has_no_raw_threshold(self) -> Self:
        if self.operation.raw_threshold is not None:
            raise ValueError("a fusion has no raw_threshold: it has no one score before")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """What the systems are called, in order."""
        return tuple(system.source.label for system in self.systems)

    def apply(self, scores: Floats) -> Floats:
        """Return the log-likelihood ratios ``(trials,)`` of ``scores`` ``(trials, systems)``."""
        weights = np.array([system.weight for system in self.systems])
        llrs: Floats = scores @ weights + self.offset
        return llrs

    def describe(self) -> tuple[str, ...]:
        """Say what the weights are, comparable ones too, and which are negative."""
        terms = " ".join(f"{fitted.signed(s.weight)} x {s.source.label}" for s in self.systems)
        sizes = ", ".join(f"{s.source.label} {s.standardised:.4g}" for s in self.systems)
        negative = [s.source.label for s in self.systems if s.weight < 0]
        said = [
            f"llr = {self.offset:.6g} {terms}",
            f"weights per standard deviation on dev: {sizes}",
        ]
        if negative:
            said.append(
                f"the weight of {', '.join(negative)} is negative: its errors are taken off the "
                "others'; make sure that this is meant, and holds on new data"
            )
        return tuple(said)


def check_several(files: Sequence[Path]) -> None:
    """Raise `InvalidSettings` unless there are at least two systems."""
    if len(files) < 2:
        raise InvalidSettings(
            "a fusion is of two systems or more",
            hint="give --dev for each of them; for one system there is spoofbench calibrate",
        )


def check_order(labels: Sequence[str], files: Sequence[Path]) -> None:
    """Raise `InvalidSettings` unless ``files`` can be those of the systems ``labels``, in order.

    Files may be called otherwise than their systems; but if they are called alike, the order must
    be the same.
    """
    found = judging.labels(files)
    if len(found) != len(labels):
        raise InvalidSettings(
            f"{len(labels)} systems are fused ({', '.join(labels)}), "
            f"but {len(found)} files are to be applied ({', '.join(found)})",
            hint="give --apply once for each system, in the order of the systems",
        )
    if sorted(found) == sorted(labels) and found != list(labels):
        raise InvalidSettings(
            f"the systems are {', '.join(labels)}, but --apply gives {', '.join(found)}",
            hint="give --apply in the order of the systems",
        )


def pairing(labels: Sequence[str], files: Sequence[Path]) -> str:
    """Say which file stands for which system."""
    pairs = zip(labels, judging.labels(files), strict=True)
    return "taken in order: " + ", ".join(f"{file} as {label}" for label, file in pairs)


def fit(dev: DevScores, *, operation: Operation, ridge: float = 0.0) -> Fusion:
    """Fit one weight for each system and an offset.

    Raises `InvalidCalibration` where none can be fitted, `InvalidSettings` for a negative ridge.
    """
    fitted.check_ridge(ridge)
    found = logistic.fit(
        dev.scores, dev.bonafide, dev.labels, log_odds=-operation.threshold, ridge=ridge
    )
    parts = zip(dev.sources, found.weights.tolist(), found.standardised.tolist(), strict=True)
    return Fusion(
        dev=dev.record,
        negated=dev.negated,
        systems=tuple(System(source=s, weight=w, standardised=d) for s, w, d in parts),
        offset=found.offset,
        ridge=ridge,
        operation=operation,
        spoofbench=__version__,
        made=runs.now(),
    )


def apply(stored: Fusion, tables: Sequence[ScoreTable], source: str) -> ScoreTable:
    """Return the fused log-likelihood ratios of ``tables``, one for each system, in order."""
    if len(tables) != len(stored.systems):
        raise InvalidCalibration(f"{len(tables)} tables for {len(stored.systems)} systems")
    scores = np.column_stack([table.scores for table in tables])
    with np.errstate(over="ignore", invalid="ignore"):
        llrs = stored.apply(scores)
    return fitted.with_llrs(tables[0], llrs, source)


def read(file: Path) -> Fusion:
    """Read a fusion file. Raises `InvalidCalibration` if it cannot be used."""
    return fitted.parsed(Fusion, file)


def file_beside(out: Path) -> Path:
    """Return where the fusion file of fused scores ``out`` lies."""
    return out.with_name(f"{out.stem}.fusion.json")
