"""``spoofbench augment``: a recording as a model hears it under a condition."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import options


def augment(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    condition: Annotated[
        str, typer.Option("--condition", help="What is done to it, such as babble@5.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="What to write: .wav or .flac.")
    ],
    protocol: Annotated[
        str,
        typer.Option("--protocol", help="Whose speakers are mixed in (babble, overlap); or none."),
    ] = "",
    data: options.Data = None,
    seed: options.Seed = 1234,
) -> None:
    """Write a recording as it is under a condition, for listening.

    Example: `spoofbench augment speech.wav --condition 'opus@8 + white@10' -o out.wav`
    """
    from spoofbench.cli.progress import note
    from spoofbench.plugins import catalogue
    from spoofbench.robustness.listening import write_changed

    known = catalogue()
    for name, value in write_changed(
        file, condition, out, known, protocol=protocol, data=data, seed=seed
    ).items():
        note(f"{name}: {value if isinstance(value, str) else format(value, '.6g')}")
    note(f"wrote {out}")
