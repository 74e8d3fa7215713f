"""What the formats for reading have in common: how results are laid out in grids of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spoofbench.groups import POOLED
from spoofbench.protocols import CROSSED
from spoofbench.specs import MetricSpec
from spoofbench.statistics.paired import Placing
from spoofbench.tables import MEAN, Ranking, ResultTable, Row

HEADLINE_DIGITS = {True: 4, False: 5}
"""Decimals of pooled results: percentages, costs."""
GROUP_DIGITS = {True: 2, False: 4}
"""Decimals of groups, which have fewer trials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A caption, a heading for each column, and rows of text; the first column is a name.

    ``emphasised`` is the number of the last rows that stand apart from the rest.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    emphasised: int = 0


def grids(table: ResultTable) -> list[Grid]:
    """Lay out ``table``: the pooled results, then each breakdown."""
    made = [_pooled(table)] if table.pooled() else []
    if table.ranking is not None:
        made.append(_ranks(table, table.ranking))
    for by, rows in table.groups().items():
        if CROSSED in by:
            made += [
                _matrix(by, rows, metric, run) for run in table.runs for metric in table.metrics
            ]
        elif len(table.runs) == 1:
            made.append(_one_run(by, rows, table.metrics))
        else:
            made += [_one_metric(by, rows, metric, table.runs) for metric in table.metrics]
    return made


def counts(table: ResultTable) -> str:
    """Say how many trials there were."""
    return f"{table.bonafide:,} bona fide + {table.spoof:,} spoof trials"


def _pooled(table: ResultTable) -> Grid:
    return Grid(
        caption="/".join(dict.fromkeys(row.group for row in table.pooled())) or POOLED,
        header=("run", *(_heading(metric) for metric in table.metrics)),
        rows=tuple(
            (row.run, *(_text(row, metric, HEADLINE_DIGITS) for metric in table.metrics))
            for row in table.pooled()
        ),
    )


def _ranks(table: ResultTable, ranking: Ranking) -> Grid:
    """Lay out who stands where, and how far from the best."""
    heading = _heading(ranking.metric)
    placings = [(row, ranking.placings[row.run]) for row in table.pooled()]
    return Grid(
        caption=f"ranks by {heading}; one rank group: not separable from its best",
        header=("run", "rank group", heading, "difference to the best", "p", "p (Holm)"),
        rows=tuple(
            (
                row.run,
                str(placing.group),
                _number(row.values[ranking.metric.name], ranking.metric, HEADLINE_DIGITS),
                *_from_best(placing, ranking),
            )
            for row, placing in placings
        ),
    )


def _from_best(placing: Placing, ranking: Ranking) -> tuple[str, str, str]:
    """Say how far a run is from the best one, and how easily chance alone does that."""
    if placing is ranking.placings[ranking.leaders[0]]:
        return "-", "-", "-"
    difference = placing.difference
    value, low, high = (
        _number(number, ranking.metric, GROUP_DIGITS)
        for number in (difference.value, difference.interval.low, difference.interval.high)
    )
    return f"{value} [{low}, {high}]", _p(difference.p_value), _p(placing.adjusted)


def _p(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0001 else f"{value:.1g}"


def _one_run(by: str, rows: Sequence[Row], metrics: Sequence[MetricSpec]) -> Grid:
    counted = any(row.spoof for row in rows)
    parted = counted and rows[0].against != "all"
    return Grid(
        caption=_caption(rows[0]),
        header=(
            by,
            *(["bona fide"] if parted else []),
            *(["spoof"] if counted else []),
            *map(_heading, metrics),
        ),
        rows=tuple(
            (
                _group(row),
                *([_count(row, row.bonafide)] if parted else []),
                *([f"{row.spoof:,}"] if counted else []),
                *(_text(row, metric, GROUP_DIGITS) for metric in metrics),
            )
            for row in rows
        ),
        emphasised=int(rows[-1].group == MEAN),
    )


def _one_metric(by: str, rows: Sequence[Row], metric: MetricSpec, runs: Sequence[str]) -> Grid:
    groups = list(dict.fromkeys(row.group for row in rows))
    cells = {(row.group, row.run): row for row in rows}
    some = {group: next(row for row in rows if row.group == group) for group in groups}
    counted = any(row.spoof for row in rows)
    return Grid(
        caption=f"{_heading(metric)} {_caption(rows[0])}",
        header=(by, *(["spoof"] if counted else []), *runs),
        rows=tuple(
            (
                _group(some[group]),
                *([f"{some[group].spoof:,}"] if counted else []),
                *(
                    _text(cells[group, run], metric, GROUP_DIGITS) if (group, run) in cells else "-"
                    for run in runs
                ),
            )
            for group in groups
        ),
        emphasised=int(groups[-1] == MEAN),
    )


def _matrix(by: str, rows: Sequence[Row], metric: MetricSpec, run: str) -> Grid:
    """Lay out two crossed columns, the first down, the second across."""
    down, across = by.split(CROSSED)
    cells = {
        tuple(row.group.split(CROSSED)): row for row in rows if row.run == run and row.group != MEAN
    }
    names = [list(dict.fromkeys(group[axis] for group in cells)) for axis in (0, 1)]
    return Grid(
        caption=f"{run}: {_heading(metric)} {_caption(rows[0])}",
        header=(f"{down} / {across}", *sorted(names[1])),
        rows=tuple(
            (
                first,
                *(
                    _text(cells[first, second], metric, GROUP_DIGITS)
                    if (first, second) in cells
                    else "-"
                    for second in sorted(names[1])
                ),
            )
            for first in names[0]
        ),
    )


def _caption(row: Row) -> str:
    """Say what makes the groups, and against which bona fide trials their spoofs stand."""
    return f"by {row.by}" + (f", against {row.against} bona fide" if row.against else "")


def _count(row: Row, number: int) -> str:
    return "" if row.group == MEAN else f"{number:,}"


def _group(row: Row) -> str:
    return f"mean over {row.by}s" if row.group == MEAN else row.group


def _heading(metric: MetricSpec) -> str:
    return f"{metric.title} %" if metric.percent else metric.title


def _text(row: Row, metric: MetricSpec, digits: dict[bool, int]) -> str:
    """Write a number and its interval, which needs no more digits than that of a group."""
    value = row.values[metric.name]
    if math.isnan(value):
        return "-"
    text = _number(value, metric, digits)
    if metric.name not in row.intervals:
        return text
    interval = row.intervals[metric.name]
    low, high = (_number(end, metric, GROUP_DIGITS) for end in (interval.low, interval.high))
    return f"{text} [{low}, {high}]"


def _number(value: float, metric: MetricSpec, digits: dict[bool, int]) -> str:
    text = f"{100 * value if metric.percent else value:.{digits[metric.percent]}f}"
    return text if float(text) else text.removeprefix("-")
