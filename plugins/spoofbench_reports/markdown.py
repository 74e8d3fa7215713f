"""Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from spoofbench.tables import ResultTable
from spoofbench_reports.layout import Grid, counts, grids


def write(tables: Sequence[ResultTable], stream: TextIO) -> None:
    """Write ``tables`` to ``stream``."""
    stream.write("\n".join(_section(table) for table in tables))


def _section(table: ResultTable) -> str:
    parts = [f"## {table.title}", counts(table)]
    parts += [f"**{stamp}**" for stamp in table.stamps]
    parts += list(table.notes)
    for grid in grids(table):
        parts += [f"### {grid.caption}", _table(grid)]
    parts.append(f"fingerprint `{table.fingerprint[:12]}`")
    return "\n\n".join(parts) + "\n"


def _table(grid: Grid) -> str:
    rules = ("---", *("---:" for _ in grid.header[1:]))
    return "\n".join(_line(cells) for cells in (grid.header, rules, *grid.rows))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
