"""``spoofbench plot``: score files become pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spoofbench.cli import options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spoofbench.plugins import Catalogue
    from spoofbench.terms import Terms

WIDTH = 5.0
"""Inches, as `spoofbench.pictures.style.WIDTH`, which is not loaded for help."""

app = typer.Typer(
    help="Draw score files: DET curves, histograms, reliability.", no_args_is_help=True
)

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Score files, or run folders.")
]
Picture = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="PICTURE", help="Picture to write: .png, .svg or .pdf."),
]
Width = Annotated[
    float,
    typer.Option("--width", min=2.5, max=20, help="Width in inches; a column of a paper has 3.5."),
]


@app.command("det")
def det(
    files: Files,
    protocol: options.Protocol,
    out: Picture,
    data: options.Data = None,
    negate: options.Negate = None,
    column: options.Column = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Draw a curve for each attack (or codec, ...) of one file."),
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            "--metrics",
            "--metric",
            metavar="NAMES",
            help="Metrics that the legend states beside the EER: min-tdcf-2019,cllr.",
        ),
    ] = "",
    llr: Annotated[
        bool,
        typer.Option("--llr", help="Scores are log-likelihood ratios: mark the Bayes threshold."),
    ] = False,
    width: Width = WIDTH,
) -> None:
    """Draw DET curves: misses against false alarms, the EER and the least cost marked.

    Example: `spoofbench plot det a.txt b.txt --protocol la-eval -o det.pdf`
    """
    from spoofbench.judging import systems_of
    from spoofbench.pictures import det, reading, style

    style.check(out)
    known, terms = _terms(protocol, data)
    sources = systems_of(files, terms, negate=negate, column=column)
    specs = reading.metrics_of([m.strip() for m in metrics.split(",") if m.strip()], terms, known)
    figure = det.figure_of(
        reading.systems(sources, terms, by=by, metrics=specs),
        caption=reading.caption_of(sources, terms),
        costs=terms.protocol.detection.costs(),
        llr=llr,
        width=width,
    )
    _save(figure, out)


@app.command("histogram")
def histogram(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Score file, or run folder.")],
    protocol: options.Protocol,
    out: Picture,
    data: options.Data = None,
    negate: options.Negate = None,
    column: options.Column = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Draw the spoofs of each attack (or codec, ...) apart."),
    ] = None,
    log: Annotated[
        bool, typer.Option("--log", help="Logarithmic density, on which few errors are seen.")
    ] = False,
    width: Width = WIDTH,
) -> None:
    """Draw how the scores of bona fide trials and of spoofs are distributed.

    Example: `spoofbench plot histogram a.txt --protocol la-eval --by attack -o attacks.png`
    """
    from spoofbench.judging import systems_of
    from spoofbench.pictures import histogram, reading, style

    style.check(out)
    _, terms = _terms(protocol, data)
    sources = systems_of([file], terms, negate=negate, column=column)
    caption = reading.caption_of(sources, terms)
    (system,) = reading.systems(sources, terms)
    if by is None:
        figure = histogram.figure_of(system, caption=caption, log=log, width=width)
    else:
        groups = reading.systems(sources, terms, by=by)
        figure = histogram.figure_by_group(system, groups, caption=caption, width=width)
    _save(figure, out)


@app.command("reliability")
def reliability(
    files: Files,
    protocol: options.Protocol,
    out: Picture,
    data: options.Data = None,
    negate: options.Negate = None,
    column: options.Column = None,
    prior: Annotated[
        float,
        typer.Option("--prior", help="Prior of bona fide by which scores become posteriors."),
    ] = 0.5,
    width: Width = WIDTH,
) -> None:
    """Draw how far scores can be taken as log-likelihood ratios (natural logarithm).

    Example: `spoofbench plot reliability a.txt --protocol la-eval -o reliability.svg`
    """
    from spoofbench.judging import systems_of
    from spoofbench.pictures import reading, reliability, style

    style.check(out)
    known, terms = _terms(protocol, data)
    sources = systems_of(files, terms, negate=negate, column=column)
    specs = reading.offered(("cllr", "min-cllr"), known)
    figure = reliability.figure_of(
        reading.systems(sources, terms, metrics=specs),
        caption=reading.caption_of(sources, terms),
        prior=prior,
        width=width,
    )
    _save(figure, out)


def _terms(protocol: str, data: Path | None) -> tuple[Catalogue, Terms]:
    """Look up the protocol and read what it points to."""
    from spoofbench.corpora import root_of
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load
    from spoofbench.terms import terms_of

    known = catalogue()
    chosen = load(protocol, known)
    return known, terms_of(chosen, known, root_of(chosen, known, data=data))


def _save(figure: Figure, out: Path) -> None:
    from spoofbench.cli.progress import note
    from spoofbench.pictures import style

    style.save(figure, out)
    note(f"drawn in {out}")
