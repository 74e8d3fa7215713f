"""From options to a view of results."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from spoofbench.errors import InvalidSettings

if TYPE_CHECKING:
    from spoofbench.calibration.maps import OperatingPoint
    from spoofbench.uncertainty import Uncertainty
    from spoofbench.views import View


def view_of(
    *,
    metrics: str = "",
    by: str = "",
    threshold: str = "",
    worst_first: bool = False,
    uncertainty: Uncertainty | None = None,
) -> View:
    """Return the view that these options ask for."""
    from spoofbench.views import View

    return View(
        metrics=_names(metrics),
        by=_names(by),
        threshold=_threshold(threshold) if threshold else None,
        worst_first=worst_first,
        uncertainty=uncertainty,
    )


def uncertainty_of(
    unit: str,
    *,
    level: float = 0.95,
    method: str = "percentile",
    replicates: int = 1_000,
    seed: int = 0,
) -> Uncertainty:
    """Return the bootstrap that these options ask for."""
    from spoofbench.uncertainty import Uncertainty, method_of

    return Uncertainty(
        unit=unit, replicates=replicates, level=level, method=method_of(method), seed=seed
    )


@contextmanager
def advancing(uncertainty: Uncertainty | None, systems: int) -> Iterator[Callable[[], None]]:
    """Show how far the bootstrap of ``systems`` is; give what is called after each replicate."""
    from spoofbench.cli.progress import shown

    if uncertainty is None:
        yield lambda: None
        return
    total, done = uncertainty.replicates * systems, count(1)
    with shown("bootstrap", "replicates") as progress:
        yield lambda: progress(next(done), total)


def _names(text: str) -> tuple[str, ...]:
    """Return the names between the commas."""
    return tuple(dict.fromkeys(" ".join(name.split()) for name in text.split(",") if name.strip()))


def _stored(file: Path, point: OperatingPoint) -> float:
    """Return the threshold of a stored file, and say for which scores it holds."""
    from spoofbench.cli.progress import note

    raw = "" if point.raw_threshold is None else f"; for those before it: {point.raw_threshold!r}"
    note(
        f"--threshold {file}: {point.threshold:g} holds for the scores that were written with it"
        f"{raw} (P_spoof {point.p_spoof:g}, C_miss {point.c_miss:g}, C_fa {point.c_fa:g})"
    )
    return point.threshold


def _threshold(text: str) -> float:
    """Return a number as it stands, else the threshold that is stored in a calibration file."""
    try:
        number = float(text)
    except ValueError:
        from spoofbench.calibration.maps import read_operating_point

        return _stored(Path(text), read_operating_point(Path(text)))
    if not math.isfinite(number):
        raise InvalidSettings(f"--threshold {text}: a threshold is a finite score")
    return number
