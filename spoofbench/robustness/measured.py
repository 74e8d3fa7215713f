"""What was measured of each trial under a condition: the file ``measured.tsv`` of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spoofbench import runs
from spoofbench.files import write_text
from spoofbench.trials import Trial

if TYPE_CHECKING:
    from spoofbench.batches import Notes  # which loads torch


UNDEFINED = "undefined"
"""The note of a trial that stayed as it was, since the level has no meaning for it."""


def write(notes: Mapping[str, Notes], trials: Sequence[Trial], folder: Path) -> None:
    """Write what was measured, a line for each trial in protocol order; nothing if nothing was."""
    if not notes:
        return
    named = dict.fromkeys(name for own in notes.values() for name in own)
    columns = sorted(named, key=lambda name: name.startswith(UNDEFINED))
    lines = ["\t".join(("utterance", *columns))]
    for trial in trials:
        own = notes.get(trial.utterance, {})
        lines.append("\t".join((trial.utterance, *(_text(own.get(name, "")) for name in columns))))
    write_text(folder / runs.MEASURED, "\n".join(lines) + "\n")


def read(folder: Path) -> dict[str, dict[str, str]]:
    """Return what was measured, by utterance and column, as text; nothing if nothing was."""
    file = folder / runs.MEASURED
    if not file.is_file():
        return {}
    header, *lines = file.read_text(encoding="utf-8").splitlines()
    columns = header.split("\t")
    rows = (dict(zip(columns, line.split("\t"), strict=True)) for line in lines)
    return {row.pop("utterance"): row for row in rows}


def _text(value: float | str) -> str:
    return " ".join(value.split()) if isinstance(value, str) else f"{value:.6g}"
