"""``spoofbench plugin``: begin a plugin of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Begin a plugin of your own.")


@app.callback()
def plugin() -> None:
    """Begin a plugin of your own."""


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="What it is called, such as `my-detector`.")],
    kind: Annotated[
        str,
        typer.Option(help="model, augmentation, dataset, objective, metric, reporter or tracker."),
    ] = "model",
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write it; a new folder of that name if unset."),
    ] = None,
) -> None:
    """Write a project that can be installed, runs, and keeps its contract: a place to begin.

    Example: `spoofbench plugin new my-detector --kind model`
    """
    from spoofbench.scaffolding.project import write_project

    target = folder or Path(name)
    for file in write_project(name, kind, target):
        typer.echo(target / file)
    typer.echo(f"next: pip install -e {target} && spoofbench plugins check {name}", err=True)
