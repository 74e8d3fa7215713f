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
Format = Annotated[
    str,
    typer.Option("--format", help="terminal, markdown, latex, csv, json, or a plugin's format."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random in training.")]
