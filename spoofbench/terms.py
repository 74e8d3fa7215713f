"""On what terms scores are judged: the protocol with everything that it points to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spoofbench import asv, fingerprint
from spoofbench.corpora import read_parts
from spoofbench.errors import InvalidProtocol
from spoofbench.groups import Group, groups_of
from spoofbench.metrics.judged import AsvScores, TandemCosts
from spoofbench.plugins import Catalogue
from spoofbench.protocols import Protocol
from spoofbench.specs import MetricSpec
from spoofbench.trials import Trial, limit


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
    wanted = any(metric.needs_asv or metric.needs_joint for metric in metrics)
    scores = asv.of(protocol, root) if wanted else None
    if scores is not None:
        asv.check_part(scores, trials, protocol)
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
