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
        typer.Argument(metavar="FILE...", help="Score files, or run folders, side by side."),
    ],
    protocol: options.Protocol,
    data: options.Data = None,
    negate: options.Negate = None,
    column: options.Column = None,
    metrics: options.Metrics = "",
    by: options.By = "",
    worst_first: options.WorstFirst = False,
    threshold: options.Threshold = "",
    ci: options.Ci = "",
    ci_level: options.CiLevel = None,
    ci_method: options.CiMethod = None,
    replicates: options.Replicates = None,
    ci_seed: options.CiSeed = None,
    output: options.Format = "terminal",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Keep the scores as runs there, for `spoofbench table`."
        ),
    ] = None,
) -> None:
    """Judge any program's scores by a protocol. Needs its key files, no audio and no model.

    FILE has a line for each trial, `utterance score` or `utterance attack key score`, or is a table
    with a header, or an .npz archive: the format is found and said. Higher scores mean more bona
    fide. `spoofbench doctor` says all that is wrong with a file that is refused.

    Example: `spoofbench score scores.txt --protocol la-eval --data /corpora/LA`

    Example: `spoofbench score scores.txt --protocol la21-eval --ci speaker --by 'attack x codec'`
    """
    from spoofbench import judging, tables
    from spoofbench.cli.doctor import pointing_to_doctor
    from spoofbench.cli.progress import note
    from spoofbench.cli.reports import reporter
    from spoofbench.cli.viewing import advancing, uncertainty_of, view_of
    from spoofbench.corpora import root_of
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load
    from spoofbench.terms import terms_of

    known = catalogue()
    write = reporter(output, known)
    view = view_of(
        metrics=metrics,
        by=by,
        threshold=threshold,
        worst_first=worst_first,
        uncertainty=uncertainty_of(
            ci, level=ci_level, method=ci_method, replicates=replicates, seed=ci_seed
        ),
    )
    chosen = view.revise(load(protocol, known))
    terms = terms_of(chosen, known, root_of(chosen, known, data=data))
    with pointing_to_doctor(files, protocol, data):
        systems = judging.systems_of(files, terms, negate=negate, column=column, note=note)
    with advancing(view.uncertainty, len(systems)) as advance:
        table = judging.table_of(systems, terms, uncertainty=view.uncertainty, advance=advance)
    write([tables.worst_first(table) if worst_first else table], sys.stdout)
    if out is not None:
        for system in systems:
            note(f"kept in {judging.keep(system.table, system.label, terms, out)}")
