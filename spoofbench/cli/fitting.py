"""Options that ``calibrate`` and ``fuse`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DevProtocol = Annotated[
    str | None,
    typer.Option(
        "--dev-protocol",
        metavar="NAME",
        help="Protocol of the dev scores; the one that --protocol states as its dev if unset.",
    ),
]
DevData = Annotated[
    Path | None,
    typer.Option(
        "--dev-data",
        metavar="DIR",
        help="Folder of the dev protocol's corpus, if it is another one.",
    ),
]
PSpoof = Annotated[
    float | None,
    typer.Option("--p-spoof", help="Prior of spoofs where decisions are made; 0.05 if unset."),
]
CMiss = Annotated[
    float | None,
    typer.Option("--c-miss", help="Cost of rejecting bona fide speech; 1 if unset."),
]
CFa = Annotated[
    float | None, typer.Option("--c-fa", help="Cost of accepting a spoof; 10 if unset.")
]
Ridge = Annotated[
    float | None,
    typer.Option(
        "--ridge", help="Hold logistic weights down by this much; 0 if unset, 0.01 is gentle."
    ),
]
