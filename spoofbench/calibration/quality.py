"""Before and after: what a calibration or a fusion did to scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from spoofbench import tables
from spoofbench.errors import InvalidScores
from spoofbench.groups import POOLED
from spoofbench.metrics.judged import DetectionCosts, Judged
from spoofbench.plugins import Catalogue
from spoofbench.scores import ScoreTable
from spoofbench.specs import MetricSpec
from spoofbench.tables import ResultTable, Row
from spoofbench.terms import Terms

QUALITY = ("eer", "min-dcf", "act-dcf", "cllr", "min-cllr")
"""The metrics that say what a calibration did."""


def quality_metrics(catalogue: Catalogue) -> tuple[MetricSpec, ...]:
    """Return the metrics that say what a calibration did."""
    return tuple(catalogue.metrics.get(name).spec for name in QUALITY)


def compare(
    terms: Terms,
    scores: Sequence[tuple[str, ScoreTable]],
    costs: DetectionCosts,
    metrics: Sequence[MetricSpec],
    stamps: Sequence[str],
) -> ResultTable:
    """Judge the tables, before and after, by ``metrics`` at ``costs``, pooled, side by side."""
    rows = [_row(label, table, costs, metrics) for label, table in scores]
    return tables.result_table(replace(terms, metrics=tuple(metrics)), rows, stamps)


def _row(
    label: str, table: ScoreTable, costs: DetectionCosts, metrics: Sequence[MetricSpec]
) -> Row:
    own, other = table.scores[table.bonafide], table.scores[~table.bonafide]
    values = {spec.name: math.nan for spec in metrics}
    if len(own) and len(other):
        judged = Judged(bonafide=own, spoof=other, detection=costs)
        try:
            values = {spec.name: spec.resolve()(judged) for spec in metrics}
        except ValueError as error:
            raise InvalidScores(f"{label}: {error}") from error
    return Row(run=label, by="", group=POOLED, bonafide=len(own), spoof=len(other), values=values)
