"""Metrics on groups of trials: once as they are, and again under the weights of a bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spoofbench.contracts import Metric
from spoofbench.groups import Group, Places
from spoofbench.metrics.judged import JointScores, Judged
from spoofbench.specs import MetricSpec

if TYPE_CHECKING:
    from spoofbench.terms import Terms

Evaluate = Callable[[Judged], float]
Weights = NDArray[np.int64]
"""How often each trial of the protocol counts, ``(trials,)``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """The scores of one group, sorted once, and which trial each score is of.

    They are places in protocol order: ``bonafide`` and ``spoof`` in the order of the sorted scores
    of ``judged``, ``joint`` in that of its joint trials.
    """

    judged: Judged
    bonafide: Places
    spoof: Places
    joint: Places | None

    def reweighted(self, weights: Weights) -> Judged:
        """Return the group with each trial counted so often. Raises ValueError if a class is gone.

        ``weights`` are those of all trials, in protocol order.
        """
        return self.judged.reweighted(
            weights.take(self.bonafide),
            weights.take(self.spoof),
            None if self.joint is None else weights.take(self.joint),
        )


def cell_of(scores: NDArray[np.float64], group: Group, terms: Terms) -> Cell | None:
    """Return the scores of ``group`` among those of all trials; None if it lacks a class."""
    if not (group.bonafide.size and group.spoof.size):
        return None
    bonafide = group.bonafide[np.argsort(scores[group.bonafide])]
    spoof = group.spoof[np.argsort(scores[group.spoof])]
    return Cell(
        judged=Judged(
            bonafide=scores[bonafide],
            spoof=scores[spoof],
            asv=group.asv,
            costs=terms.costs,
            detection=terms.protocol.detection.costs(),
            joint=_joint_scores(scores, group),
        ),
        bonafide=bonafide,
        spoof=spoof,
        joint=None if group.joint is None else group.joint.place,
    )


def _joint_scores(scores: NDArray[np.float64], group: Group) -> JointScores | None:
    """Return the trials that both systems scored; None if the group lacks a kind of them."""
    if group.joint is None or np.unique(group.joint.kind).size < 3:
        return None
    return JointScores(kind=group.joint.kind, cm=scores[group.joint.place], asv=group.joint.asv)


def evaluators(metrics: Iterable[MetricSpec]) -> dict[str, Evaluate]:
    """Return what computes each metric under weights, by name."""
    return {spec.name: _evaluator(spec) for spec in metrics}


def _evaluator(spec: MetricSpec) -> Evaluate:
    metric: Metric = spec.resolve()
    if spec.weighted:
        return metric
    return lambda judged: metric(judged.repeated())


def value_of(evaluate: Evaluate, judged: Judged) -> float:
    """Return a metric, NaN where it cannot be computed: no such attack met the ASV system, ..."""
    try:
        return evaluate(judged)
    except ValueError:
        return math.nan


def as_they_are(cells: Sequence[Cell | None], evaluate: Sequence[Evaluate]) -> NDArray[np.float64]:
    """Return every metric of every cell, ``(cells, metrics)``; NaN for what cannot be computed."""
    values = [
        [math.nan if cell is None else value_of(one, cell.judged) for one in evaluate]
        for cell in cells
    ]
    return np.array(values, dtype=np.float64).reshape(len(cells), len(evaluate))


def under_weights(
    cells: Sequence[Cell | None],
    evaluate: Sequence[Evaluate],
    weights: Iterable[Weights],
    advance: Callable[[], None] = lambda: None,
) -> NDArray[np.float64]:
    """Return every metric of every cell under each of ``weights``: ``(weights, cells, metrics)``.

    What cannot be computed is NaN. ``advance`` is called after each of ``weights``.
    """
    rows = []
    for own in weights:
        rows.append([_values(cell, evaluate, own) for cell in cells])
        advance()
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(cells), len(evaluate))


def _values(cell: Cell | None, evaluate: Sequence[Evaluate], weights: Weights) -> list[float]:
    if cell is None:
        return [math.nan] * len(evaluate)
    try:
        judged = cell.reweighted(weights)
    except ValueError:
        return [math.nan] * len(evaluate)
    return [value_of(one, judged) for one in evaluate]
