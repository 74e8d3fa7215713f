"""How much of a result a shortcut could explain: models that hear nothing else, beside real ones.

A shortcut is anything but the voice that tells the classes of a corpus apart: silence, level, band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spoofbench import runs
from spoofbench.errors import InvalidSettings
from spoofbench.plugins import Catalogue
from spoofbench.runs import CLEAN, RunRecord
from spoofbench.specs import ModelSpec
from spoofbench.tables import ResultTable, Row

EER = "eer"
CHANCE = 0.5


def shortcuts(catalogue: Catalogue) -> dict[str, ModelSpec]:
    """Return the models on offer that hear a shortcut and nothing else, by name."""
    specs = (catalogue.models.get(name).spec for name in catalogue.models.names())
    return {spec.name: spec for spec in specs if spec.shortcut}


def check_there_are_any(catalogue: Catalogue) -> None:
    """Raise `InvalidSettings` unless a plugin offers a shortcut."""
    if not shortcuts(catalogue):
        raise InvalidSettings(
            "no plugin offers a shortcut model", hint="is the plugin 'shortcuts' blocked?"
        )


def with_shortcuts(folders: Sequence[Path], catalogue: Catalogue) -> list[Path]:
    """Return ``folders`` and, for protocols that ask for it, the shortcuts' runs beside them."""
    known = shortcuts(catalogue)
    asking = {}
    for folder in folders:
        record = runs.read(folder)
        if record.protocol.report.audit and record.condition == CLEAN:
            asking[folder.parent, record.fingerprint] = folder
    given = {folder.resolve() for folder in folders}
    found = [
        beside
        for folder in asking.values()
        for beside in comparable(folder)
        if beside.resolve() not in given and _model_of(runs.read(beside)) in known
    ]
    return [*folders, *found]


def comparable(run: Path) -> list[Path]:
    """Return the finished runs beside ``run`` that may share a table with it, on audio as it is."""
    fingerprint = runs.read(run).fingerprint
    folders = [file.parent for file in sorted(run.parent.glob(f"*/{runs.RECORD}"))]
    records = [(folder, runs.read(folder)) for folder in folders if runs.is_finished(folder)]
    return [
        folder
        for folder, record in records
        if record.fingerprint == fingerprint and record.condition == CLEAN
    ]


def explained(
    table: ResultTable, records: Sequence[RunRecord], catalogue: Catalogue
) -> ResultTable:
    """Return ``table`` with words on how much of its results a shortcut could explain.

    ``records`` are those of its runs, in order. A table that asks for shortcuts and has none says
    so; one without shortcuts stays as it is.
    """
    known = shortcuts(catalogue)
    pooled = table.pooled()
    if EER not in {metric.name for metric in table.metrics}:
        return table
    heard, judged = [], []
    for row, record in zip(pooled, records, strict=True):
        name = _model_of(record)
        if name in known:
            heard.append(_Heard(row=row, hears=known[name].shortcut))
        elif record.condition == CLEAN:
            judged.append(row)
    if heard:
        return replace(table, notes=(*table.notes, *_words(heard, judged)))
    protocol = records[0].protocol
    if protocol.report.audit:
        stamp = f"shortcuts were not measured: spoofbench audit --protocol {protocol.name}"
        return replace(table, stamps=(*table.stamps, stamp))
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """The row of a shortcut, and what it hears."""

    row: Row
    hears: str

    @property
    def eer(self) -> float:
        """Its pooled EER, a fraction."""
        return self.row.values[EER]


def _model_of(record: RunRecord) -> str:
    """Return the name of the model that made the run; empty for scores from elsewhere."""
    return record.terms.model.name if record.terms is not None else ""


def _words(heard: Sequence[_Heard], judged: Sequence[Row]) -> list[str]:
    ordered = sorted(heard, key=lambda one: one.eer)
    lines = [f"shortcut: {one.row.run}, {_eer(one.row)}, {_verdict(one)}" for one in ordered]
    strongest = ordered[0]
    return [*lines, *(_compared(row, strongest) for row in judged)]


def _verdict(one: _Heard) -> str:
    """Say what the EER of a shortcut means; by its interval, where it has one."""
    interval = one.row.intervals.get(EER)
    low, high = (interval.low, interval.high) if interval else (one.eer, one.eer)
    if high < CHANCE:
        return f"hears only {one.hears}: that alone tells the classes apart so far"
    if low > CHANCE:
        return f"hears only {one.hears}: what held in training is the other way about here"
    return f"hears only {one.hears}: here that says nothing of the class"


def _compared(row: Row, strongest: _Heard) -> str:
    """Say how much of a model's result the strongest shortcut could explain."""
    own, alone = row.values[EER], min(strongest.eer, CHANCE)
    if own >= CHANCE:
        return f"{row.run}: {_eer(row)}, no better than chance: there is nothing to explain"
    if own >= alone:
        return (
            f"{row.run}: {_eer(row)}, no better than {strongest.row.run}: nothing here shows that "
            "it hears more than that"
        )
    share = (CHANCE - alone) / (CHANCE - own)
    return (
        f"{row.run}: {_eer(row)}; of the way from chance (50 %) to there, {strongest.row.run} goes "
        f"{100 * share:.0f} % by itself: so much could be explained without the voice, which does "
        "not show that the model does it that way"
    )


def _eer(row: Row) -> str:
    interval = row.intervals.get(EER)
    ends = f" [{100 * interval.low:.2f}, {100 * interval.high:.2f}]" if interval else ""
    return f"EER {100 * row.values[EER]:.2f} %{ends}"
