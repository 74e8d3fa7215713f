"""Finished runs side by side, judged again from their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spoofbench import auditing, runs
from spoofbench.corpora import read_trials
from spoofbench.errors import CorpusNotFound, InvalidRun
from spoofbench.plugins import Catalogue
from spoofbench.rows import calibration_remark, flipped, judge
from spoofbench.seeds import summed_up
from spoofbench.tables import ResultTable, Row, result_table, unused, worst_first
from spoofbench.terms import Terms, terms_of
from spoofbench.views import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables that runs make, and why there is more than one."""

    tables: tuple[ResultTable, ...]
    reasons: tuple[str, ...]


def tabulate(
    folders: Sequence[Path],
    catalogue: Catalogue,
    *,
    data: Path | None = None,
    view: View | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Tables:
    """Judge finished runs again from their files, and put those on equal terms side by side.

    ``advance`` is called after each replicate of a bootstrap. Raises `InvalidRun` for a folder that
    is no finished run or whose corpus has changed.
    """
    from spoofbench import scores

    chosen = view or View()
    groups: dict[str, _Group] = {}
    for folder in auditing.with_shortcuts(folders, catalogue):
        record = runs.read(folder)
        if not runs.is_finished(folder):
            raise InvalidRun(f"{folder} has no {runs.SCORES}", hint="run again")
        if record.fingerprint not in groups:
            terms = terms_again(record, folder, catalogue, data)
            groups[record.fingerprint] = _Group(terms=as_seen(terms, chosen, catalogue))
        group = groups[record.fingerprint]
        group.records.append(record)
        terms, rows, stamps = group.terms, group.rows, group.stamps
        scored = scores.read(folder / runs.SCORES, terms.trials)
        label = unused(record.title, {row.run for row in rows})
        group.by_label[label] = record
        rows += judge(label, scored, terms, uncertainty=chosen.uncertainty, advance=advance)
        if flipped(scored):
            stamps.append(f"{label}: EER above 50 %: it ranks spoofs above bona fide")
        if record.chosen_by_eval:
            stamps.append(
                f"{label}: the weights, or some they come from, were chosen by "
                f"{record.chosen_by_eval}, an eval protocol (--paper-selection): flattered"
            )
        stamps += calibration_remark(label, scored, terms)
    made = []
    for group in groups.values():
        table = result_table(group.terms, group.rows, group.stamps, uncertainty=chosen.uncertainty)
        made.append(auditing.explained(summed_up(table, group.by_label), group.records, catalogue))
    return Tables(
        tables=tuple(worst_first(table) if chosen.worst_first else table for table in made),
        reasons=_differences([group.terms for group in groups.values()]),
    )


@dataclass(slots=True, kw_only=True)
class _Group:
    """Runs that share a table."""

    terms: Terms
    rows: list[Row] = field(default_factory=list)
    stamps: list[str] = field(default_factory=list)
    records: list[runs.RunRecord] = field(default_factory=list)
    by_label: dict[str, runs.RunRecord] = field(default_factory=dict)


def as_seen(terms: Terms, view: View, catalogue: Catalogue) -> Terms:
    """Return the terms with what the user wants to see instead of what the protocol says."""
    revised = view.revise(terms.protocol)
    if revised == terms.protocol:
        return terms
    return terms_of(revised, catalogue, terms.root, limit_to=terms.limit, available=terms.trials)


def terms_again(
    record: runs.RunRecord, folder: Path, catalogue: Catalogue, data: Path | None
) -> Terms:
    """Read again what the run in ``folder`` was judged by; its corpus lies in ``data`` if given.

    Raises `CorpusNotFound`, and `InvalidRun` where keys or metrics have changed since.
    """
    root = data or Path(record.corpus)
    if not root.is_dir():
        raise CorpusNotFound(
            f"{folder}: its corpus was in {root}, which is not there now",
            hint="say with --data where the key files are",
        )
    available = None
    if record.limit is not None:
        table = (folder / runs.SCORES).read_text(encoding="utf-8").splitlines()[1:]
        used = {line.split("\t", 1)[0] for line in table}
        everything = read_trials(record.protocol, catalogue, root)
        available = [trial for trial in everything if trial.utterance in used]
    terms = terms_of(record.protocol, catalogue, root, limit_to=record.limit, available=available)
    if terms.fingerprint != record.fingerprint:
        raise InvalidRun(
            f"{folder} was made on other terms (fingerprint {record.fingerprint[:12]}) than the "
            f"keys and metrics give now ({terms.fingerprint[:12]})",
            hint="the key files or the versions of the metrics have changed: run again",
        )
    return terms


def _differences(terms: Sequence[Terms]) -> tuple[str, ...]:
    """Say why tables beyond the first are apart from it."""
    reasons = []
    for other in terms[1:]:
        first = terms[0]
        if other.protocol.name != first.protocol.name:
            what = f"the protocols differ: {first.protocol.name} and {other.protocol.name}"
        elif len(other.trials) != len(first.trials) or other.limit != first.limit:
            what = f"the trials differ: {len(first.trials):,} and {len(other.trials):,}"
        elif other.metrics != first.metrics:
            what = "the metrics differ"
        elif other.protocol.report.by != first.protocol.report.by:
            what = "the groups differ"
        else:
            what = "the keys, the ASV scores or the costs differ"
        reasons.append(
            f"not in one table: {what} "
            f"(fingerprints {first.fingerprint[:12]} and {other.fingerprint[:12]})"
        )
    return tuple(reasons)
