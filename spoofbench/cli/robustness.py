"""``spoofbench robustness``: how much worse a model gets under noise, codecs, overlap, rooms."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from spoofbench.cli import options

DEFAULT_MODEL = "aasist"
DEFAULT_PROTOCOL = "toy"


def robustness(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL...]", help="Models, as in `spoofbench models`."),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option("--protocol", help="Name of a protocol, or path of a .toml file."),
    ] = DEFAULT_PROTOCOL,
    noise: Annotated[
        str,
        typer.Option(
            "--noise",
            metavar="NAMES|DIR",
            help="babble, white, pink, brown, hum, or folders of recordings; several by commas.",
        ),
    ] = "",
    snr: Annotated[
        str, typer.Option("--snr", metavar="DB,...", help="Levels of --noise; the usual if unset.")
    ] = "",
    codec: Annotated[
        str, typer.Option("--codec", metavar="NAME[@KBIT],...", help="opus@16,g711-alaw,mp3@64.")
    ] = "",
    overlap: Annotated[
        str,
        typer.Option(
            "--overlap",
            metavar="SIR[@SHARE],...",
            help="One other talker: dB, and over how much of the time (%): 10,5@50.",
        ),
    ] = "",
    reverb: Annotated[
        str, typer.Option("--reverb", metavar="RT60,...|DIR", help="Seconds, or measured rooms.")
    ] = "",
    channel: Annotated[
        str,
        typer.Option("--channel", metavar="NAME@LEVEL,...", help="band-limit@3400,packet-loss@5."),
    ] = "",
    time: Annotated[
        str, typer.Option("--time", metavar="NAME@LEVEL,...", help="speed@1.1,trim-silence@40.")
    ] = "",
    chain: Annotated[
        list[str] | None,
        typer.Option(
            "--chain", metavar="CONDITION", help="Any condition, steps joined by ' + '; repeatable."
        ),
    ] = None,
    sweep: Annotated[
        str, typer.Option("--sweep", metavar="NAME|FILE.toml", help="core, noise or telephony.")
    ] = "",
    apply_to: Annotated[
        Literal["both", "bonafide", "spoof"],
        typer.Option("--apply-to", help="Whose audio is changed: one class alone shows shortcuts."),
    ] = "both",
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights", metavar="FILE|official", help="As for `run`: trained if there are none."
        ),
    ] = None,
    data: options.Data = None,
    limit: options.Limit = None,
    metrics: options.Metrics = "",
    ci: options.Ci = "",
    replicates: options.Replicates = None,
    device: options.Device = "auto",
    precision: options.Precision = "fp32",
    batch_size: options.BatchSize = 8,
    workers: options.Workers = None,
    cache_dir: options.CacheDir = None,
    cache_limit: options.CacheLimit = 32.0,
    seed: options.Seed = 1234,
    out: options.Out = Path("runs"),
    output: options.Format = "terminal",
) -> None:
    """Judge models under each condition of a sweep, beside clean audio.

    Every model hears the same audio under a condition. Each (condition, trial) is kept as soon as
    it is scored: give the same command again after an interruption, and add conditions at will.
    `spoofbench augmentations` lists what there is. With nothing asked for, the sweep `core` is run.

    Example: `spoofbench robustness --noise babble`

    Example: `spoofbench robustness aasist-l --protocol la-eval --weights official --sweep core`
    """
    from spoofbench.cli.progress import note, voice_of
    from spoofbench.cli.reports import reporter
    from spoofbench.cli.viewing import advancing, uncertainty_of, view_of
    from spoofbench.jobs import sweeping
    from spoofbench.jobs.request import Request
    from spoofbench.plugins import catalogue
    from spoofbench.processes import joined
    from spoofbench.protocols import load
    from spoofbench.robustness import asked, tables
    from spoofbench.tabulating import as_seen

    known = catalogue()
    write = reporter(output, known)
    chosen = models or [DEFAULT_MODEL]
    conditions = asked.conditions(
        asked.Asked(
            noise=noise,
            snr=snr,
            codec=codec,
            overlap=overlap,
            reverb=reverb,
            channel=channel,
            time=time,
            chains=tuple(chain or ()),
            sweep=sweep,
            apply_to=apply_to,
        ),
        known,
    )
    uncertainty = uncertainty_of(ci, replicates=replicates)
    view = view_of(metrics=metrics, uncertainty=uncertainty)
    requests = [
        Request(
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
        for model in chosen
    ]
    for name in (*chosen, *view.metrics):
        (known.models if name in chosen else known.metrics).get(name)
    with joined() as processes:
        if processes.is_first:
            note(f"{', '.join(chosen)} on {protocol}, {len(conditions)} conditions, clean included")
        done = [
            sweeping.sweep(
                request,
                load(protocol, known),
                conditions,
                weights=weights,
                catalogue=known,
                processes=processes,
                voice=voice_of(processes),
            )
            for request in requests
        ]
        if not processes.is_first:
            return
    terms = as_seen(done[0].terms, view, known)
    with advancing(uncertainty, len(done)) as advance:
        systems = [
            tables.measure(each.swept, terms, uncertainty=uncertainty, advance=advance)
            for each in done
        ]
    made = tables.tables_of(systems, terms, uncertainty=uncertainty)
    made += tables.overlap_tables([each.swept for each in done], terms)
    write(made, sys.stdout)
    note(f"run folders: {done[0].swept.folders[0].parent}")
