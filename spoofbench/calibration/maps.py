"""Calibration: scores become log-likelihood ratios by a map that is fitted on dev scores only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spoofbench import __version__, runs
from spoofbench.calibration import fitted, logistic
from spoofbench.calibration.development import DevScores
from spoofbench.calibration.fitted import Fitted, Floats, Operation, Part, Source
from spoofbench.calibration.fusion import Fusion
from spoofbench.errors import InvalidCalibration, InvalidSettings
from spoofbench.metrics.judged import DetectionCosts
from spoofbench.scores import ScoreTable

Method = Literal["affine", "isotonic"]

FILE = "calibration.json"


class Affine(Part):
    """The map ``llr = slope * score + offset``."""

    method: Literal["affine"] = "affine"
    slope: float = Field(gt=0)
    offset: float
    ridge: float = Field(default=0.0, ge=0)

    def apply(self, scores: Floats) -> Floats:
        """Return the log-likelihood ratios ``(trials,)`` of ``scores`` ``(trials,)``."""
        return self.slope * scores + self.offset

    def describe(self) -> tuple[str, ...]:
        """Say what the map does."""
        return (
            f"affine: llr = {self.slope:.6g} x score {fitted.signed(self.offset)}",
            "affine keeps the order of the scores, so EER, min DCF and min Cllr stay as they are",
        )


class Isotonic(Part):
    """A map that never falls: straight lines through the points ``scores``, ``llrs``.

    Beyond the first and the last point it is level.
    """

    method: Literal["isotonic"] = "isotonic"
    scores: tuple[float, ...] = Field(min_length=2)
    llrs: tuple[float, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _never_falls(self) -> Self:
        if len(self.scores) != len(self.llrs):
            raise ValueError(f"{len(self.scores)} scores for {len(self.llrs)} llrs")
        if not (np.diff(self.scores) > 0).all():
            raise ValueError("the scores do not rise")
        if not (np.diff(self.llrs) >= 0).all():
            raise ValueError("the llrs fall")
        return self

    def apply(self, scores: Floats) -> Floats:
        """Return the log-likelihood ratios ``(trials,)`` of ``scores`` ``(trials,)``."""
        return np.interp(scores, self.scores, self.llrs)

    def describe(self) -> tuple[str, ...]:
        """Say what the map does."""
        levels = len(set(self.llrs))
        return (
            f"isotonic: {levels:,} levels from {self.llrs[0]:.4g} to {self.llrs[-1]:.4g}",
            "isotonic makes scores equal that were not, so EER and min DCF may change",
        )


class Calibration(Fitted):
    """What a calibration file holds."""

    kind: Literal["calibration"] = "calibration"
    source: Source
    map: Annotated[Affine | Isotonic, Field(discriminator="method")]

    @model_validator(mode="after")
    def _raw_threshold_fits(self) -> Self:
        raw = self.operation.raw_threshold
        if isinstance(self.map, Isotonic):
            if raw is not None:
                raise ValueError("an isotonic map has no raw_threshold")
            return self
        threshold = self.operation.threshold
        size = max(1.0, abs(threshold), abs(self.map.offset))
        if (
            raw is None
            or abs(self.map.slope * raw + self.map.offset - threshold) > fitted.AGREEMENT * size
        ):
            raise ValueError(f"raw_threshold {raw} is not where the map gives the threshold")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """From where on to accept: what `read_operating_point` finds in a stored file.

    ``threshold`` is a log-likelihood ratio and holds for calibrated scores. ``raw_threshold`` holds
    for the scores of the calibrated system before calibration, higher = more bona fide; None where
    there is no such number (isotonic, fusion). ``negated`` says whether the files that it was
    fitted on had to be turned round first.
    """

    threshold: float
    raw_threshold: float | None
    p_spoof: float
    c_miss: float
    c_fa: float
    negated: bool
    dev_protocol: str

    @property
    def costs(self) -> DetectionCosts:
        """The priors and costs as metrics take them."""
        return DetectionCosts(p_spoof=self.p_spoof, c_miss=self.c_miss, c_fa=self.c_fa)


def fit(dev: DevScores, *, method: Method, operation: Operation, ridge: float = 0.0) -> Calibration:
    """Fit a calibration of one system.

    Raises `InvalidCalibration` where none can be fitted, `InvalidSettings` for a ridge that is
    negative or has no use.
    """
    fitted.check_ridge(ridge)
    if method == "isotonic" and ridge:
        raise InvalidSettings("--ridge has no use with --method isotonic")
    (name,), raw = dev.labels, None
    chosen: Affine | Isotonic
    if method == "affine":
        chosen = _fit_affine(dev, name, operation, ridge)
        raw = (operation.threshold - chosen.offset) / chosen.slope
    else:
        chosen = fit_isotonic(dev.tables[0].scores, dev.bonafide, name)
    return Calibration(
        dev=dev.record,
        negated=dev.negated,
        source=dev.sources[0],
        map=chosen,
        operation=operation.model_copy(update={"raw_threshold": raw}),
        spoofbench=__version__,
        made=runs.now(),
    )


def _fit_affine(dev: DevScores, name: str, operation: Operation, ridge: float) -> Affine:
    found = logistic.fit(
        dev.scores, dev.bonafide, [name], log_odds=-operation.threshold, ridge=ridge
    )
    slope = float(found.weights[0])
    if not slope > 0:
        raise _useless(name)
    return Affine(slope=slope, offset=found.offset, ridge=ridge)


def fit_isotonic(scores: Floats, bonafide: NDArray[np.bool_], name: str) -> Isotonic:
    """Fit a map that never falls by pooling adjacent violators (Zadrozny and Elkan 2002).

    ``scores`` and ``bonafide`` are ``(trials,)``. Equal scores are one point. An imaginary bona
    fide trial at the lowest score and an imaginary spoof at the highest keep every log-likelihood
    ratio finite. That of a pool is ``log(share of bona fide in it / share of spoofs in it)``; each
    pool gives two points of the map, its lowest and its highest score.

    Raises `InvalidCalibration` for one class, scores that are not finite, and a level map.
    """
    from scipy.optimize import isotonic_regression

    if not bonafide.any() or bonafide.all() or not np.isfinite(scores).all():
        raise InvalidCalibration(
            f"{name}: a calibration needs finite scores of both classes",
            hint="fit on a dev protocol that has both",
        )
    values, place = np.unique(scores, return_inverse=True)
    own = np.bincount(place[bonafide], minlength=values.size).astype(np.float64)
    other = np.bincount(place[~bonafide], minlength=values.size).astype(np.float64)
    own[0] += 1
    other[-1] += 1
    own, other = own / own.sum(), other / other.sum()
    pools = isotonic_regression(own / (own + other), weights=own + other).blocks
    starts = np.asarray(pools[:-1], dtype=np.intp)
    llrs = np.log(np.add.reduceat(own, starts)) - np.log(np.add.reduceat(other, starts))
    llrs = np.maximum.accumulate(llrs)  # neighbours that are equal but for rounding
    if llrs[-1] - llrs[0] < fitted.AGREEMENT:
        raise _useless(name)
    return _through(values[starts], values[np.asarray(pools[1:], dtype=np.intp) - 1], llrs)


def _through(lowest: Floats, highest: Floats, llrs: Floats) -> Isotonic:
    """Make a map of pools: their lowest and highest scores, and their log-likelihood ratios."""
    points = np.column_stack([lowest, highest]).ravel()
    first = np.append(True, np.diff(points) > 0)  # a pool of one score is one point
    return Isotonic(
        scores=tuple(points[first].tolist()), llrs=tuple(np.repeat(llrs, 2)[first].tolist())
    )


def _useless(name: str) -> InvalidCalibration:
    return InvalidCalibration(
        f"{name}: on dev, higher scores do not mean more bona fide speech, or too few "
        "trials say so",
        hint="if higher means more spoof in the file, use --negate; does one score lie far from "
        "all others?",
    )


def apply(stored: Calibration, table: ScoreTable, source: str) -> ScoreTable:
    """Return ``table`` with log-likelihood ratios for scores."""
    with np.errstate(over="ignore"):
        llrs = stored.map.apply(table.scores)
    return fitted.with_llrs(table, llrs, source)


def read(file: Path) -> Calibration:
    """Read a calibration file. Raises `InvalidCalibration` if it cannot be used."""
    return fitted.parsed(Calibration, file)


def read_operating_point(file: Path) -> OperatingPoint:
    """Read from where on to accept, from the file of a calibration or of a fusion.

    Raises `InvalidCalibration` if it cannot be used.
    """
    kinds: dict[str, type[Fitted]] = {"calibration": Calibration, "fusion": Fusion}
    try:
        kind = _Kind.model_validate_json(fitted.text_of(file)).kind
    except ValidationError as error:
        raise fitted.fault_in(file, error) from error
    stored = fitted.parsed(kinds[kind], file)
    operation = stored.operation
    return OperatingPoint(
        threshold=operation.threshold,
        raw_threshold=operation.raw_threshold,
        p_spoof=operation.p_spoof,
        c_miss=operation.c_miss,
        c_fa=operation.c_fa,
        negated=stored.negated,
        dev_protocol=stored.dev.protocol,
    )


class _Kind(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: Literal["calibration", "fusion"]
