"""``spoofbench plot``: score files and sweeps become pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spoofbench.cli import options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spoofbench.plugins import Catalogue
    from spoofbench.robustness.reading import Sweeps
    from spoofbench.terms import Terms

WIDTH = 5.0
"""Inches, as `spoofbench.pictures.style.WIDTH`, which is not loaded for help."""

app = typer.Typer(
    help="Draw score files and sweeps: DET curves, histograms, reliability, dose-response curves, "
    "heat-maps.",
    no_args_is_help=True,
)

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Score files, or run folders.")
]
Picture = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="PICTURE", help="Picture to write: .png, .svg or .pdf."),
]
Runs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN...", help="Run folders of a sweep, or a folder that holds some: runs/la-eval."
    ),
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


@app.command("dose-response")
def dose_response(
    folders: Runs,
    out: Picture,
    data: options.Data = None,
    metric: Annotated[
        str,
        typer.Option(
            "--metric", metavar="NAME", help="What is drawn, as in `spoofbench metrics`: min-dcf."
        ),
    ] = "eer",
    ci: options.Ci = "",
    ci_level: options.CiLevel = None,
    ci_method: options.CiMethod = None,
    replicates: options.Replicates = None,
    ci_seed: options.CiSeed = None,
    width: Width = WIDTH,
) -> None:
    """Draw how errors grow with the level of each augmentation, beside clean audio.

    There is a panel for each augmentation that was run at several levels, harder to the right, and
    a line for each model. `spoofbench robustness` makes the runs. With --ci, intervals are shaded.

    Example: `spoofbench plot dose-response runs/la-eval -o noise.svg`

    Example: `spoofbench plot dose-response runs/la-eval --ci speaker -o noise.pdf`
    """
    from spoofbench.cli.viewing import advancing, uncertainty_of
    from spoofbench.pictures import dose_response, style, sweeps
    from spoofbench.robustness.tables import measure

    style.check(out)
    uncertainty = uncertainty_of(
        ci, level=ci_level, method=ci_method, replicates=replicates, seed=ci_seed
    )
    found = _sweeps(folders, data, metric=metric)
    with advancing(uncertainty, len(found.swept)) as advance:
        systems = [
            measure(own, found.terms, uncertainty=uncertainty, advance=advance)
            for own in found.swept
        ]
    figure = dose_response.figure_of(
        sweeps.baselines(systems, uncertainty=uncertainty),
        sweeps.panels(systems, uncertainty=uncertainty),
        caption=sweeps.caption_of(found.terms, uncertainty=uncertainty),
        scale=sweeps.scale_of(found.terms.metrics[0]),
        width=width,
    )
    _save(figure, out)


@app.command("heat-map")
def heat_map(
    folders: Runs,
    out: Picture,
    data: options.Data = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="LABEL", help="Whose runs, if they are of several models."),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="What has the columns: attack, or codec, ...")
    ] = "attack",
    up_to: Annotated[
        float | None,
        typer.Option(
            "--up-to",
            metavar="PERCENT",
            help="EER at which colours end, the highest one if unset: one for pictures that are "
            "to be compared.",
        ),
    ] = None,
    width: Width = WIDTH,
) -> None:
    """Draw the EER of each attack, against all bona fide trials, under each condition.

    `spoofbench robustness` makes the runs, which are of one model.

    Example: `spoofbench plot heat-map runs/la-eval --model aasist -o attacks.png`
    """
    from spoofbench.pictures import heat_map, style, sweeps
    from spoofbench.robustness.reading import chosen
    from spoofbench.robustness.tables import measure

    style.check(out)
    found = _sweeps(folders, data, metric="eer", by=by)
    system = measure(chosen(found.swept, model), found.terms, uncertainty=None)
    figure = heat_map.figure_of(
        sweeps.cells(system, found.terms),
        caption=sweeps.caption_of(found.terms, label=system.label),
        up_to=None if up_to is None else up_to / 100,
        width=width,
    )
    _save(figure, out)


@app.command("speed")
def speed(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `speed --json` kept.")],
    out: Picture,
    width: Width = WIDTH,
) -> None:
    """Draw throughput and memory against the batch size.

    Example: `spoofbench plot speed speed.json -o speed.svg`
    """
    from spoofbench.pictures import speed as pictures
    from spoofbench.pictures import style
    from spoofbench.speed import report

    style.check(out)
    results = report.read_json(file)
    _save(pictures.figure_of(results, processor=report.processor_in(file), width=width), out)


def _sweeps(folders: list[Path], data: Path | None, *, metric: str, by: str = "") -> Sweeps:
    """Read the sweeps in these folders, to be judged by one metric."""
    from spoofbench.cli.progress import note
    from spoofbench.plugins import catalogue
    from spoofbench.robustness.reading import sweeps
    from spoofbench.runs import below
    from spoofbench.views import View

    view = View(metrics=(metric,), by=(by,) if by else ())
    chosen = [run for folder in folders for run in below(folder)]
    found = sweeps(chosen, catalogue(), data=data, view=view)
    for label in found.left_out:
        note(f"left out: {label}, which was scored on clean audio alone")
    return found


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
