"""Comparing systems on the same trials: differences, p-values, and which cannot be told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from spoofbench.errors import InvalidScores, InvalidSettings
from spoofbench.evaluation import cell_of, evaluators
from spoofbench.judging import System
from spoofbench.rows import interval_of, judge
from spoofbench.specs import MetricSpec
from spoofbench.statistics.paired import rank_groups, replicates_needed
from spoofbench.tables import Ranking, ResultTable, Row, result_table
from spoofbench.terms import Terms
from spoofbench.uncertainty import Uncertainty, sample


def enough(uncertainty: Uncertainty, systems: int) -> Uncertainty:
    """Return ``uncertainty`` with as many replicates as so many systems need to be told apart.

    With fewer, no difference could ever be significant after Holm's correction.
    """
    needed = replicates_needed(max(1, systems - 1), uncertainty.alpha)
    return replace(uncertainty, replicates=max(uncertainty.replicates, needed))


def best_unit(terms: Terms) -> str:
    """Return what should be drawn: speakers where they are known, else trials."""
    known = {trial.speaker for trial in terms.trials}
    return "speaker" if len(known) > 1 and not known & {"", "-"} else "trial"


def ranking_metric(name: str, terms: Terms) -> MetricSpec:
    """Return the metric called ``name``, the first one if it is empty.

    Raises `InvalidSettings` for one that is not measured.
    """
    for spec in terms.metrics:
        if not name or spec.name == name:
            return spec
    measured = ", ".join(spec.name for spec in terms.metrics)
    raise InvalidSettings(
        f"systems cannot be ranked by '{name}', which is not measured: {measured}",
        hint="--metrics says what is measured",
    )


def compare(
    systems: Sequence[System],
    terms: Terms,
    uncertainty: Uncertainty,
    *,
    rank_by: MetricSpec,
    advance: Callable[[], None] = lambda: None,
) -> ResultTable:
    """Judge systems on all trials, the best first, and rank them by one metric.

    All of them are measured on the same resamples. ``advance`` is called after each replicate.
    Raises `InvalidScores` for less than two systems.
    """
    if len(systems) < 2:
        raise InvalidScores("a comparison needs at least two score files")
    alone = replace(terms, groups=terms.groups[:1])
    rows = [judge(system.label, system.table, alone)[0] for system in systems]
    cells = [cell_of(system.table.scores, alone.groups[0], alone) for system in systems]
    evaluate = evaluators(terms.metrics)
    samples = sample(cells, list(evaluate.values()), terms.trials, uncertainty, advance)
    place = list(evaluate).index(rank_by.name)
    try:
        ranks = rank_groups(
            np.array([row.values[rank_by.name] for row in rows]),
            samples.drawn[:, :, place],
            alpha=uncertainty.alpha,
            lower_is_better=not rank_by.higher_is_better,
        )
    except ValueError as error:
        raise InvalidScores(f"no ranks by {rank_by.name}: {error}") from error
    measured = [
        replace(row, intervals=interval_of(row, cell, samples, uncertainty))
        for cell, row in enumerate(rows)
    ]
    ranking = Ranking(
        metric=rank_by,
        alpha=uncertainty.alpha,
        leaders=tuple(
            rows[placing.leader].run
            for system, placing in sorted(
                enumerate(ranks.placings), key=lambda numbered: numbered[1].group
            )
            if placing.leader == system
        ),
        placings={row.run: own for row, own in zip(rows, ranks.placings, strict=True)},
    )
    stamps = [remark for system in systems for remark in system.remarks]
    table = result_table(terms, _best_first(measured, rank_by), stamps, uncertainty=uncertainty)
    return replace(table, ranking=ranking)


def _best_first(rows: Sequence[Row], metric: MetricSpec) -> list[Row]:
    sign = -1 if metric.higher_is_better else 1
    return sorted(rows, key=lambda row: sign * row.values[metric.name])
