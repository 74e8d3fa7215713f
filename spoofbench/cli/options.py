"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder of the protocol's corpus; else `SPOOFBENCH_DATA`/corpus, else the settings.",
    ),
]
Protocol = Annotated[
    str,
    typer.Option(
        "--protocol",
        help="Name of a protocol, path of a .toml file, csv:FILE or folder:DIR.",
    ),
]
Negate = Annotated[
    bool | None,
    typer.Option(
        "--negate/--no-negate",
        help="Turn the scores round (higher = spoof in the file), or take them as they are "
        "even if the EER is above 50 %.",
        show_default=False,
    ),
]
Out = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Workspace: the folder that holds all runs.")
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        help="Use only N trials, half of each class, from the audio that is there. "
        "For trying things out: every table says so.",
    ),
]
Device = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps: where the model computes.")
]
Precision = Annotated[
    str, typer.Option("--precision", help="fp32, bf16 or fp16. Only fp32 scores are comparable.")
]
BatchSize = Annotated[
    int, typer.Option("--batch-size", min=1, help="Utterances that are scored at once.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        help="Processes that read audio; as many as suit the machine if unset.",
    ),
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir",
        metavar="DIR",
        help="Keep decoded audio in this folder, memory-mapped: for all workers, for other "
        "processes and later runs. It is decoded once.",
    ),
]
CacheLimit = Annotated[
    float,
    typer.Option(
        "--cache-limit",
        metavar="GB",
        min=0,
        help="Most that --cache-dir may take; what was not used for longest goes first. A second "
        "of audio at 16 kHz takes 64 kB.",
    ),
]
Format = Annotated[
    str,
    typer.Option("--format", help="terminal, markdown, latex, csv, json, or a plugin's format."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random in training.")]

Seeds = Annotated[
    int,
    typer.Option(
        "--seeds",
        metavar="N",
        min=1,
        help="Train N times, with as many seeds from --seed on; say mean and standard deviation.",
    ),
]
Metrics = Annotated[
    str,
    typer.Option(
        "--metrics",
        metavar="NAMES",
        help="Metrics instead of the protocol's, as in `spoofbench metrics`: eer,min-dcf,cllr.",
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="COLUMNS",
        help="Columns of the key file that results are broken down by, instead of the protocol's: "
        "attack,speaker; with an x between two for a matrix: 'attack x codec'; or none.",
    ),
]
WorstFirst = Annotated[
    bool, typer.Option("--worst-first", help="Order groups by the first metric, the worst on top.")
]
Ci = Annotated[
    str,
    typer.Option(
        "--ci",
        metavar="UNIT",
        help="Give every number its interval, by a bootstrap that draws trial, speaker, attack or "
        "speaker+attack. Trials of one speaker resemble one another: speaker is the honest choice "
        "where speakers are known.",
    ),
]
CiLevel = Annotated[
    float | None,
    typer.Option("--ci-level", metavar="SHARE", help="How sure the intervals are; 0.95 if unset."),
]
CiMethod = Annotated[
    str | None,
    typer.Option("--ci-method", metavar="NAME", help="percentile (if unset), or bca (Efron 1987)."),
]
Replicates = Annotated[
    int | None,
    typer.Option("--replicates", min=1, help="How often the bootstrap draws; 1000 if unset."),
]
CiSeed = Annotated[
    int | None, typer.Option("--ci-seed", min=0, help="Seed of the bootstrap; 0 if unset.")
]
Threshold = Annotated[
    str,
    typer.Option(
        "--threshold",
        metavar="NUMBER|FILE",
        help="Where the countermeasure works: a score, or the file that calibrate or fuse wrote, "
        "which holds for the scores written with it. "
        "Adds what it costs there: balanced accuracy and both error rates.",
    ),
]
Column = Annotated[
    str | None,
    typer.Option(
        "--column",
        metavar="NAME|N",
        help="Which column of the file is the score: its name, or its number from 1 on; two with a "
        "minus between, such as 4-3, for the fourth less the third.",
    ),
]
