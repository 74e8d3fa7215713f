"""``spoofbench run``: the whole job, from a name to a table."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import options


def run(
    model: Annotated[
        str,
        typer.Argument(
            help="Name of a model, as in `spoofbench models`; or a detector that needs no plugin: "
            "`onnx:FILE`, `torchscript:FILE`, `python:MODULE:NAME`, `command:PROGRAM`, "
            "`scores:FILE`, with options behind commas: "
            "`onnx:a.onnx,samples=64600,logit=1,sign=-,rate=16000`."
        ),
    ],
    protocol: Annotated[
        str, typer.Option("--protocol", help="Name of a protocol, or path of a .toml file.")
    ] = "toy",
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="FILE|official",
            help="A checkpoint (.pth, .safetensors), or the published one by its name. Without: "
            "those trained before in this workspace, else the model is trained first.",
        ),
    ] = None,
    data: options.Data = None,
    limit: options.Limit = None,
    device: options.Device = "auto",
    precision: options.Precision = "fp32",
    batch_size: options.BatchSize = 8,
    workers: options.Workers = None,
    cache_dir: options.CacheDir = None,
    cache_limit: options.CacheLimit = 32.0,
    seed: options.Seed = 1234,
    seeds: options.Seeds = 1,
    out: options.Out = Path("runs"),
    ci: options.Ci = "",
    output: options.Format = "terminal",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the plan with an estimated time, and stop. What the plan needs may be "
            "fetched or generated into the cache.",
        ),
    ] = False,
) -> None:
    """Judge a model by a protocol: find the corpus and the weights, score, print the table.

    What was done before is not done again, and a run that was cut short goes on when the same
    command is given. Under `torchrun --nproc-per-node N -m spoofbench` the scoring is shared.

    Example: `spoofbench run aasist` trains on the generated protocol `toy`, and judges the result.

    Example: `spoofbench run aasist --seeds 3` trains and judges three, and says how they differ.

    Example: `spoofbench run aasist --protocol la-eval --weights official --data /corpora/LA`
    """
    from spoofbench.cli.progress import note, voice_of
    from spoofbench.cli.reports import reporter
    from spoofbench.cli.score import score
    from spoofbench.cli.viewing import advancing, uncertainty_of, view_of
    from spoofbench.errors import InvalidSettings, MissingExtra
    from spoofbench.jobs import choosing, planning, scoring, training
    from spoofbench.jobs.job import Job
    from spoofbench.jobs.preparing import Training
    from spoofbench.jobs.request import Request
    from spoofbench.jobs.shortcuts import run_shortcuts
    from spoofbench.plugins import catalogue
    from spoofbench.processes import joined
    from spoofbench.protocols import load
    from spoofbench.tabulating import tabulate

    if model.startswith("scores:"):
        score(
            [Path(model.removeprefix("scores:"))],
            protocol,
            data=data,
            ci=ci,
            output=output,
            out=out,
        )
        return
    known = catalogue()
    write = reporter(output, known)
    view = view_of(uncertainty=uncertainty_of(ci))
    request = Request(
        model=model,
        data=data,
        out=out,
        limit=limit,
        device=device,
        precision=precision,
        batch_size=batch_size,
        workers=workers,
        cache_dir=cache_dir,
        cache_limit=cache_limit,
        seed=seed,
    )
    folders = []
    with joined() as processes:
        voice = voice_of(processes)
        chosen = load(protocol, known)
        for own_seed in range(seed, seed + seeds):
            job = Job.of(replace(request, seed=own_seed), known, processes, voice)
            terms = job.terms(chosen)
            found = choosing.chosen_weights(job, weights, chosen, this_seed=seeds > 1)
            if seeds > 1 and not isinstance(found, Training) and weights is not None:
                raise InvalidSettings(
                    "--seeds trains, and --weights names weights that are trained already",
                    hint="leave out one of them",
                )
            if processes.is_first and (dry_run or isinstance(found, Training)):
                for line in planning.run_plan(job, terms, found):
                    note(line)
            if dry_run:
                continue
            folder = scoring.score(job, terms, training.trained(job, found))
            if folder is not None:
                folders.append(folder)
        if dry_run:
            return
        if chosen.report.audit and limit is None and processes.count == 1:
            try:
                run_shortcuts(request, chosen, known, processes, voice)
            except MissingExtra as error:
                note(f"no shortcut audit: {error} ({error.hint})")
    if folders:
        with advancing(view.uncertainty, len(folders)) as advance:
            made = tabulate(folders, known, data=data, view=view, advance=advance)
        write(made.tables, sys.stdout)
        for folder in folders:
            note(f"run folder: {folder}")
