"""Runs that differ by nothing but the seed of their training: how much of a result is luck."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from spoofbench.runs import RunRecord
from spoofbench.tables import ResultTable


def summed_up(table: ResultTable, records: Mapping[str, RunRecord]) -> ResultTable:
    """Return ``table`` with a note for each training that is in it with several seeds.

    ``records`` has the run behind each label. The note gives mean and standard deviation (that of a
    sample) of each metric over the seeds, and says that dev chose, if it did. Runs that differ by
    more than their seeds, or less, such as two checkpoints of one training, are not summed up.
    """
    alike: dict[tuple[object, ...], list[str]] = {}
    for label, record in records.items():
        if record.training and record.terms is not None:
            scored = (record.terms.precision, record.terms.device, record.terms.samples)
            alike.setdefault((record.training, record.condition, *scored), []).append(label)
    notes = [
        _note(table, labels, records)
        for labels in alike.values()
        if len({records[label].seed for label in labels}) == len(labels) > 1
    ]
    return replace(table, notes=(*table.notes, *notes)) if notes else table


def _note(table: ResultTable, labels: Sequence[str], records: Mapping[str, RunRecord]) -> str:
    pooled = {row.run: row.values for row in table.pooled()}
    parts = []
    for metric in table.metrics:
        values = [pooled[label][metric.name] for label in labels]
        unit = " %" if metric.percent else ""
        parts.append(f"{metric.title}{unit} {spread(values, percent=metric.percent)}")
    seeds = ", ".join(str(records[label].seed) for label in labels)
    flattered = any(records[label].chosen_by_eval for label in labels)
    return (
        f"{records[labels[0]].title}, seeds {seeds}: mean (standard deviation) of "
        f"{'; '.join(parts)}." + ("" if flattered else " Each was chosen by dev.")
    )


def spread(values: Sequence[float], *, percent: bool) -> str:
    """Return mean and standard deviation of ``values`` as text: ``1.23 (0.10)``."""
    factor, digits = (100, 2) if percent else (1, 4)
    mean, deviation = statistics.mean(values) * factor, statistics.stdev(values) * factor
    return f"{mean:.{digits}f} ({deviation:.{digits}f})"
