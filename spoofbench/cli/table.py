"""``spoofbench table``: finished runs side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import options


def table(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Run folders, or a folder that holds some."),
    ],
    data: options.Data = None,
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
) -> None:
    """Put finished runs side by side, computed again from their files, without a model.

    Runs share a table only if trials, keys, crop rule and metrics are the same (their fingerprint);
    else there are several tables, and the reason is said.

    Example: `spoofbench table runs/la-eval --format latex`

    Example: `spoofbench table runs/la-eval --ci speaker --by speaker --worst-first`
    """
    from spoofbench.cli.progress import note
    from spoofbench.cli.reports import reporter
    from spoofbench.cli.viewing import advancing, uncertainty_of, view_of
    from spoofbench.plugins import catalogue
    from spoofbench.runs import below
    from spoofbench.tabulating import tabulate

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
    chosen = [run for folder in folders for run in below(folder)]
    with advancing(view.uncertainty, len(chosen)) as advance:
        made = tabulate(chosen, known, data=data, view=view, advance=advance)
    write(made.tables, sys.stdout)
    for reason in made.reasons:
        note(reason)
