"""``spoofbench compare``: which of several systems are better, and which cannot be told apart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import options

REPLICATES = 2_000
"""More than for intervals: p-values are corrected for the number of systems."""


def compare(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Score files, or run folders: two or more."),
    ],
    protocol: options.Protocol,
    data: options.Data = None,
    rank_by: Annotated[
        str,
        typer.Option(
            "--rank-by", metavar="METRIC", help="What ranks the systems; the first metric if unset."
        ),
    ] = "",
    metrics: options.Metrics = "",
    threshold: options.Threshold = "",
    ci: Annotated[
        str,
        typer.Option(
            "--ci",
            metavar="UNIT",
            help="What the bootstrap draws: trial, speaker, attack or speaker+attack. Speakers if "
            "unset, where they are known.",
        ),
    ] = "",
    ci_level: options.CiLevel = None,
    ci_method: options.CiMethod = None,
    replicates: options.Replicates = None,
    ci_seed: options.CiSeed = None,
    negate: options.Negate = None,
    column: options.Column = None,
    output: options.Format = "terminal",
) -> None:
    """Rank systems on the same trials, with intervals, p-values and rank groups.

    Every system is measured on the same resamples, so what makes trials hard cancels in the
    differences. Each is tested against the best one, with Holm's correction. Systems of one rank
    group cannot be told from its best on these trials.

    Example: `spoofbench compare a.txt b.txt --protocol la-eval --data /corpora/LA`
    """
    from spoofbench import comparing, judging
    from spoofbench.cli.progress import note
    from spoofbench.cli.reports import reporter
    from spoofbench.cli.viewing import advancing, bootstrap_of, view_of
    from spoofbench.corpora import root_of
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load
    from spoofbench.terms import terms_of

    known = catalogue()
    write = reporter(output, known)
    chosen = view_of(metrics=metrics, threshold=threshold).revise(load(protocol, known))
    terms = terms_of(chosen, known, root_of(chosen, known, data=data))
    uncertainty = comparing.enough(
        bootstrap_of(
            ci or comparing.best_unit(terms),
            level=ci_level,
            method=ci_method,
            replicates=replicates or REPLICATES,
            seed=ci_seed,
        ),
        systems=len(files),
    )
    ranked_by = comparing.ranking_metric(rank_by, terms)
    systems = judging.systems_of(files, terms, negate=negate, column=column, note=note)
    with advancing(uncertainty, 1) as advance:
        table = comparing.compare(systems, terms, uncertainty, rank_by=ranked_by, advance=advance)
    write([table], sys.stdout)
