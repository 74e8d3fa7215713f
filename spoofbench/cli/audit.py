"""``spoofbench audit``: how much of a result a recording channel could explain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import options


def audit(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN...]",
            help="Run folders of models to set beside the shortcuts; without: all in the workspace "
            "that were judged by this protocol on audio as it is.",
            show_default=False,
        ),
    ] = None,
    protocol: Annotated[
        str, typer.Option("--protocol", help="Name of a protocol, or path of a .toml file.")
    ] = "mini-eval",
    data: options.Data = None,
    limit: options.Limit = None,
    workers: options.Workers = None,
    seed: options.Seed = 1234,
    out: options.Out = Path("runs"),
    ci: Annotated[
        str,
        typer.Option(
            "--ci",
            metavar="UNIT",
            help="What the bootstrap behind the intervals draws: trial, speaker, attack or "
            "speaker+attack; without: speaker where speakers are known, else trial.",
        ),
    ] = "",
    output: options.Format = "terminal",
) -> None:
    """Judge models that hear only a shortcut: silence, channel, duration, loudness, bandwidth.

    They are trained on the protocol's own train part, and stand in one table with the models that
    were judged before; words say how much of each result a shortcut could explain. A corpus whose
    classes such a model tells apart shows less than it seems to.

    Example: `spoofbench audit --protocol mini-eval`

    Example: `spoofbench audit runs/la-eval/aasist-1f0c --protocol la-eval --data /corpora/LA`
    """
    from spoofbench import auditing, runs
    from spoofbench.cli.progress import voice_of
    from spoofbench.cli.reports import reporter
    from spoofbench.cli.viewing import advancing, bootstrap_of
    from spoofbench.jobs.request import Request
    from spoofbench.jobs.shortcuts import run_shortcuts
    from spoofbench.plugins import catalogue
    from spoofbench.processes import Processes
    from spoofbench.protocols import load
    from spoofbench.tabulating import tabulate
    from spoofbench.views import View

    known = catalogue()
    auditing.check_there_are_any(known)
    write = reporter(output, known)
    chosen = load(protocol, known)
    unit = ci or ("speaker" if "speaker" in chosen.data.columns else "trial")
    view = View(metrics=(auditing.EER,), by=(), uncertainty=bootstrap_of(unit))
    request = Request(
        model="",
        data=data,
        out=out,
        limit=limit,
        device="cpu",
        precision="fp32",
        batch_size=8,
        workers=workers,
        seed=seed,
    )
    processes = Processes()
    heard = run_shortcuts(request, chosen, known, processes, voice_of(processes))
    asked = [run for folder in folders or () for run in runs.below(folder)]
    beside = asked or auditing.comparable(heard[0])
    together = list(dict.fromkeys([*beside, *heard]))
    with advancing(view.uncertainty, len(together)) as advance:
        made = tabulate(together, known, data=data, view=view, advance=advance)
    write(made.tables, sys.stdout)
    for reason in made.reasons:
        typer.echo(reason, err=True)
