"""From scores to tables: runs on equal terms side by side, pooled and by group."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spoofbench import asv, fingerprint, runs
from spoofbench.contracts import Metric
from spoofbench.corpora import read_trials
from spoofbench.errors import CorpusNotFound, InvalidProtocol, InvalidRun, InvalidScores
from spoofbench.metrics.detection import eer_point
from spoofbench.metrics.judged import AsvRates, AsvScores, Judged, TandemCosts
from spoofbench.plugins import Catalogue
from spoofbench.protocols import Protocol
from spoofbench.scores import ScoreTable
from spoofbench.specs import MetricSpec
from spoofbench.trials import Trial, limit

if TYPE_CHECKING:
    import pandas as pd

POOLED = "pooled"
"""The group of all trials."""
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
                }
                for row in self.rows
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms scores are judged: the protocol with everything that it points to."""

    protocol: Protocol
    root: Path
    trials: tuple[Trial, ...]
    metrics: tuple[MetricSpec, ...]
    asv: AsvScores | None
    costs: TandemCosts | None
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
    trials = available if available is not None else read_trials(protocol, catalogue, root)
    if limit_to is not None:
        trials = limit(trials, limit_to)
    metrics = tuple(catalogue.metrics.get(name).spec for name in protocol.report.metrics)
    for metric in metrics:
        if metric.needs_asv and protocol.tandem is None:
            raise InvalidProtocol(
                f"{protocol.name}: {metric.name} needs an ASV system, and there is no [tandem]",
                hint="add a [tandem] table to the protocol, or leave the metric out",
            )
    return Terms(
        protocol=protocol,
        root=root,
        trials=tuple(trials),
        metrics=metrics,
        asv=asv.of(protocol, root),
        costs=asv.costs_of(protocol.tandem) if protocol.tandem else None,
        fingerprint=fingerprint.of(protocol, trials, metrics, root),
        limit=limit_to,
    )


def judge(label: str, table: ScoreTable, terms: Terms) -> list[Row]:
    """Judge one run: a pooled row, then each group against all bona fide, then the groups' mean."""
    metrics = {spec.name: spec.resolve() for spec in terms.metrics}
    bonafide = table.scores[table.bonafide]
    spoof = table.scores[~table.bonafide]
    rows = [_row(label, "", POOLED, bonafide, spoof, metrics, terms)]
    for by in terms.protocol.report.by:
        groups = table.column(by)[~table.bonafide]
        own = [
            _row(label, by, str(g), bonafide, spoof[groups == g], metrics, terms)
            for g in np.unique(groups)
        ]
        rows += [*own, _mean(own)] if own else []
    return rows


def flipped(table: ScoreTable) -> bool:
    """Say whether the scores rank spoofs above bona fide: an EER above one half."""
    bonafide, spoof = table.scores[table.bonafide], table.scores[~table.bonafide]
    return bool(len(bonafide) and len(spoof)) and eer_point(bonafide, spoof).eer > 0.5


def result_table(terms: Terms, rows: Sequence[Row], stamps: Sequence[str] = ()) -> ResultTable:
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
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables that runs make, and why there is more than one."""

    tables: tuple[ResultTable, ...]
    reasons: tuple[str, ...]


def tabulate(folders: Sequence[Path], catalogue: Catalogue, *, data: Path | None = None) -> Tables:
    """Judge finished runs again from their files, and put those on equal terms side by side.

    Raises `InvalidRun` for a folder that is no finished run or whose corpus has changed.
    """
    from spoofbench import scores

    groups: dict[str, tuple[Terms, list[Row], list[str]]] = {}
    for folder in folders:
        record = runs.read(folder)
        if not runs.is_finished(folder):
            raise InvalidRun(f"{folder} has no {runs.SCORES}", hint="run again")
        if record.fingerprint not in groups:
            groups[record.fingerprint] = (_terms_again(record, folder, catalogue, data), [], [])
        terms, rows, stamps = groups[record.fingerprint]
        table = scores.read(folder / runs.SCORES, terms.trials)
        label = unused(record.label, {row.run for row in rows})
        rows += judge(label, table, terms)
        if flipped(table):
            stamps.append(f"{label}: EER above 50 %: it ranks spoofs above bona fide")
    made = tuple(result_table(terms, rows, stamps) for terms, rows, stamps in groups.values())
    return Tables(tables=made, reasons=_differences([terms for terms, _, _ in groups.values()]))


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


def _row(
    label: str,
    by: str,
    group: str,
    bonafide: NDArray[np.float64],
    spoof: NDArray[np.float64],
    metrics: Mapping[str, Metric],
    terms: Terms,
) -> Row:
    values = dict.fromkeys(metrics, math.nan)
    if len(bonafide) and len(spoof):
        judged = Judged(
            bonafide=bonafide,
            spoof=spoof,
            asv=_asv_rates(terms, group if by == "attack" else None),
            costs=terms.costs,
        )
        for name, metric in metrics.items():
            try:
                values[name] = metric(judged)
            except ValueError as error:  # such as the t-DCF of an attack that the ASV never accepts
                if not by:
                    raise InvalidScores(f"{label}: {name}: {error}") from error
    return Row(
        run=label, by=by, group=group, bonafide=len(bonafide), spoof=len(spoof), values=values
    )


def _asv_rates(terms: Terms, attack: str | None) -> AsvRates | None:
    """Return the rates of the ASV system, None if there is none or it never met ``attack``."""
    if terms.asv is None or (attack is not None and attack not in terms.asv.attack):
        return None
    return terms.asv.rates(attack)


def _mean(rows: Sequence[Row]) -> Row:
    return Row(
        run=rows[0].run,
        by=rows[0].by,
        group=MEAN,
        bonafide=rows[0].bonafide,
        spoof=sum(row.spoof for row in rows),
        values={n: float(np.mean([r.values[n] for r in rows])) for n in rows[0].values},
    )


def unused(label: str, taken: Collection[str]) -> str:
    """Return ``label``, with a number where it is ``taken``."""
    number = 2
    unique = label
    while unique in taken:
        unique, number = f"{label} ({number})", number + 1
    return unique
