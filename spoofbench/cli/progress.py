"""Progress of long work: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import typer

from spoofbench.contracts import Progress
from spoofbench.jobs.request import Voice

if TYPE_CHECKING:
    from spoofbench.processes import Processes

LINE_EVERY = 15.0
"""Seconds between two lines in a log file."""


def note(text: str) -> None:
    """Tell the user something beside the results: on standard error."""
    typer.echo(text, err=True)


def silent(done: int, total: int) -> None:
    """Show nothing."""


@contextmanager
def shown(what: str, unit: str) -> Iterator[Progress]:
    """Show how far ``what`` is, its rate in ``unit`` per second, and the time left."""
    if sys.stderr.isatty():
        with _bar(what, unit) as progress:
            yield progress
    else:
        yield _Lines(what, unit)


@contextmanager
def _bar(what: str, unit: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")
        started = time.perf_counter()

        def progress(done: int, total: int) -> None:
            rate = done / max(time.perf_counter() - started, 1e-9)
            bar.update(task, completed=done, total=total, rate=f"{rate:.1f} {unit}/s")

        yield progress


class _Lines:
    """Writes a line when enough time has passed, and one at the end."""

    def __init__(self, what: str, unit: str) -> None:
        self.what = what
        self.unit = unit
        self.started = self.last = time.perf_counter()

    def __call__(self, done: int, total: int) -> None:
        now = time.perf_counter()
        if done < total and now - self.last < LINE_EVERY:
            return
        self.last = now
        rate = done / max(now - self.started, 1e-9)
        left = (total - done) / max(rate, 1e-9)
        note(f"{self.what}: {done:,} of {total:,}, {rate:.1f} {self.unit}/s, {left:.0f} s left")


def voice_of(processes: Processes) -> Voice:
    """Return the voice of a process: only the first one speaks to the user."""
    if processes.is_first:
        return Voice(note=note, progress=shown)
    return Voice(
        note=lambda text: None,  # noqa: ARG005
        progress=lambda what, unit: nullcontext(silent),  # noqa: ARG005
    )
