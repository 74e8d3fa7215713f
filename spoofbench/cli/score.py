"""``spoofbench score``: a score file becomes numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import options


def score(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Score files, one or several side by side."),
    ],
    protocol: Annotated[
        str, typer.Option("--protocol", help="Name of a protocol, or path of a .toml file.")
    ],
    data: options.Data = None,
    negate: Annotated[
        bool | None,
        typer.Option(
            "--negate/--no-negate",
            help="Turn the scores round (higher = spoof in the file), or take them as they are "
            "even if the EER is above 50 %.",
            show_default=False,
        ),
    ] = None,
    output: options.Format = "terminal",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Keep the scores as runs there, for `spoofbench table`."
        ),
    ] = None,
) -> None:
    """Judge any program's scores by a protocol. Needs its key files, no audio and no model.

    A line of FILE reads `utterance score` or `utterance attack key score`, or is as in the
    `scores.tsv` of a run; higher scores mean more bona fide.

    Example: `spoofbench score scores.txt --protocol la-eval --data /corpora/LA`
    """
    from spoofbench import judging
    from spoofbench.cli.progress import note
    from spoofbench.cli.reports import reporter
    from spoofbench.corpora import root_of
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load
    from spoofbench.tables import terms_of

    known = catalogue()
    write = reporter(output, known)
    chosen = load(protocol, known)
    terms = terms_of(chosen, known, root_of(chosen, known, data=data))
    write([judging.table_of(files, terms, negate=negate)], sys.stdout)
    if out is not None:
        for file, label in zip(files, judging.labels(files), strict=True):
            table = judging.read(file, terms, negate=negate)
            note(f"kept in {judging.keep(table, label, terms, out)}")
