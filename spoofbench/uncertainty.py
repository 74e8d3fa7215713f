"""How sure a number is: resampling the trials that it was measured on.

Whatever is measured on resampled trials is measured by the same code as the number itself. The ASV
system is held fixed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidSettings
from spoofbench.evaluation import Cell, Evaluate, under_weights
from spoofbench.statistics import intervals, resampling
from spoofbench.statistics.intervals import Interval
from spoofbench.trials import Trial

Method = Literal["percentile", "bca"]
METHODS: tuple[Method, ...] = ("percentile", "bca")


def method_of(name: str) -> Method:
    """Return the method called ``name``. Raises `InvalidSettings` if there is none."""
    for method in METHODS:
        if method == name:
            return method
    raise InvalidSettings(f"--ci-method {name}: it is one of {', '.join(METHODS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """What is drawn with replacement, how often, and what interval is made of it.

    Raises `InvalidSettings` for a unit that there is not, and too few replicates for the level.
    """

    unit: str
    replicates: int = 1_000
    level: float = 0.95
    method: Method = "percentile"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.unit not in resampling.UNITS:
            raise InvalidSettings(
                f"--ci {self.unit}: trials are drawn by {', '.join(resampling.UNITS)}"
            )
        if not 0.5 <= self.level < 1:
            raise InvalidSettings(f"--ci-level {self.level}: it is between 0.5 and 1, such as 0.95")
        if self.replicates * (1 - self.level) < 2:
            raise InvalidSettings(
                f"--replicates {self.replicates}: too few for an interval of {self.level:.3g}",
                hint=f"at least {math.ceil(2 / (1 - self.level))} are needed, 1000 are usual",
            )

    @property
    def alpha(self) -> float:
        """The chance of a wrong verdict that goes with the level: 0.05 for 0.95."""
        return round(1 - self.level, 12)

    def __str__(self) -> str:
        """Say it in words, as tables do."""
        by = self.unit.replace("+", " and ")
        return (
            f"[{100 * self.level:g} % intervals: {self.method} bootstrap by {by}, "
            f"{self.replicates:,} replicates, seed {self.seed}]"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """What the metrics of cells were on resampled trials, ``(replicates, cells, metrics)``.

    ``left`` ``(leavings, cells, metrics)`` is what they were with a part of the trials left out,
    and ``parts`` ``(leavings,)`` a part of what that was; both for BCa intervals.
    """

    drawn: NDArray[np.float64]
    left: NDArray[np.float64] | None = None
    parts: NDArray[np.intp] | None = None


def sample(
    cells: Sequence[Cell | None],
    evaluate: Sequence[Evaluate],
    trials: Sequence[Trial],
    uncertainty: Uncertainty,
    advance: Callable[[], None] = lambda: None,
) -> Samples:
    """Measure the cells again on resampled ``trials``; the same for every system that is judged.

    ``advance`` is called after each replicate. Raises `InvalidSettings` where the trials cannot be
    drawn in this way: no speakers are known, say.
    """
    try:
        design = resampling.Design.of(
            unit=uncertainty.unit,
            bonafide=[trial.bonafide for trial in trials],
            speaker=[trial.speaker for trial in trials],
            attack=[trial.attack for trial in trials],
        )
        weights = resampling.weights(
            design, replicates=uncertainty.replicates, seed=uncertainty.seed
        )
        drawn = under_weights(cells, evaluate, weights, advance)
        if uncertainty.method == "percentile":
            return Samples(drawn=drawn)
        leavings = resampling.jackknife(design, seed=uncertainty.seed)
        return Samples(
            drawn=drawn,
            left=under_weights(cells, evaluate, leavings),
            parts=resampling.jackknife_samples(design),
        )
    except ValueError as error:
        raise InvalidSettings(
            f"no interval by {uncertainty.unit}: {error}",
            hint=f"--ci takes {', '.join(resampling.UNITS)}",
        ) from error


def interval(
    value: float,
    drawn: NDArray[np.float64],
    left: NDArray[np.float64] | None,
    samples: Samples,
    uncertainty: Uncertainty,
) -> Interval | None:
    """Return the interval of one number from its replicates ``(replicates,)``.

    ``left`` ``(leavings,)`` is what the number was on those of ``samples.left``. None if there is
    no interval, such as where a class is missing on too many resamples.
    """
    if math.isnan(value):
        return None
    made = (
        intervals.percentile(drawn, uncertainty.level)
        if left is None
        else intervals.bca(value, drawn, left, uncertainty.level, samples=samples.parts)
    )
    return None if math.isnan(made.low) or math.isnan(made.high) else made
