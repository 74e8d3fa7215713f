"""The whole job of a sweep: weights, the pass over all conditions, and what it left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spoofbench import runs
from spoofbench.jobs import Job, Request, Training, Voice
from spoofbench.plugins import Catalogue
from spoofbench.processes import Processes
from spoofbench.protocols import Protocol
from spoofbench.robustness.conditions import Condition
from spoofbench.robustness.tables import Swept
from spoofbench.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A model that was scored under all conditions, and on what terms."""

    swept: Swept
    terms: Terms


def sweep(
    request: Request,
    protocol: Protocol,
    conditions: Sequence[Condition],
    *,
    weights: str | None,
    catalogue: Catalogue,
    processes: Processes,
    voice: Voice,
) -> Done:
    """Score a model under ``conditions``, of which the first is clean; train it first if need be.

    In processes other than the first there are no folders.
    """
    job = Job(request, catalogue, processes, voice)
    terms = job.terms(protocol)
    found = job.chosen_weights(weights, protocol)
    if isinstance(found, Training):
        if processes.is_first:
            for line in job.training_plan(found):
                voice.note(line)
        found = job.train(found)
    folders = job.score_conditions(terms, found, conditions)
    label = runs.read(folders[0]).label if folders else request.model
    swept = Swept(label=label, folders=tuple(folders), conditions=tuple(conditions))
    return Done(swept=swept, terms=terms)
