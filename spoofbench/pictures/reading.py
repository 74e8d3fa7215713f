"""From score files and run folders to what a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spoofbench.errors import InvalidScores, InvalidSettings
from spoofbench.groups import groups_of
from spoofbench.judging import System
from spoofbench.pictures.drawn import Caption, Drawn
from spoofbench.plugins import Catalogue
from spoofbench.rows import judge
from spoofbench.specs import MetricSpec
from spoofbench.tables import result_table
from spoofbench.terms import Terms


def caption_of(sources: Sequence[System], terms: Terms) -> Caption:
    """Return the protocol's title, counts and stamps, and what is to be said of the scores.

    Where there is one file, its label stands with the counts.
    """
    table = result_table(terms, [], [remark for source in sources for remark in source.remarks])
    trials = f"{table.bonafide:,} bona fide + {table.spoof:,} spoof trials"
    return Caption(
        title=table.title,
        trials=trials if len(sources) > 1 else f"{sources[0].label}: {trials}",
        stamps=table.stamps,
    )


def systems(
    sources: Sequence[System],
    terms: Terms,
    *,
    by: str | None = None,
    metrics: Sequence[MetricSpec] = (),
) -> list[Drawn]:
    """Return what there is to draw: each file, or with ``by`` each group of the one file.

    ``metrics`` are stated in the legend. Raises `InvalidSettings` for groups of several files.
    """
    if by is None:
        return [_whole(source, terms, metrics) for source in sources]
    if len(sources) > 1:
        raise InvalidSettings(
            f"--by {by}: there are {len(sources)} files, and groups can be drawn of one",
            hint="draw a picture of each file",
        )
    return _groups(sources[0], terms, by, metrics)


def _whole(source: System, terms: Terms, metrics: Sequence[MetricSpec]) -> Drawn:
    bonafide = source.table.bonafide
    return Drawn(
        label=source.label,
        bonafide=source.table.scores[bonafide],
        spoof=source.table.scores[~bonafide],
        numbers=_numbers(source, terms, metrics, by="").get("", ()),
    )


def _groups(source: System, terms: Terms, by: str, metrics: Sequence[MetricSpec]) -> list[Drawn]:
    """Return the groups of a table that have trials of both classes."""
    groups = groups_of(source.table.trials, (by,), terms.asv, joint=False)[1:]
    numbers = _numbers(source, terms, metrics, by=by)
    drawn = [
        Drawn(
            label=group.name,
            bonafide=source.table.scores[group.bonafide],
            spoof=source.table.scores[group.spoof],
            numbers=numbers.get(group.name, ()),
        )
        for group in groups
        if group.bonafide.size and group.spoof.size
    ]
    if not drawn:
        raise InvalidScores(f"{source.label}: no {by} has trials of both classes")
    return drawn


def metrics_of(names: Sequence[str], terms: Terms, known: Catalogue) -> list[MetricSpec]:
    """Look up metrics. Raises `UnknownName`, or `InvalidSettings` for one that needs an ASV."""
    specs = [known.metrics.get(name).spec for name in names]
    for spec in specs:
        if spec.needs_asv and terms.asv is None:
            raise InvalidSettings(
                f"{spec.name} needs an ASV system, and {terms.protocol.name} has none",
                hint="leave the metric out",
            )
    return specs


def offered(names: Sequence[str], known: Catalogue) -> list[MetricSpec]:
    """Return those of ``names`` that a plugin offers."""
    on_offer = known.metrics.names()
    return [known.metrics.get(name).spec for name in names if name in on_offer]


def _numbers(
    source: System, terms: Terms, metrics: Sequence[MetricSpec], *, by: str
) -> dict[str, tuple[str, ...]]:
    """Judge the groups of column ``by``, or the whole, and put the results in words by group."""
    if not metrics:
        return {}
    columns = (by,) if by else ()
    joint = any(spec.needs_joint for spec in metrics)
    asked = replace(
        terms,
        metrics=tuple(metrics),
        groups=groups_of(source.table.trials, columns, terms.asv, joint=joint),
    )
    return {
        row.group if by else "": tuple(in_words(spec, row.values[spec.name]) for spec in metrics)
        for row in judge(source.label, source.table, asked)
        if row.by == by
    }


def in_words(spec: MetricSpec, value: float) -> str:
    """Return a result with the metric's title: ``EER 0.83 %``, ``min t-DCF 2019 0.0275``."""
    return f"{spec.title} {100 * value:.2f} %" if spec.percent else f"{spec.title} {value:.4f}"
