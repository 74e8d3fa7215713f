"""``spoofbench train``: weights by a recipe, chosen by a dev protocol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import options


def train(
    model: Annotated[str, typer.Argument(help="Name of a model, as in `spoofbench models`.")],
    on: Annotated[
        str, typer.Option("--train", metavar="PROTOCOL", help="Protocol to train on.")
    ] = "toy-train",
    dev: Annotated[
        str | None,
        typer.Option(
            "--dev",
            metavar="PROTOCOL",
            help="Protocol to choose by; the one that the train protocol names if not given.",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            metavar="NAME|FILE",
            help="One of the model's further recipes (`spoofbench models NAME`), or a TOML file "
            "that changes its own.",
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change one number of the recipe, such as `epochs=5`. May be repeated.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="WEIGHTS",
            help="Start from these weights: a name that `spoofbench models NAME` shows, or a file. "
            "Short for `--set start=...`.",
        ),
    ] = None,
    trackers: Annotated[
        list[str] | None,
        typer.Option(
            "--tracker",
            metavar="NAME",
            help="Log each epoch there too, as in `spoofbench trackers`. May be repeated.",
        ),
    ] = None,
    paper_selection: Annotated[
        bool,
        typer.Option(
            "--paper-selection",
            help="Let --dev be an eval protocol, as some papers choose. Every table says so.",
        ),
    ] = False,
    data: options.Data = None,
    limit: options.Limit = None,
    device: options.Device = "auto",
    precision: options.Precision = "fp32",
    batch_size: options.BatchSize = 8,
    workers: options.Workers = None,
    cache_dir: options.CacheDir = None,
    cache_limit: options.CacheLimit = 32.0,
    micro_batch: Annotated[
        int | None,
        typer.Option(
            "--micro-batch",
            metavar="N",
            min=1,
            help="Compute the gradients of N utterances at a time and add them up: less memory, "
            "the same batches (a batch norm sees N).",
        ),
    ] = None,
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Compile the model's loss with torch.compile: minutes at the start, faster steps "
            "for some models. Needs a C++ compiler on a processor.",
        ),
    ] = False,
    keep: Annotated[
        int,
        typer.Option(
            "--keep",
            metavar="K",
            min=1,
            help="Keep the checkpoints of the last K epochs, as epoch-0007.safetensors; with 1, "
            "only the last, from which training goes on.",
        ),
    ] = 1,
    checkpoint_every: Annotated[
        float,
        typer.Option(
            "--checkpoint-every",
            metavar="MINUTES",
            min=0,
            help="How much work a crash may lose: a checkpoint is written so often, and after "
            "each epoch.",
        ),
    ] = 10.0,
    seed: options.Seed = 1234,
    seeds: options.Seeds = 1,
    out: options.Out = Path("runs"),
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the plan with an estimated time, and stop. What the plan needs may be "
            "fetched or generated into the cache.",
        ),
    ] = False,
) -> None:
    """Train a model by its recipe, and keep the weights with the lowest dev EER.

    The recipe is the model's own, changed by what the train protocol says of its corpus, then by
    `--recipe`, then by `--set`. A training that was cut short goes on when the same command is
    given. Eval protocols are refused. (`--batch-size` is that of scoring dev; that of training is
    in the recipe.) Under `torchrun`, processes share each batch. SIGTERM and SIGUSR1 end it after a
    checkpoint.

    Example: `spoofbench train aasist --train la-train --data /corpora/LA --set epochs=5`
    """
    from spoofbench.cli.progress import note, voice_of
    from spoofbench.errors import InvalidRecipe
    from spoofbench.jobs import planning, preparing, training
    from spoofbench.jobs.job import Job
    from spoofbench.jobs.request import Request
    from spoofbench.plugins import catalogue
    from spoofbench.processes import joined
    from spoofbench.protocols import load
    from spoofbench.seeds import spread
    from spoofbench.training.recipe import change

    known = catalogue()
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
        micro_batch=micro_batch,
        trackers=tuple(trackers or ()),
        keep=keep,
        checkpoint_every=checkpoint_every,
        compiler="inductor" if compiled else "",
    )
    begun = {} if start is None else {"start": start}
    eers = []
    with joined() as processes:
        for own_seed in range(seed, seed + seeds):
            job = Job.of(replace(request, seed=own_seed), known, processes, voice_of(processes))
            chosen = load(on, known)
            chooser = dev or chosen.dev
            if not chooser:
                raise InvalidRecipe(
                    f"{chosen.name} names no dev protocol", hint="say it with --dev"
                )
            prepared = preparing.training_of(
                job,
                chosen,
                load(chooser, known),
                recipe_file=recipe,
                changes=change(changes or []) | begun,
                paper_selection=paper_selection,
            )
            if processes.is_first and own_seed == seed:
                for line in planning.training_plan(job, prepared):
                    note(line)
            if dry_run:
                return
            trained = training.train(job, prepared)
            if processes.is_first:
                typer.echo(trained.file)
                if trained.origin is not None:
                    eers.append(trained.origin.dev_eer)
    if len(eers) > 1:
        best = min(range(len(eers)), key=lambda place: eers[place])
        note(
            f"dev EER % of {len(eers)} seeds: mean (standard deviation) "
            f"{spread(eers, percent=True)}, best {100 * eers[best]:.2f} (seed {seed + best})"
        )
