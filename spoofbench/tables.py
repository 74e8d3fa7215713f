"""From scores to tables: runs on equal terms side by side, pooled and by group."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spoofbench import asv, fingerprint, runs
from spoofbench.corpora import read_parts, read_trials
from spoofbench.errors import CorpusNotFound, InvalidProtocol, InvalidRun, InvalidScores
from spoofbench.evaluation import Cell, Evaluate, as_they_are, cell_of, evaluators
from spoofbench.groups import Group, groups_of
from spoofbench.metrics.detection import eer_point
from spoofbench.metrics.judged import AsvScores, Judged, TandemCosts
from spoofbench.plugins import Catalogue
from spoofbench.protocols import Protocol
from spoofbench.scores import ScoreTable
from spoofbench.specs import MetricSpec
from spoofbench.statistics.intervals import Interval
from spoofbench.statistics.paired import Placing
from spoofbench.trials import Trial, limit
from spoofbench.uncertainty import Samples, Uncertainty, interval, sample
from spoofbench.views import View

if TYPE_CHECKING:
    import pandas as pd

MEAN = "mean"
"""The group whose numbers are the means over the groups before it; not what pooling gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run judged on one group of trials.

    ``by`` is the column that makes the group, empty for `POOLED`. A metric that cannot be computed
    on the group is NaN.
    """

    run: str
    by: str
    group: str
    bonafide: int
    spoof: int
    values: Mapping[str, float]
    within: bool = False
    """The group's spoofs stand against its own bona fide trials, not against all."""
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    """Where each metric lies by the bootstrap, if that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Where each run stands by one metric, and how sure that is.

    ``leaders`` are the best runs of the rank groups, that of group 1 first. ``placings`` are called
    by the runs' labels. Differences are those to the best run.
    """

    metric: MetricSpec
    alpha: float
    leaders: tuple[str, ...]
    placings: Mapping[str, Placing]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTable:
    """Runs that may be compared: one protocol, one fingerprint, the same metrics."""

    title: str
    fingerprint: str
    bonafide: int
    spoof: int
    stamps: tuple[str, ...]
    """What every rendering must say: no human speech, limited, flipped, ..."""
    metrics: tuple[MetricSpec, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """How the numbers are to be read: what intervals they have, what they take scores for."""
    ranking: Ranking | None = None
    """Where each run stands, if they were compared."""

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs' labels, in order."""
        return tuple(dict.fromkeys(row.run for row in self.rows))

    def pooled(self) -> list[Row]:
        """Return the pooled row of each run."""
        return [row for row in self.rows if not row.by]

    def groups(self) -> dict[str, list[Row]]:
        """Return the other rows by the column that makes the groups."""
        columns = dict.fromkeys(row.by for row in self.rows if row.by)
        return {by: [row for row in self.rows if row.by == by] for by in columns}

    def frame(self) -> pd.DataFrame:
        """Return the rows as a frame, a column for each metric; metrics are fractions and costs."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "run": row.run,
                    "by": row.by,
                    "group": row.group,
                    "bonafide": row.bonafide,
                    "spoof": row.spoof,
                    **row.values,
                    **_ends(row),
                    **_standing(row, self.ranking),
                }
                for row in self.rows
            ]
        )


def _standing(row: Row, ranking: Ranking | None) -> dict[str, float]:
    """Return where the run of a pooled row stands."""
    if ranking is None or row.by:
        return {}
    placing = ranking.placings[row.run]
    return {
        "rank_group": placing.group,
        "difference": placing.difference.value,
        "difference_low": placing.difference.interval.low,
        "difference_high": placing.difference.interval.high,
        "p": placing.difference.p_value,
        "p_holm": placing.adjusted,
    }


def _ends(row: Row) -> dict[str, float]:
    """Return the ends of the intervals, called by the metric and the end."""
    ends: dict[str, float] = {}
    for name, own in row.intervals.items():
        ends |= {f"{name}_low": own.low, f"{name}_high": own.high}
    return ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms scores are judged: the protocol with everything that it points to."""

    protocol: Protocol
    root: Path
    trials: tuple[Trial, ...]
    metrics: tuple[MetricSpec, ...]
    asv: AsvScores | None
    costs: TandemCosts | None
    groups: tuple[Group, ...]
    left_out: frozenset[str]
    """Utterances of other subsets, which the key file lists and the protocol leaves out."""
    fingerprint: str
    limit: int | None


def terms_of(
    protocol: Protocol,
    catalogue: Catalogue,
    root: Path,
    *,
    limit_to: int | None = None,
    available: Sequence[Trial] | None = None,
) -> Terms:
    """Read everything that judging by ``protocol`` needs, but no audio.

    ``limit_to`` takes so many trials, of ``available`` ones if given (a partial corpus). Raises
    `InvalidProtocol` for a tandem metric without an ASV system.
    """
    left_out: frozenset[str] = frozenset()
    if available is None:
        parts = read_parts(protocol, catalogue, root)
        available = parts.chosen
        left_out = frozenset(trial.utterance for trial in parts.left_out)
    trials = tuple(available if limit_to is None else limit(available, limit_to))
    metrics = tuple(catalogue.metrics.get(name).spec for name in protocol.report.metrics)
    scores = asv.of(protocol, root)
    for metric in metrics:
        _check_needs(metric, protocol, scores)
    joint = any(metric.needs_joint for metric in metrics)
    return Terms(
        protocol=protocol,
        root=root,
        trials=trials,
        metrics=metrics,
        asv=scores,
        costs=asv.costs_of(protocol.tandem) if protocol.tandem else None,
        groups=groups_of(trials, protocol.report.by, scores, joint=joint),
        left_out=left_out,
        fingerprint=fingerprint.of(protocol, trials, metrics, root),
        limit=limit_to,
    )


def _check_needs(metric: MetricSpec, protocol: Protocol, scores: AsvScores | None) -> None:
    if metric.needs_asv and scores is None:
        raise InvalidProtocol(
            f"{protocol.name}: {metric.name} needs an ASV system, and there is no [tandem]",
            hint="add a [tandem] table to the protocol, or leave the metric out",
        )
    if metric.needs_joint and (scores is None or scores.utterances is None):
        raise InvalidProtocol(
            f"{protocol.name}: {metric.name} needs the ASV score of each trial by its utterance",
            hint="name an ASV score file in [tandem] whose columns have the utterance, or leave "
            "the metric out",
        )


def judge(
    label: str,
    table: ScoreTable,
    terms: Terms,
    *,
    uncertainty: Uncertainty | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Judge one run: a pooled row, then each group, then the groups' mean.

    With ``uncertainty`` every number gets its interval; ``advance`` is called after each replicate.
    Raises `InvalidScores` if a metric cannot be computed on all trials.
    """
    evaluate = evaluators(terms.metrics)
    cells = [cell_of(table.scores, group, terms) for group in terms.groups]
    values = as_they_are(cells, list(evaluate.values()))
    if cells[0] is not None:
        _check_pooled(label, cells[0], evaluate, values[0])
    lines = _lines(terms.groups)
    rows = [_row(label, line, dict(zip(evaluate, line.of(values), strict=True))) for line in lines]
    if uncertainty is None:
        return rows
    samples = sample(cells, list(evaluate.values()), terms.trials, uncertainty, advance)
    return [
        replace(
            row,
            intervals=_intervals(
                row,
                line.of(samples.drawn),
                None if samples.left is None else line.of(samples.left),
                samples,
                uncertainty,
            ),
        )
        for row, line in zip(rows, lines, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """What one row shows: a group, or the mean over several. ``members`` are their places."""

    group: Group
    name: str
    members: tuple[int, ...]
    spoof: int

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the line's metrics ``(..., metrics)`` from the groups' ``(..., groups, metrics)``.

        A mean leaves nothing out: it is NaN where a metric of a group is.
        """
        chosen = values[..., self.members, :]
        return np.asarray(chosen.mean(axis=-2), dtype=np.float64)


def _lines(groups: Sequence[Group]) -> list[_Line]:
    """Return the rows of a table: the groups, and after those of a column their mean."""
    lines = []
    for by in dict.fromkeys(group.by for group in groups):
        places = [place for place, group in enumerate(groups) if group.by == by]
        lines += [
            _Line(
                group=groups[place],
                name=groups[place].name,
                members=(place,),
                spoof=groups[place].spoof.size,
            )
            for place in places
        ]
        members = tuple(p for p in places if groups[p].bonafide.size and groups[p].spoof.size)
        if by and members:
            spoof = sum(groups[place].spoof.size for place in members)
            group = groups[members[0]]
            lines.append(_Line(group=group, name=MEAN, members=members, spoof=spoof))
    return lines


def _row(label: str, line: _Line, values: Mapping[str, float]) -> Row:
    return Row(
        run=label,
        by=line.group.by,
        group=line.name,
        bonafide=line.group.bonafide.size,
        spoof=line.spoof,
        within=line.group.within,
        values={name: float(value) for name, value in values.items()},
    )


def interval_of(
    row: Row, cell: int, samples: Samples, uncertainty: Uncertainty
) -> dict[str, Interval]:
    """Return the intervals of the metrics of ``row``, which is the cell of that number."""
    left = None if samples.left is None else samples.left[:, cell]
    return _intervals(row, samples.drawn[:, cell], left, samples, uncertainty)


def _intervals(
    row: Row,
    drawn: NDArray[np.float64],
    left: NDArray[np.float64] | None,
    samples: Samples,
    uncertainty: Uncertainty,
) -> dict[str, Interval]:
    """Return the intervals from what was ``drawn`` ``(replicates, metrics)``."""
    found = {}
    for place, (name, value) in enumerate(row.values.items()):
        own = None if left is None else left[:, place]
        made = interval(value, drawn[:, place], own, samples, uncertainty)
        if made is not None:
            found[name] = made
    return found


def _check_pooled(
    label: str, cell: Cell, evaluate: Mapping[str, Evaluate], values: NDArray[np.float64]
) -> None:
    """Raise `InvalidScores` for a metric that cannot be computed on all trials, and say why."""
    for (name, metric), value in zip(evaluate.items(), values, strict=True):
        if math.isnan(value):
            try:
                metric(cell.judged)
            except ValueError as error:
                raise InvalidScores(f"{label}: {name}: {error}") from error


def flipped(table: ScoreTable) -> bool:
    """Say whether the scores rank spoofs above bona fide: an EER above one half."""
    bonafide, spoof = table.scores[table.bonafide], table.scores[~table.bonafide]
    return bool(len(bonafide) and len(spoof)) and eer_point(bonafide, spoof).eer > 0.5


def result_table(
    terms: Terms,
    rows: Sequence[Row],
    stamps: Sequence[str] = (),
    *,
    uncertainty: Uncertainty | None = None,
) -> ResultTable:
    """Put judged rows under the protocol's title, counts and stamps."""
    bonafide = sum(trial.bonafide for trial in terms.trials)
    said = [terms.protocol.stamp] if terms.protocol.stamp else []
    if terms.limit is not None:
        count = terms.protocol.trial_count
        of = f" of {count:,}" if count else ""
        said.append(
            f"limited: {len(terms.trials):,}{of} trials (--limit), not a result of this protocol"
        )
    return ResultTable(
        title=f"{terms.protocol.title} ({terms.protocol.name})",
        fingerprint=terms.fingerprint,
        bonafide=bonafide,
        spoof=len(terms.trials) - bonafide,
        stamps=(*said, *stamps),
        metrics=terms.metrics,
        rows=tuple(rows),
        notes=_notes(terms, uncertainty),
    )


def _notes(terms: Terms, uncertainty: Uncertainty | None) -> tuple[str, ...]:
    notes = [str(uncertainty)] if uncertainty is not None else []
    if (threshold := terms.protocol.detection.threshold) is not None:
        notes.append(f"threshold {threshold:g}: a score of that or more is accepted")
    if llr := [metric.title for metric in terms.metrics if metric.needs_llr]:
        notes.append(f"{', '.join(llr)}: scores are read as log-likelihood ratios (natural log)")
    return tuple(notes)


def calibration_remark(label: str, table: ScoreTable, terms: Terms) -> list[str]:
    """Say so if a metric reads scores as log-likelihood ratios that they clearly are not."""
    from spoofbench.metrics.calibration_quality import cllr

    bonafide, spoof = table.scores[table.bonafide], table.scores[~table.bonafide]
    if not any(metric.needs_llr for metric in terms.metrics) or not len(bonafide) * len(spoof):
        return []
    value = cllr(Judged(bonafide=bonafide, spoof=spoof))
    if value < 1:
        return []
    return [
        f"{label}: the scores are no log-likelihood ratios (Cllr {value:.2f} bits; knowing nothing "
        "costs 1): calibrate them on a dev protocol first, see `spoofbench calibrate`"
    ]


def worst_first(table: ResultTable) -> ResultTable:
    """Return ``table`` with the groups of each column ordered by its first metric, worst first.

    It is that of the first run which counts; groups without a number come last, before the mean.
    """
    metric = table.metrics[0]
    sign = 1 if metric.higher_is_better else -1
    badness = {
        (row.by, row.group): sign * row.values[metric.name]
        for row in reversed(table.rows)
        if row.group != MEAN
    }

    def place(row: Row) -> tuple[int, bool, float]:
        value = badness.get((row.by, row.group), math.nan)
        last = 0 if not row.by else columns.index(row.by) * 2 + 1 + (row.group == MEAN)
        return last, math.isnan(value), 0.0 if math.isnan(value) else value

    columns = list(dict.fromkeys(row.by for row in table.rows))
    ordered = [r for run in table.runs for r in sorted(_of_run(table, run), key=place)]
    return replace(table, rows=tuple(ordered))


def _of_run(table: ResultTable, run: str) -> list[Row]:
    return [row for row in table.rows if row.run == run]


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
    groups: dict[str, tuple[Terms, list[Row], list[str]]] = {}
    for folder in folders:
        record = runs.read(folder)
        if not runs.is_finished(folder):
            raise InvalidRun(f"{folder} has no {runs.SCORES}", hint="run again")
        if record.fingerprint not in groups:
            terms = _terms_again(record, folder, catalogue, data)
            groups[record.fingerprint] = (_as_seen(terms, chosen, catalogue), [], [])
        terms, rows, stamps = groups[record.fingerprint]
        table = scores.read(folder / runs.SCORES, terms.trials)
        label = unused(record.label, {row.run for row in rows})
        rows += judge(label, table, terms, uncertainty=chosen.uncertainty, advance=advance)
        if flipped(table):
            stamps.append(f"{label}: EER above 50 %: it ranks spoofs above bona fide")
        stamps += calibration_remark(label, table, terms)
    made = [
        result_table(terms, rows, stamps, uncertainty=chosen.uncertainty)
        for terms, rows, stamps in groups.values()
    ]
    return Tables(
        tables=tuple(worst_first(table) if chosen.worst_first else table for table in made),
        reasons=_differences([terms for terms, _, _ in groups.values()]),
    )


def _as_seen(terms: Terms, view: View, catalogue: Catalogue) -> Terms:
    """Return the terms with what the user wants to see instead of what the protocol says."""
    revised = view.revise(terms.protocol)
    if revised == terms.protocol:
        return terms
    return terms_of(revised, catalogue, terms.root, limit_to=terms.limit, available=terms.trials)


def _terms_again(
    record: runs.RunRecord, folder: Path, catalogue: Catalogue, data: Path | None
) -> Terms:
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


def unused(label: str, taken: Collection[str]) -> str:
    """Return ``label``, with a number where it is ``taken``."""
    number = 2
    unique = label
    while unique in taken:
        unique, number = f"{label} ({number})", number + 1
    return unique
