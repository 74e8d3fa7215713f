"""Judging score files: any program's scores against a protocol, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spoofbench import runs, scores
from spoofbench.errors import InvalidRun, InvalidScores
from spoofbench.runs import RunRecord
from spoofbench.scores import ScoreTable
from spoofbench.tables import ResultTable, Terms, flipped, judge, result_table, unused


def read(file: Path, terms: Terms, *, negate: bool | None) -> ScoreTable:
    """Read a score file; with ``negate``, higher meant more spoof in it.

    Raises `InvalidScores` for an EER above 50 %, unless ``negate`` says which way scores point.
    """
    table = scores.read(file, terms.trials)
    if negate:
        return table.negated()
    if negate is None and flipped(table):
        raise InvalidScores(
            f"{file}: the EER is above 50 %, so its scores rank spoofs above bona fide: "
            "the sign is flipped, or the keys were swapped",
            hint="--negate turns the scores round; --no-negate takes them as they are",
        )
    return table


def table_of(files: Sequence[Path], terms: Terms, *, negate: bool | None) -> ResultTable:
    """Judge score files of one protocol side by side, called by `labels`."""
    rows, stamps = [], []
    for file, label in zip(files, labels(files), strict=True):
        table = read(file, terms, negate=negate)
        rows += judge(label, table, terms)
        stamps += _remarks(label, table, negate=negate)
    return result_table(terms, rows, stamps)


def labels(files: Sequence[Path]) -> list[str]:
    """Call each file by its name without the ending; number those that are called alike."""
    chosen: list[str] = []
    for file in files:
        chosen.append(unused(file.stem, chosen))
    return chosen


def keep(table: ScoreTable, label: str, terms: Terms, out: Path) -> Path:
    """Write foreign scores into a run folder, so that ``spoofbench table`` can use them.

    Raises `InvalidRun` if there is a run of that label.
    """
    folder = out / terms.protocol.name / label
    if runs.is_finished(folder):
        raise InvalidRun(
            f"{folder} is a run already", hint="remove it, or give the score file another name"
        )
    record = RunRecord(
        label=label,
        terms=None,
        protocol=terms.protocol,
        fingerprint=terms.fingerprint,
        corpus=str(terms.root.resolve()),
        trials=len(terms.trials),
        arguments=runs.arguments(),
        versions=runs.versions(),
        finished=runs.now(),
    )
    scores.write(table, folder / runs.SCORES)
    runs.write(record, folder)
    return folder


def _remarks(label: str, table: ScoreTable, *, negate: bool | None) -> list[str]:
    from spoofbench.metrics.ties import distinct

    remarks = []
    if negate:
        remarks.append(f"{label}: scores negated (--negate)")
    elif flipped(table):
        remarks.append(f"{label}: EER above 50 %: it ranks spoofs above bona fide")
    if (values := distinct(table.scores)) < len(table.scores) / 10:
        remarks.append(
            f"{label}: only {values:,} distinct scores for {len(table.scores):,} trials; ties are "
            "merged, and the EER is as coarse as they are"
        )
    return remarks
