"""Tables for reading in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spoofbench.tables import ResultTable
from spoofbench_reports.layout import Grid, counts, grids


def write(tables: Sequence[ResultTable], stream: TextIO) -> None:
    """Write ``tables`` to ``stream``, in colour where it is a terminal that shows it."""
    console = Console(file=stream, highlight=False)
    for table in tables:
        console.print(Text(f"\n{table.title}", style="bold"))
        console.print(Text(counts(table)))
        for stamp in table.stamps:
            console.print(Text(f"! {stamp}", style="yellow"))
        for grid in grids(table):
            console.print()
            _print_whole(_table(grid), console)
        console.print(Text(f"fingerprint {table.fingerprint[:12]}", style="dim"))


def _print_whole(table: Table, console: Console) -> None:
    """Print ``table``, wider than the terminal if it must be: no number may be cut."""
    unbounded = console.options.update(max_width=10_000)
    console.width = max(console.width, console.measure(table, options=unbounded).minimum)
    console.print(table)


def _table(grid: Grid) -> Table:
    table = Table(
        title=grid.caption,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
    )
    name, *others = grid.header
    table.add_column(name, overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right")
    last = len(grid.rows) - grid.emphasised
    for place, row in enumerate(grid.rows):
        table.add_row(
            *(Text(cell) for cell in row),
            style="italic" if place >= last else None,
            end_section=place == last - 1 and grid.emphasised > 0,
        )
    return table
