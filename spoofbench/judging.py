"""Judging score files: any program's scores against a protocol, without a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spoofbench import runs, scores
from spoofbench.errors import InvalidRun, InvalidScores
from spoofbench.rows import calibration_remark, flipped, judge
from spoofbench.runs import RunRecord
from spoofbench.score_files.formats import parse
from spoofbench.scores import Reading, ScoreTable
from spoofbench.tables import ResultTable, result_table, unused
from spoofbench.terms import Terms
from spoofbench.uncertainty import Uncertainty


def read(file: Path, terms: Terms, *, negate: bool | None, column: str | None = None) -> ScoreTable:
    """Read a score file; with ``negate``, higher meant more spoof in it.

    ``column`` says which column is the score, as in `formats.parse`. Raises `InvalidScores` for
    an EER above 50 %, unless ``negate`` says which way scores point.
    """
    return _read(file, terms, negate=negate, column=column).table


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A countermeasure as its scores show it: what tables call it, and what they must say of it."""

    label: str
    table: ScoreTable
    remarks: tuple[str, ...]


def systems_of(
    files: Sequence[Path],
    terms: Terms,
    *,
    negate: bool | None,
    column: str | None = None,
    note: Callable[[str], None] = lambda text: None,  # noqa: ARG005
) -> tuple[System, ...]:
    """Read score files and run folders of one protocol.

    A file is called by its name without the ending, a run by its label; those that are called alike
    are numbered. ``negate`` and ``column`` are for score files; of runs both are known. ``note`` is
    told the format of each file, and what else was found in reading it.
    Raises `InvalidScores`, and `InvalidRun` for a folder that is no finished run of all trials.
    """
    systems: list[System] = []
    for file in files:
        own = file.is_dir()
        label, scores_file = _run(file, terms) if own else (file.stem, file)
        label = unused(label, [system.label for system in systems])
        turned = False if own else negate
        reading = _read(scores_file, terms, negate=turned, column=None if own else column)
        for remark in found_in(reading):
            note(f"{label}: {remark}")
        remarks = (
            *_remarks(label, reading.table, negate=turned),
            *calibration_remark(label, reading.table, terms),
        )
        systems.append(System(label=label, table=reading.table, remarks=remarks))
    return tuple(systems)


def _run(folder: Path, terms: Terms) -> tuple[str, Path]:
    """Return the label and the score file of a run of the protocol."""
    record = runs.read(folder)
    if not runs.is_finished(folder):
        raise InvalidRun(f"{folder} has no {runs.SCORES}", hint="run again")
    if record.protocol.name != terms.protocol.name:
        raise InvalidRun(
            f"{folder} is a run of {record.protocol.name}, not of {terms.protocol.name}",
            hint=f"say --protocol {record.protocol.name}",
        )
    if record.limit is not None and terms.limit is None:
        raise InvalidRun(
            f"{folder} was made with --limit {record.limit}: it is no result of "
            f"{record.protocol.name}",
            hint="run without --limit",
        )
    return record.title, folder / runs.SCORES


def table_of(
    systems: Sequence[System],
    terms: Terms,
    *,
    uncertainty: Uncertainty | None = None,
    advance: Callable[[], None] = lambda: None,
) -> ResultTable:
    """Judge systems side by side; ``advance`` is called after each replicate of a bootstrap."""
    rows = [
        row
        for system in systems
        for row in judge(
            system.label, system.table, terms, uncertainty=uncertainty, advance=advance
        )
    ]
    stamps = [remark for system in systems for remark in system.remarks]
    return result_table(terms, rows, stamps, uncertainty=uncertainty)


def found_in(reading: Reading) -> list[str]:
    """Say which format a score file has, and what of it was passed over or spelt otherwise."""
    remarks = [reading.found.format]
    if reading.left_out:
        remarks.append(
            f"{reading.left_out:,} scores of trials that the protocol leaves out (other subsets) "
            "were not used"
        )
    if reading.respelt:
        remarks.append(
            f"{reading.respelt:,} utterances are spelt otherwise than in the protocol (a folder, "
            "an audio ending, a prefix)"
        )
    return remarks


def _read(file: Path, terms: Terms, *, negate: bool | None, column: str | None) -> Reading:
    found = parse(file, column=column)
    reading = scores.match(found, terms.trials, left_out=terms.left_out)
    if negate:
        return replace(reading, table=reading.table.negated())
    if negate is None and flipped(reading.table):
        raise InvalidScores(
            f"{file}: the EER is above 50 %, so its scores rank spoofs above bona fide: "
            "the sign is flipped, or the keys were swapped",
            hint="--negate turns the scores round; --no-negate takes them as they are",
        )
    return reading


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
    name = re.sub(r"[/\\]", "-", label)
    if name in ("", ".", ".."):
        raise InvalidRun(f"'{label}' names no folder", hint="give the score file another name")
    folder = out / terms.protocol.name / name
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
