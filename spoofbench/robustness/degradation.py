"""How much worse a system gets: curves over levels, and what sums them up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spoofbench.robustness.conditions import Condition, Step

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One augmentation at several levels, from easy to hard.

    ``places`` are those of its conditions in the sweep, ``levels`` are their levels.
    """

    name: str
    unit: str
    levels: tuple[float, ...]
    places: tuple[int, ...]


def curves(conditions: Sequence[Condition]) -> list[Curve]:
    """Return the curves of a sweep: conditions of one step that differ in its level alone.

    Where both sides of a neutral level are hard, each side is a curve.
    """
    families: dict[str, list[tuple[float, int]]] = {}
    units: dict[str, tuple[str, bool]] = {}
    for place, condition in enumerate(conditions):
        if len(condition.steps) != 1 or math.isnan(condition.steps[0].level):
            continue
        (step,) = condition.steps
        # The condition without its level: what curves have in common, and are called.
        without = replace(condition, steps=(replace(step, level=math.nan),))
        name = f"{without}{_side(step)}"
        families.setdefault(name, []).append((step.level, place))
        units[name] = (step.spec.unit, rising(step))
    made = []
    for name, points in families.items():
        unit, upwards = units[name]
        ordered = sorted(points, reverse=not upwards)
        if len(ordered) > 1:
            levels, places = zip(*ordered, strict=True)
            made.append(Curve(name=name, unit=unit, levels=levels, places=places))
    return made


def rising(step: Step) -> bool:
    """Say whether a higher level is harder.

    The order of the usual levels tells, or on which side the level is of the neutral one.
    """
    if step.spec.neutral is not None:
        return step.level >= step.spec.neutral
    return len(step.spec.levels) < 2 or step.spec.levels[-1] > step.spec.levels[0]


def _side(step: Step) -> str:
    """Say on which side of the neutral level a step is, if it is not that of the usual levels."""
    neutral = step.spec.neutral
    if neutral is None or rising(step) == (step.spec.levels[0] > neutral):
        return ""
    return f" {'above' if rising(step) else 'below'} {neutral:g}"


def doubling_level(clean: Floats, errors: Floats, levels: Sequence[float]) -> Floats:
    """Return the level at which an error rate is twice what it is clean, ``(...)``.

    ``clean`` is ``(...)``, ``errors`` ``(..., levels)`` from easy to hard. Between two levels the
    error is taken to change along a straight line; where it crosses several times, the easiest
    crossing counts. NaN if twice the clean error is not reached, or already exceeded at the easiest
    level, or if there is no error to double.
    """
    target = 2 * clean[..., None]
    above = (errors >= target) & (target > 0)
    hit = above.argmax(axis=-1)
    found = above.any(axis=-1) & (hit > 0)
    after = np.maximum(hit, 1)
    steps = np.asarray(levels, dtype=np.float64)
    low = np.take_along_axis(errors, (after - 1)[..., None], -1)[..., 0]
    high = np.take_along_axis(errors, after[..., None], -1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (target[..., 0] - low) / (high - low)
    crossing = steps[after - 1] + share * (steps[after] - steps[after - 1])
    return np.where(found, crossing, np.nan)


def area(errors: Floats, levels: Sequence[float]) -> Floats:
    """Return the mean error over the range of levels, ``(...)``: the area under the curve.

    ``errors`` is ``(..., levels)``; between levels it is taken along straight lines.
    """
    steps = np.abs(np.diff(np.asarray(levels, dtype=np.float64)))
    middles = (errors[..., 1:] + errors[..., :-1]) / 2
    return np.asarray((middles * steps).sum(axis=-1) / steps.sum(), dtype=np.float64)
