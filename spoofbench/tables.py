"""Tables of results: rows of numbers under a protocol's title, counts and stamps."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from spoofbench.specs import MetricSpec
from spoofbench.statistics.intervals import Interval
from spoofbench.statistics.paired import Placing
from spoofbench.terms import Terms
from spoofbench.uncertainty import Uncertainty

if TYPE_CHECKING:
    import pandas as pd

MEAN = "mean"
"""The group whose numbers are the means over the groups before it; not what pooling gives."""


Against = Literal["all", "its own", ""]


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
    against: Against = ""
    """Which bona fide trials the group's spoofs stand against, where that needs saying."""
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


def unused(label: str, taken: Collection[str]) -> str:
    """Return ``label``, with a number where it is ``taken``."""
    number = 2
    unique = label
    while unique in taken:
        unique, number = f"{label} ({number})", number + 1
    return unique
