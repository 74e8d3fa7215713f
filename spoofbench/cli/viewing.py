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


NO_GROUPS = "none"
"""What `--by` takes for no breakdown at all."""


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
        by=_groups(by),
        threshold=_threshold(threshold) if threshold else None,
        worst_first=worst_first,
        uncertainty=uncertainty,
    )


def bootstrap_of(
    unit: str,
    *,
    level: float | None = None,
    method: str | None = None,
    replicates: int | None = None,
    seed: int | None = None,
) -> Uncertainty:
    """Return the bootstrap that these options ask for; what is None is as usual."""
    from spoofbench.uncertainty import Uncertainty, method_of

    usual = Uncertainty(unit=unit)
    return Uncertainty(
        unit=unit,
        level=usual.level if level is None else level,
        method=usual.method if method is None else method_of(method),
        replicates=usual.replicates if replicates is None else replicates,
        seed=usual.seed if seed is None else seed,
    )


def uncertainty_of(
    unit: str,
    *,
    level: float | None = None,
    method: str | None = None,
    replicates: int | None = None,
    seed: int | None = None,
) -> Uncertainty | None:
    """Return the bootstrap that these options ask for, None if there is no ``unit``.

    Raises `InvalidSettings` for options of a bootstrap that is not asked for.
    """
    if unit:
        return bootstrap_of(unit, level=level, method=method, replicates=replicates, seed=seed)
    given = {
        "--ci-level": level,
        "--ci-method": method,
        "--replicates": replicates,
        "--ci-seed": seed,
    }
    if idle := [name for name, value in given.items() if value is not None]:
        raise InvalidSettings(
            f"{', '.join(idle)} would change nothing: no interval is asked for",
            hint="--ci speaker asks for intervals by speaker",
        )
    return None


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


def _groups(text: str) -> tuple[str, ...] | None:
    """Return the columns that make groups, none for ``none``; None if nothing is asked for."""
    return () if text == NO_GROUPS else _names(text) or None


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
