"""LaTeX tables in booktabs style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from spoofbench.tables import ResultTable
from spoofbench_reports.layout import Grid, counts, grids

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "%": r"\%",
        "&": r"\&",
        "_": r"\_",
        "#": r"\#",
        "$": r"\$",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)


def write(tables: Sequence[ResultTable], stream: TextIO) -> None:
    """Write ``tables`` to ``stream``; they need the package booktabs."""
    for table in tables:
        stream.write(f"% fingerprint {table.fingerprint[:12]}; needs \\usepackage{{booktabs}}\n")
        for grid in grids(table):
            stream.write(_table(grid, table))


def _table(grid: Grid, table: ResultTable) -> str:
    said = ". ".join([table.title, grid.caption, counts(table), *table.stamps, *table.notes])
    body = [_line(row) for row in grid.rows]
    if grid.emphasised and len(body) > grid.emphasised:
        body.insert(-grid.emphasised, r"\midrule")
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_escaped(said)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(grid.header) - 1)}}}",
        r"\toprule",
        _line(grid.header),
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n\n"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(_escaped(cell) for cell in cells) + r" \\"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
