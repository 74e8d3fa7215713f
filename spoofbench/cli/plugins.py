"""``spoofbench plugins``: what is installed, and whether it keeps its contract."""

from __future__ import annotations

from typing import Annotated

import typer

from spoofbench.errors import BrokenPlugin

app = typer.Typer(help="List the plugins, and check that they keep their contracts.")

_SIGNS = {"holds": ("ok  ", "green"), "broken": ("FAIL", "red"), "not applicable": ("-   ", None)}


@app.callback(invoke_without_command=True)
def plugins(context: typer.Context) -> None:
    """List the plugins, what each offers, and those that could not be loaded and why."""
    from spoofbench.cli.listings import print_plugins

    if context.invoked_subcommand is None:
        print_plugins()


@app.command("check")
def check(
    name: Annotated[
        str,
        typer.Argument(
            help="A name on offer (as in `spoofbench models`), or that of a plugin or distribution."
        ),
    ],
) -> None:
    """Hold what is offered under a name against its contract, clause by clause.

    Says for each clause what was expected, what came, and what to do. Exit code 2 if one is broken.
    Models, augmentations, datasets, objectives, metrics, reporters and trackers have contracts.

    Example: `spoofbench plugins check aasist`
    """
    from spoofbench.plugins import catalogue
    from spoofbench.testing.kit import offers_called, verdicts

    broken = 0
    for kind, offer in offers_called(name, catalogue()):
        typer.echo(f"{kind} {offer.spec.name}, from {offer.plugin}")
        for verdict in verdicts(kind, offer):
            sign, colour = _SIGNS[verdict.outcome]
            typer.secho(f"  {sign}  {verdict.clause}", fg=colour)
            if verdict.said:
                typer.echo(f"        {verdict.said}")
            broken += verdict.outcome == "broken"
    if broken:
        raise BrokenPlugin(
            f"{broken} clauses of the contract are broken",
            hint="docs/reference/plugins.md says what each kind must do",
        )
