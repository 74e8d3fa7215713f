"""``spoofbench fuse``: the scores of several systems become one, fitted on dev scores only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import fitting, options


def fuse(
    apply: Annotated[
        list[Path],
        typer.Option(
            "--apply", metavar="FILE", help="Scores to fuse: once for each system, in their order."
        ),
    ],
    protocol: options.Protocol,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE", help="The fused scores; the fusion file will lie beside them."
        ),
    ],
    dev: Annotated[
        list[Path] | None,
        typer.Option("--dev", metavar="FILE", help="Dev scores, to fit on: once for each system."),
    ] = None,
    dev_protocol: fitting.DevProtocol = None,
    stored: Annotated[
        Path | None,
        typer.Option("--fusion", metavar="FILE", help="Apply this fusion, instead of --dev."),
    ] = None,
    p_spoof: fitting.PSpoof = None,
    c_miss: fitting.CMiss = None,
    c_fa: fitting.CFa = None,
    ridge: fitting.Ridge = None,
    data: options.Data = None,
    dev_data: fitting.DevData = None,
    negate: options.Negate = None,
    column: options.Column = None,
    output: options.Format = "terminal",
) -> None:
    """Fuse several systems into one log-likelihood ratio: a weight each, fitted on dev scores.

    Example: `spoofbench fuse --dev a-dev.txt --dev b-dev.txt --apply a.txt --apply b.txt
    --protocol la-eval --out fused.txt`
    """
    from spoofbench.calibration.jobs import Request, Target
    from spoofbench.calibration.jobs import fuse as fused
    from spoofbench.cli.progress import note
    from spoofbench.cli.reports import reporter
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load

    known = catalogue()
    write = reporter(output, known)
    request = Request(
        files=tuple(dev or ()),
        protocol=dev_protocol,
        data=dev_data,
        p_spoof=p_spoof,
        c_miss=c_miss,
        c_fa=c_fa,
        ridge=ridge,
    )
    target = Target(
        files=tuple(apply),
        protocol=load(protocol, known),
        data=data,
        negate=negate,
        column=column,
    )
    outcome = fused(request, stored, target, known, out)
    write(outcome.tables, sys.stdout)
    for file in outcome.files:
        note(f"wrote {file}")
