"""Tables for reading in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spoofbench.tables import ResultTable
from spoofbench_reports.layout import Grid, counts, grids

PADDING = 3
"""Characters beside the text of a column."""


def write(tables: Sequence[ResultTable], stream: TextIO) -> None:
    """Write ``tables`` to ``stream``, in colour where it is a terminal that shows it."""
    console = Console(file=stream, highlight=False)
    for table in tables:
        console.print(Text(f"\n{table.title}", style="bold"))
        console.print(Text(counts(table)))
        for stamp in table.stamps:
            console.print(Text(f"! {stamp}", style="yellow"))
        for remark in table.notes:
            console.print(Text(remark, style="dim"))
        for grid in grids(table):
            for part in _parts(grid, console.width):
                console.print(Text(f"\n{part.caption}", style="bold"))
                _print_whole(_table(part), console)
        console.print(Text(f"fingerprint {table.fingerprint[:12]}", style="dim"))


def _parts(grid: Grid, width: int) -> list[Grid]:
    """Cut ``grid`` between columns so that its parts fit the terminal; names stand in each part."""
    widths = [
        max(map(len, column)) + PADDING for column in zip(grid.header, *grid.rows, strict=True)
    ]
    parts: list[list[int]] = []
    for column in range(1, len(widths)):
        if not parts or widths[0] + sum(widths[c] for c in (*parts[-1], column)) > width:
            parts.append([])
        parts[-1].append(column)
    return [_some(grid, [0, *columns]) for columns in parts]


def _some(grid: Grid, columns: Sequence[int]) -> Grid:
    return replace(
        grid,
        header=tuple(grid.header[column] for column in columns),
        rows=tuple(tuple(row[column] for column in columns) for row in grid.rows),
    )


def _print_whole(table: Table, console: Console) -> None:
    """Print ``table``, wider than the terminal if it must be: no number may be cut."""
    unbounded = console.options.update(max_width=10_000)
    console.width = max(console.width, console.measure(table, options=unbounded).minimum)
    console.print(table)


def _table(grid: Grid) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    name, *others = grid.header
    table.add_column(name, overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    last = len(grid.rows) - grid.emphasised
    for place, row in enumerate(grid.rows):
        table.add_row(
            *(Text(cell) for cell in row),
            style="italic" if place >= last else None,
            end_section=place == last - 1 and grid.emphasised > 0,
        )
    return table
