"""What is on offer: ``spoofbench models`` and its siblings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from spoofbench.cli.wanted import DEBUG
from spoofbench.specs import MetricSpec, ModelSpec, ObjectiveSpec, Spec


def add_to(app: typer.Typer) -> None:
    """Add the listing commands to ``app``."""
    for command in (
        models,
        protocols,
        datasets,
        augmentations,
        objectives,
        metrics,
        reporters,
        trackers,
    ):
        app.command(command.__name__)(command)


def models(
    name: Annotated[
        str | None, typer.Argument(help="Show one model: size, sources, published figures.")
    ] = None,
) -> None:
    """List the models: what `run` and `train` take.

    With a name, say all that its spec says: parameters, weights, recipe, what was published.
    """
    if name is None:
        _print_shelf("models", ("input", "weights"), _model_details)
    else:
        _print_model(name)


def _print_model(name: str) -> None:
    from spoofbench.plugins import catalogue

    offer = catalogue().models.get(name)
    spec = offer.spec
    length = f"{spec.samples:,} samples" if spec.samples else "whole"
    rows = [
        ("what it is", spec.summary),
        ("from", str(offer.plugin)),
        ("input", f"{length}, {spec.sample_rate / 1000:g} kHz"),
        ("parameters", f"{spec.parameters:,}" if spec.parameters else "-"),
        ("recipe", spec.recipe or "-"),
        ("further recipes", ", ".join(spec.named_recipes()) or "-"),
        ("source", spec.source or "-"),
    ]
    rows += [
        (f"weights '{c.name}'", f"{c.url} ({c.size:,} bytes, {c.licence})")
        for c in spec.checkpoints
    ]
    rows += [
        (
            f"published {figure.metric} on {figure.protocol}",
            f"{figure.value:g} ({', '.join(filter(None, (figure.source, figure.note)))})",
        )
        for figure in spec.figures
    ]
    print_table((spec.name, ""), rows)


def protocols() -> None:
    """List the protocols: what `--protocol` takes."""
    _print_shelf("protocols", ("also called",), _protocol_details)


def datasets() -> None:
    """List the readers that turn key files into trials: what `reader` takes in a protocol file."""
    _print_shelf("datasets")


def augmentations() -> None:
    """List the augmentations, with unit and usual levels, and how each is written."""
    from spoofbench.plugins import catalogue
    from spoofbench.robustness.conditions import example

    rows = []
    for offer in catalogue().augmentations:
        spec = offer.spec
        levels = ", ".join(f"{level:g}" for level in spec.levels)
        more = "".join(f"; then {name} ({default:g})" for name, default in spec.options)
        unit = f"{spec.unit}{more}" or "-"
        origin = f"{offer.plugin.distribution} {offer.plugin.version}"
        rows.append((spec.name, spec.family, unit, levels or "-", example(spec), origin))
    print_table(("name", "family", "unit", "levels", "example", "from"), rows)
    _print_problems()


def objectives() -> None:
    """List the objectives: what `objective` and `added` take in a recipe."""
    _print_shelf("objectives", ("judges", "options"), _objective_details)


def metrics() -> None:
    """List the metrics: what `metrics` takes in a protocol file."""
    _print_shelf("metrics", ("version",), _metric_details)


def reporters() -> None:
    """List the output formats: what `--format` takes."""
    _print_shelf("reporters")


def trackers() -> None:
    """List the trackers: what `train --tracker` takes."""
    _print_shelf("trackers")


def print_plugins() -> None:
    """Print the plugins, what each offers, and those that could not be loaded and why."""
    from spoofbench.plugins import catalogue

    everything = catalogue()
    offers = [(shelf.kind, offer) for shelf in everything.shelves() for offer in shelf]
    print_table(
        ("plugin", "distribution", "version", "offers"),
        [
            (
                plugin.name,
                plugin.distribution,
                plugin.version,
                ", ".join(f"{kind} {o.spec.name}" for kind, o in offers if o.plugin == plugin),
            )
            for plugin in everything.plugins
        ],
    )
    for plugin in everything.blocked:
        typer.echo(f"blocked by the settings: {plugin}")
    _print_problems()


def _print_shelf(
    kind: str,
    headings: Sequence[str] = (),
    details: Callable[[Spec], Sequence[str]] = lambda spec: (),  # noqa: ARG005
) -> None:
    from spoofbench.plugins import Shelf, catalogue

    shelf: Shelf[Spec] = getattr(catalogue(), kind)
    rows = [
        (
            offer.spec.name,
            offer.spec.summary,
            *details(offer.spec),
            f"{offer.plugin.distribution} {offer.plugin.version}"
            + (" (disputed)" if shelf.is_disputed(offer.spec.name) else ""),
        )
        for offer in shelf
    ]
    if rows:
        print_table(("name", "what it is", *headings, "from"), rows)
    else:
        typer.echo(f"no plugin offers {kind}")
    _print_problems()


def _model_details(spec: Spec) -> Sequence[str]:
    assert isinstance(spec, ModelSpec)  # noqa: S101 - the shelf holds nothing else
    length = f"{spec.samples / spec.sample_rate:.2f} s" if spec.samples else "whole"
    return (length, ", ".join(c.name for c in spec.checkpoints) or "-")


def _protocol_details(spec: Spec) -> Sequence[str]:
    return (", ".join(getattr(spec, "aliases", ())) or "-",)


def _objective_details(spec: Spec) -> Sequence[str]:
    assert isinstance(spec, ObjectiveSpec)  # noqa: S101
    options = ", ".join(f"{name} {default:g}" for name, default in spec.options)
    return ("yes" if spec.judges else "no", options or "-")


def _metric_details(spec: Spec) -> Sequence[str]:
    assert isinstance(spec, MetricSpec)  # noqa: S101
    return (str(spec.version),)


def _print_problems() -> None:
    from spoofbench.plugins import catalogue

    for problem in catalogue().problems:
        typer.secho(f"not loaded: {problem}", fg="yellow", err=True)
        if DEBUG.get() and problem.traceback:
            typer.echo(problem.traceback, err=True)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print ``rows`` of text under ``headings``."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, heading in enumerate(headings):
        # The first is a name, to be typed; nothing is cut.
        table.add_column(heading, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)
