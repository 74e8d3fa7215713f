"""Throughput and memory against the batch size, a line for each subject of a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spoofbench.errors import InvalidRun
from spoofbench.pictures import style
from spoofbench.pictures.drawn import Caption
from spoofbench.speed.measuring import Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 2.2
"""Inches of height of the axes, their labels included."""


def figure_of(results: Sequence[Measured], *, processor: str, width: float = style.WIDTH) -> Figure:
    """Draw the cases with the most threads and the longest input, on logarithmic axes.

    Raises `InvalidRun` where no subject was measured at two batch sizes.
    """
    lines = lines_of(results)
    if not any(len(line) > 1 for line in lines.values()):
        raise InvalidRun(
            "no subject was measured at two batch sizes", hint="spoofbench speed --batch 1,8,32"
        )
    case = next(iter(lines.values()))[0].case
    caption = Caption(
        title="Speed and memory against the batch",
        trials=f"{case.threads} threads, {case.samples:,} samples; {processor}",
    )
    with style.styled():
        key = style.Key(list(lines), width=width)
        figure = style.canvas(caption, key, width=width, height=HEIGHT)
        speed, memory = figure.subplots(1, 2)
        handles = []
        for number, line in enumerate(lines.values()):
            look = style.look(number)
            batches = [result.case.batch for result in line]
            for axes, values in (
                (speed, [result.throughput for result in line]),
                (memory, [max(result.peak_bytes) / 1e9 for result in line]),
            ):
                (handle,) = axes.plot(
                    batches,
                    values,
                    color=look.colour,
                    linestyle=look.dashes,
                    marker=look.marker,
                    markersize=4,
                )
            handles.append(handle)
        _labelled(speed, "utterances per second")
        _labelled(memory, "peak memory, GB")
        style.finish(figure, key, handles)
    return figure


def lines_of(results: Sequence[Measured]) -> dict[str, list[Measured]]:
    """Return the cases of each subject and precision by rising batch, named for the legend."""
    measured = [result for result in results if result.calls]
    if not measured:
        return {}
    threads = max(result.case.threads for result in measured)
    samples = max(result.case.samples for result in measured)
    found: dict[str, list[Measured]] = {}
    for result in sorted(measured, key=lambda result: result.case.batch):
        case = result.case
        if (case.threads, case.samples) == (threads, samples):
            name = f"{case.subject.rpartition('/')[2]}, {case.precision}"
            found.setdefault(name, []).append(result)
    return found


def _labelled(axes: Axes, what: str) -> None:
    from matplotlib.ticker import LogLocator

    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("batch")
    axes.set_ylabel(what)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # values may lie within a decade
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.grid(visible=True)
