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
    output: options.Format = "terminal",
) -> None:
    """Put finished runs side by side, computed again from their files, without a model.

    Runs share a table only if trials, keys, crop rule and metrics are the same (their fingerprint);
    else there are several tables, and the reason is said.

    Example: `spoofbench table runs/la-eval --format latex`
    """
    from spoofbench.cli.progress import note
    from spoofbench.cli.reports import reporter
    from spoofbench.plugins import catalogue
    from spoofbench.runs import below
    from spoofbench.tables import tabulate

    known = catalogue()
    write = reporter(output, known)
    made = tabulate([run for folder in folders for run in below(folder)], known, data=data)
    write(made.tables, sys.stdout)
    for reason in made.reasons:
        note(reason)
