"""From the judged runs of a sweep to what dose-response curves and heat-maps show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidRun, InvalidScores
from spoofbench.evaluation import as_they_are, cell_of, evaluators
from spoofbench.pictures.dose_response import CHANCE, Baseline, Line, Panel, Scale
from spoofbench.pictures.drawn import Caption
from spoofbench.pictures.heat_map import Cells
from spoofbench.robustness.conditions import Condition
from spoofbench.robustness.degradation import Curve, curves
from spoofbench.robustness.tables import Measured
from spoofbench.specs import MetricSpec
from spoofbench.tables import result_table, unused
from spoofbench.terms import Terms
from spoofbench.uncertainty import Uncertainty, interval


def caption_of(terms: Terms, *, label: str = "", uncertainty: Uncertainty | None = None) -> Caption:
    """Return the protocol's title, counts and stamps, and how intervals were made."""
    table = result_table(terms, [])
    trials = f"{table.bonafide:,} bona fide + {table.spoof:,} spoof trials"
    return Caption(
        title=table.title,
        trials=f"{label}: {trials}" if label else trials,
        note="" if uncertainty is None else f"shaded {str(uncertainty).strip('[]')}",
        stamps=table.stamps,
    )


def scale_of(metric: MetricSpec) -> Scale:
    """Return how a metric is shown."""
    chance = CHANCE if metric.name == "eer" else math.nan
    return Scale(title=metric.title, percent=metric.percent, chance=chance)


def baselines(
    systems: Sequence[Measured], *, uncertainty: Uncertainty | None = None
) -> list[Baseline]:
    """Return the first metric of each model on clean audio; models of one name are numbered."""
    made: list[Baseline] = []
    for system in systems:
        label = unused(system.label, [other.label for other in made])
        low, high = _ends(system, 0, uncertainty)
        made.append(Baseline(label=label, value=float(system.values[0, 0]), low=low, high=high))
    return made


def panels(systems: Sequence[Measured], *, uncertainty: Uncertainty | None = None) -> list[Panel]:
    """Return a panel for each augmentation that was run at several levels.

    Raises `InvalidRun` if there is none.
    """
    every = list(dict.fromkeys(c for system in systems for c in system.conditions))
    found = curves(every)
    if not found:
        raise InvalidRun(
            "no augmentation was run at two levels or more, so there is no curve to draw",
            hint="`spoofbench robustness` takes levels, such as --noise white --snr 20,10,0; "
            "`spoofbench plot heat-map` draws any conditions",
        )
    return [
        Panel(
            name=curve.name,
            unit=curve.unit,
            lines=tuple(_line(system, curve, every, uncertainty) for system in systems),
        )
        for curve in found
    ]


def _line(
    system: Measured, curve: Curve, every: Sequence[Condition], uncertainty: Uncertainty | None
) -> Line:
    """Return the levels of a curve at which this model was run."""
    place_of = {condition: place for place, condition in enumerate(system.conditions)}
    points = [
        (level, place_of[every[place]])
        for level, place in zip(curve.levels, curve.places, strict=True)
        if every[place] in place_of
    ]
    ends = [_ends(system, place, uncertainty) for _, place in points]
    return Line(
        levels=tuple(level for level, _ in points),
        values=tuple(float(system.values[place, 0]) for _, place in points),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
    )


def _ends(system: Measured, place: int, uncertainty: Uncertainty | None) -> tuple[float, float]:
    """Return the ends of the interval of the first metric under a condition, NaN for none."""
    samples = system.samples
    if samples is None or uncertainty is None:
        return math.nan, math.nan
    made = interval(
        float(system.values[place, 0]),
        samples.drawn[:, place, 0],
        None if samples.left is None else samples.left[:, place, 0],
        samples,
        uncertainty,
    )
    return (math.nan, math.nan) if made is None else (made.low, made.high)


def cells(system: Measured, terms: Terms) -> Cells:
    """Return the first metric of each group of ``terms`` under each condition of a model.

    Raises `InvalidScores` if there are no groups beside that of all trials.
    """
    if len(terms.groups) < 2:
        raise InvalidScores("the trials make no groups", hint="choose another column with --by")
    return Cells(
        conditions=tuple(map(str, system.conditions)),
        groups=tuple(group.name for group in terms.groups[1:]),
        by=terms.groups[1].by,
        values=_values(system, replace(terms, metrics=terms.metrics[:1])),
    )


def _values(system: Measured, terms: Terms) -> NDArray[np.float64]:
    """Return the metric ``(conditions, groups)``, that of all trials first."""
    evaluate = list(evaluators(terms.metrics).values())
    return np.stack(
        [
            as_they_are([cell_of(table.scores, group, terms) for group in terms.groups], evaluate)[
                :, 0
            ]
            for table in system.tables
        ]
    )
