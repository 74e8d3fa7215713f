"""From scores to the rows of a table: all trials, each group, the mean over groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidScores
from spoofbench.evaluation import Cell, Evaluate, as_they_are, cell_of, evaluators
from spoofbench.groups import Group, Places
from spoofbench.metrics.detection import eer_point
from spoofbench.metrics.judged import Judged
from spoofbench.scores import ScoreTable
from spoofbench.statistics.intervals import Interval
from spoofbench.tables import MEAN, Row
from spoofbench.terms import Terms
from spoofbench.uncertainty import Samples, Uncertainty, interval, sample


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
    if cells[0] is None:
        raise InvalidScores(
            f"{label}: all trials are of one class, and what is measured needs both",
            hint="judge more trials",
        )
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
    bonafide: int
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
                bonafide=groups[place].bonafide.size,
                spoof=groups[place].spoof.size,
            )
            for place in places
        ]
        members = tuple(p for p in places if groups[p].bonafide.size and groups[p].spoof.size)
        if by and members:
            lines.append(
                _Line(
                    group=groups[members[0]],
                    name=MEAN,
                    members=members,
                    bonafide=_together([groups[place].bonafide for place in members]),
                    spoof=_together([groups[place].spoof for place in members]),
                )
            )
    return lines


def _together(places: Sequence[Places]) -> int:
    """Count the trials of several groups, those that are in more than one of them once."""
    return int(np.unique(np.concatenate(places)).size)


def _row(label: str, line: _Line, values: Mapping[str, float]) -> Row:
    return Row(
        run=label,
        by=line.group.by,
        group=line.name,
        bonafide=line.bonafide,
        spoof=line.spoof,
        against="its own" if line.group.within else "all" if line.group.by else "",
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
