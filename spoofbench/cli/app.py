"""The program: its commands, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from traceback import format_exception
from typing import Annotated

import typer

from spoofbench.cli import (
    audit,
    augment,
    calibrate,
    compare,
    data,
    doctor,
    fuse,
    listings,
    plot,
    plugin,
    plugins,
    robustness,
    run,
    score,
    speed,
    table,
    train,
)
from spoofbench.cli.wanted import DEBUG
from spoofbench.errors import SpoofbenchError

INTERRUPTED = 130

app = typer.Typer(
    name="spoofbench",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # with markup, --help takes twice as long
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("robustness")(robustness.robustness)
app.command("augment")(augment.augment)
app.command("train")(train.train)
app.command("score")(score.score)
app.command("doctor")(doctor.doctor)
app.command("compare")(compare.compare)
app.command("table")(table.table)
app.command("audit")(audit.audit)
app.command("speed")(speed.speed)
app.command("calibrate")(calibrate.calibrate)
app.command("fuse")(fuse.fuse)
app.add_typer(data.app, name="data")
app.add_typer(plot.app, name="plot")
app.add_typer(plugins.app, name="plugins")
app.add_typer(plugin.app, name="plugin")
listings.add_to(app)


@app.callback(invoke_without_command=True)
def about(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Also say where in the code an error was raised, and why a plugin is not loaded.",
        ),
    ] = False,
) -> None:
    """Benchmark speech anti-spoofing: protocols, models, metrics, and tables that compare.

    Start with `spoofbench run aasist`, which trains the reference model on the generated protocol
    `toy` and prints its table.
    """
    DEBUG.set(debug)
    if version:
        from spoofbench import __version__

        typer.echo(f"spoofbench {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the program.

    Exit codes: 0; 2 for what the user can fix; 1, with a traceback, for a bug; 130 for Ctrl-C.
    """
    try:
        app()
    except SpoofbenchError as error:
        if DEBUG.get():
            typer.echo("".join(format_exception(error)), err=True)
        _complain(error)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # what typer makes of Ctrl-C, without a word
            typer.secho(
                "\ninterrupted: give the same command again to go on", fg="yellow", err=True
            )
        raise


def _complain(error: SpoofbenchError) -> None:
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(str(error), err=True)
    if error.hint:
        first, *others = error.hint.splitlines()
        typer.secho("hint:  ", fg="cyan", err=True, nl=False)
        typer.echo("\n       ".join([first, *others]), err=True)
