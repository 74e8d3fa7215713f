"""What the formats for reading have in common: how results are laid out in grids of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spoofbench.specs import MetricSpec
from spoofbench.tables import MEAN, ResultTable, Row

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
    made = [_pooled(table)]
    for by, rows in table.groups().items():
        if len(table.runs) == 1:
            made.append(_one_run(by, rows, table.metrics))
        else:
            made += [_one_metric(by, rows, metric, table.runs) for metric in table.metrics]
    return made


def counts(table: ResultTable) -> str:
    """Say how many trials there were."""
    return f"{table.bonafide:,} bona fide + {table.spoof:,} spoof trials"


def _pooled(table: ResultTable) -> Grid:
    return Grid(
        caption="pooled",
        header=("run", *(_heading(metric) for metric in table.metrics)),
        rows=tuple(
            (row.run, *(_text(row, metric, HEADLINE_DIGITS) for metric in table.metrics))
            for row in table.pooled()
        ),
    )


def _one_run(by: str, rows: Sequence[Row], metrics: Sequence[MetricSpec]) -> Grid:
    return Grid(
        caption=f"by {by}, against all bona fide",
        header=(by, "spoof", *(_heading(metric) for metric in metrics)),
        rows=tuple(
            (
                _group(row),
                f"{row.spoof:,}",
                *(_text(row, metric, GROUP_DIGITS) for metric in metrics),
            )
            for row in rows
        ),
        emphasised=1,
    )


def _one_metric(by: str, rows: Sequence[Row], metric: MetricSpec, runs: Sequence[str]) -> Grid:
    groups = list(dict.fromkeys(row.group for row in rows))
    cells = {(row.group, row.run): row for row in rows}
    return Grid(
        caption=f"{_heading(metric)} by {by}, against all bona fide",
        header=(by, "spoof", *runs),
        rows=tuple(
            (
                _group(cells[group, runs[0]]),
                f"{cells[group, runs[0]].spoof:,}",
                *(_text(cells[group, run], metric, GROUP_DIGITS) for run in runs),
            )
            for group in groups
        ),
        emphasised=1,
    )


def _group(row: Row) -> str:
    return f"mean over {row.by}s" if row.group == MEAN else row.group


def _heading(metric: MetricSpec) -> str:
    return f"{metric.title} %" if metric.percent else metric.title


def _text(row: Row, metric: MetricSpec, digits: dict[bool, int]) -> str:
    value = row.values[metric.name]
    if math.isnan(value):
        return "-"
    return f"{100 * value if metric.percent else value:.{digits[metric.percent]}f}"
