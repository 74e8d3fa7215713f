"""``spoofbench calibrate``: scores become log-likelihood ratios, fitted on dev scores only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from spoofbench.cli import fitting, options


def calibrate(
    apply: Annotated[
        list[Path],
        typer.Option(
            "--apply", metavar="FILE", help="Scores of the same system; may be given repeatedly."
        ),
    ],
    protocol: options.Protocol,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", help="Folder for the calibration and the calibrated copies."
        ),
    ],
    dev: Annotated[
        Path | None, typer.Option("--dev", metavar="FILE", help="Dev scores, to fit on.")
    ] = None,
    dev_protocol: fitting.DevProtocol = None,
    stored: Annotated[
        Path | None,
        typer.Option(
            "--calibration", metavar="FILE", help="Apply this calibration, instead of --dev."
        ),
    ] = None,
    method: Annotated[
        Literal["affine", "isotonic"] | None,
        typer.Option("--method", help="How scores are mapped; affine if unset."),
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
    """Turn scores into log-likelihood ratios. The map is fitted on dev scores, never on eval.

    Prints EER, min DCF, act DCF, Cllr and min Cllr before and after, and keeps the map with its
    operating threshold in `calibration.json`.

    Example: `spoofbench calibrate --dev dev.txt --apply eval.txt --protocol la-eval --out llr`
    """
    from spoofbench.calibration.jobs import Request, Target
    from spoofbench.calibration.jobs import calibrate as calibrated
    from spoofbench.cli.progress import note
    from spoofbench.cli.reports import reporter
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load

    known = catalogue()
    write = reporter(output, known)
    request = Request(
        files=() if dev is None else (dev,),
        protocol=dev_protocol,
        data=dev_data,
        p_spoof=p_spoof,
        c_miss=c_miss,
        c_fa=c_fa,
        ridge=ridge,
        method=method,
    )
    target = Target(
        files=tuple(apply),
        protocol=load(protocol, known),
        data=data,
        negate=negate,
        column=column,
    )
    outcome = calibrated(request, stored, target, known, out)
    write(outcome.tables, sys.stdout)
    for file in outcome.files:
        note(f"wrote {file}")
