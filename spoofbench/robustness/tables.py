"""From the runs of a sweep to tables: each condition beside clean, and what sums them up."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoofbench import runs, scores
from spoofbench.errors import InvalidRun
from spoofbench.evaluation import Cell, as_they_are, cell_of, evaluators
from spoofbench.metrics.detection import eer_point
from spoofbench.protocols import CROSSED
from spoofbench.robustness import degradation, measured
from spoofbench.robustness.conditions import Condition
from spoofbench.robustness.degradation import Curve
from spoofbench.rows import flipped
from spoofbench.scores import ScoreTable
from spoofbench.specs import MetricSpec
from spoofbench.statistics.intervals import Interval
from spoofbench.tables import MEAN, ResultTable, Row, result_table, unused
from spoofbench.terms import Terms
from spoofbench.uncertainty import Samples, Uncertainty, interval, sample

CONDITION = "condition"
"""The column that makes the rows of a sweep."""
MEASURED = MetricSpec(
    name="measured", target="spoofbench.robustness:tables", summary="", title="measured"
)
VALUE = MetricSpec(name="value", target="spoofbench.robustness:tables", summary="", title="value")
ACCEPTED = MetricSpec(
    name="accepted",
    target="spoofbench.robustness:tables",
    summary="",
    title="accepted",
    percent=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """One model under all conditions of a sweep, clean first: its runs, in that order."""

    label: str
    folders: tuple[Path, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """The metrics of a model under each condition: ``values`` ``(conditions, metrics)``.

    ``levels`` are those that were measured, ``undefined`` counts the trials that stayed as they
    were. ``samples`` are the metrics on resampled trials, for intervals.
    """

    label: str
    conditions: tuple[Condition, ...]
    tables: tuple[ScoreTable, ...]
    levels: tuple[float, ...]
    undefined: tuple[int, ...]
    values: NDArray[np.float64]
    samples: Samples | None


def measure(
    swept: Swept,
    terms: Terms,
    *,
    uncertainty: Uncertainty | None,
    advance: Callable[[], None] = lambda: None,
) -> Measured:
    """Judge the runs of a sweep; on resampled trials all conditions together, and thus paired.

    Raises `InvalidRun` for a run that is not finished.
    """
    tables = tuple(_scores(folder, terms) for folder in swept.folders)
    evaluate = list(evaluators(terms.metrics).values())
    cells: list[Cell | None] = [cell_of(t.scores, terms.groups[0], terms) for t in tables]
    return Measured(
        label=swept.label,
        conditions=swept.conditions,
        tables=tables,
        levels=tuple(_measured_level(folder) for folder in swept.folders),
        undefined=tuple(
            sum(bool(own.get(measured.UNDEFINED)) for own in measured.read(folder).values())
            for folder in swept.folders
        ),
        values=as_they_are(cells, evaluate),
        samples=None
        if uncertainty is None
        else sample(cells, evaluate, terms.trials, uncertainty, advance),
    )


def tables_of(
    systems: Sequence[Measured], terms: Terms, *, uncertainty: Uncertainty | None = None
) -> list[ResultTable]:
    """Return the table of all conditions, then what sums the sweep up."""
    change = _change(terms.metrics[0])
    labels: list[str] = []
    rows: list[Row] = []
    sums: list[Row] = []
    stamps: list[str] = []
    for system in systems:
        labels.append(unused(system.label, labels))
        rows += _rows(labels[-1], system, terms, change, uncertainty)
        sums += _summary(labels[-1], system, terms, uncertainty)
        stamps += _unchanged(system)
        stamps += [
            f"{labels[-1]} under {condition}: EER above 50 %"
            for condition, table in zip(system.conditions, system.tables, strict=True)
            if flipped(table)
        ]
    shown = replace(terms, metrics=(*terms.metrics, change, MEASURED))
    summed = replace(terms, metrics=(VALUE,))
    first = result_table(shown, rows, stamps, uncertainty=uncertainty)
    second = result_table(summed, sums, uncertainty=uncertainty)
    title = f"{second.title}: the sweep in a few numbers"
    return [first, *([replace(second, title=title)] if sums else [])]


def overlap_tables(systems: Sequence[Swept], terms: Terms) -> list[ResultTable]:
    """Return the tables of conditions with an interferer, one for each such condition.

    They give the share of trials that are accepted at the threshold of the EER of clean audio, by
    the key of the target and that of the interferer.
    """
    rows = [row for swept in systems for row in _four_way(swept, terms)]
    if not rows:
        return []
    table = result_table(replace(terms, metrics=(ACCEPTED,)), rows)
    return [replace(table, title=f"{table.title}: accepted at the clean EER threshold")]


def _four_way(swept: Swept, terms: Terms) -> list[Row]:
    clean = _scores(swept.folders[0], terms)
    threshold = eer_point(clean.scores[clean.bonafide], clean.scores[~clean.bonafide]).threshold
    cells: dict[str, dict[tuple[str, str], list[bool]]] = {}
    for folder, condition in zip(swept.folders, swept.conditions, strict=True):
        notes = measured.read(folder)
        if not any("interferer_key" in own for own in notes.values()):
            continue
        name = str(condition).replace("overlap-spoof", "overlap")
        own = cells.setdefault(f"{name}: target{CROSSED}interferer", {})
        for trial, score in zip(terms.trials, _scores(folder, terms).scores, strict=True):
            if key := notes.get(trial.utterance, {}).get("interferer_key", ""):
                own.setdefault((trial.key, key), []).append(bool(score >= threshold))
    return [
        Row(
            run=swept.label,
            by=by,
            group=CROSSED.join(keys),
            bonafide=len(accepted) if keys[0] == "bonafide" else 0,
            spoof=len(accepted) if keys[0] != "bonafide" else 0,
            values={ACCEPTED.name: sum(accepted) / len(accepted)},
        )
        for by, of_keys in cells.items()
        for keys, accepted in sorted(of_keys.items())
    ]


def _scores(folder: Path, terms: Terms) -> ScoreTable:
    if not runs.is_finished(folder):
        raise InvalidRun(f"{folder} is not finished", hint="give the same command again")
    return scores.read(folder / runs.SCORES, terms.trials)


def _measured_level(folder: Path) -> float:
    """Return the mean of what was measured first, NaN if nothing was."""
    rows = list(measured.read(folder).values())
    for column in rows[0] if rows else ():
        numbers = [float(row[column]) for row in rows if _is_number(row[column])]
        if numbers:
            return float(np.mean(numbers))
    return math.nan


def _unchanged(system: Measured) -> Iterator[str]:
    """Say of how many trials a condition could not be made."""
    for condition, count in zip(system.conditions, system.undefined, strict=True):
        if count:
            yield (
                f"{system.label} under {condition}: {count:,} of {len(system.tables[0].trials):,} "
                "trials stayed as they were (silent: the level has no meaning)"
            )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _change(metric: MetricSpec) -> MetricSpec:
    return replace(metric, name=f"{metric.name}-change", title=f"{metric.title} - clean")


def _rows(
    label: str,
    system: Measured,
    terms: Terms,
    change: MetricSpec,
    uncertainty: Uncertainty | None,
) -> list[Row]:
    """Return the row of clean, one for each other condition, and their mean."""
    names = [metric.name for metric in terms.metrics]
    pooled = terms.groups[0]
    rows = []
    for place, condition in enumerate(system.conditions):
        clean = place == 0
        values = dict(zip(names, system.values[place].tolist(), strict=True))
        values[change.name] = math.nan if clean else values[names[0]] - system.values[0, 0]
        values[MEASURED.name] = system.levels[place]
        rows.append(
            Row(
                run=label,
                by="" if clean else CONDITION,
                group=str(condition),
                bonafide=pooled.bonafide.size,
                spoof=pooled.spoof.size,
                values=values,
                intervals=_intervals(system, place, names, change, values, uncertainty),
            )
        )
    others = rows[1:]
    if others:
        mean = {name: float(np.mean([r.values[name] for r in others])) for name in names}
        mean |= {
            change.name: mean[names[0]] - rows[0].values[names[0]],
            MEASURED.name: math.nan,
        }
        rows.append(replace(others[0], group=MEAN, values=mean, intervals={}))
    return rows


def _intervals(
    system: Measured,
    place: int,
    names: Sequence[str],
    change: MetricSpec,
    values: Mapping[str, float],
    uncertainty: Uncertainty | None,
) -> dict[str, Interval]:
    if uncertainty is None or system.samples is None:
        return {}
    drawn, left = system.samples.drawn, system.samples.left
    found = {
        name: interval(
            values[name],
            drawn[:, place, column],
            None if left is None else left[:, place, column],
            system.samples,
            uncertainty,
        )
        for column, name in enumerate(names)
    }
    found[change.name] = interval(
        values[change.name],
        drawn[:, place, 0] - drawn[:, 0, 0],
        None if left is None else left[:, place, 0] - left[:, 0, 0],
        system.samples,
        uncertainty,
    )
    return {name: made for name, made in found.items() if made is not None}


def _summary(
    label: str, system: Measured, terms: Terms, uncertainty: Uncertainty | None
) -> list[Row]:
    """Return what sums the sweep up, by the first metric."""
    metric = terms.metrics[0]
    unit = f"{metric.title} %" if metric.percent else metric.title
    scale = 100.0 if metric.percent else 1.0
    sign = -1 if metric.higher_is_better else 1
    made: list[tuple[str, _Of]] = []
    if not metric.higher_is_better:
        for curve in degradation.curves(system.conditions):
            ends = f"from {curve.levels[0]:g} to {curve.levels[-1]:g} {curve.unit}"
            made += [
                (f"{curve.name}: {metric.title} doubles at ({curve.unit})", _doubling(curve)),
                (f"{curve.name}: mean {unit} {ends}", _area(curve, scale)),
            ]
    if len(system.conditions) > 1:
        worst = 1 + int(np.nanargmax(sign * system.values[1:, 0]))
        made.append(
            (f"worst: {system.conditions[worst]} ({unit})", lambda v: scale * v[..., worst])
        )
        made.append((f"mean over the sweep ({unit})", lambda v: scale * v[..., 1:].mean(axis=-1)))
    return [_sum_row(label, name, of, system, uncertainty) for name, of in made]


_Of = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""A number of a sweep, from the errors under its conditions ``(..., conditions)``."""


def _doubling(curve: Curve) -> _Of:
    places = list(curve.places)
    return lambda errors: degradation.doubling_level(
        errors[..., 0], errors[..., places], curve.levels
    )


def _area(curve: Curve, scale: float) -> _Of:
    places = list(curve.places)
    return lambda errors: scale * degradation.area(errors[..., places], curve.levels)


def _sum_row(
    label: str, name: str, of: _Of, system: Measured, uncertainty: Uncertainty | None
) -> Row:
    value = float(of(system.values[:, 0]))
    found = None
    if uncertainty is not None and system.samples is not None:
        left, drawn = system.samples.left, of(system.samples.drawn[:, :, 0])
        # Resamples in which an error never doubles, or had doubled before, are no chance loss: to
        # leave them out would bend the interval towards those that have a number.
        if np.isfinite(drawn).all():
            found = interval(
                value,
                drawn,
                None if left is None else of(left[:, :, 0]),
                system.samples,
                uncertainty,
            )
    return Row(
        run=label,
        by="summary",
        group=name,
        bonafide=0,
        spoof=0,
        values={VALUE.name: value},
        intervals={} if found is None else {VALUE.name: found},
    )
