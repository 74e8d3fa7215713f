"""What a picture shows: scores by class, under the caption of their protocol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidScores


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Scores under one label: ``bonafide`` ``(bonafide,)`` and ``spoof`` ``(spoof,)``, finite.

    Higher = more bona fide. ``numbers`` are further results that the legend states, such as
    ``"min t-DCF 2019 0.0275"``.
    """

    label: str
    bonafide: NDArray[np.float64]
    spoof: NDArray[np.float64]
    numbers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for scores, kind in ((self.bonafide, "bona fide"), (self.spoof, "spoof")):
            if not len(scores):
                raise InvalidScores(f"{self.label}: no {kind} trials, so there is nothing to draw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What stands above a picture: whose trials, how many, and what must be known of them."""

    title: str = ""
    trials: str = ""
    note: str = ""
    stamps: tuple[str, ...] = ()
