"""The whole job of a sweep: weights, the pass over all conditions, and what it left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spoofbench import runs
from spoofbench.jobs.choosing import chosen_weights
from spoofbench.jobs.job import Job
from spoofbench.jobs.planning import training_plan
from spoofbench.jobs.preparing import Training
from spoofbench.jobs.request import Request, Voice
from spoofbench.jobs.scoring import score_conditions
from spoofbench.jobs.training import trained
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
    job = Job.of(request, catalogue, processes, voice)
    terms = job.terms(protocol)
    found = chosen_weights(job, weights, protocol)
    if processes.is_first and isinstance(found, Training):
        for line in training_plan(job, found):
            voice.note(line)
    folders = score_conditions(job, terms, trained(job, found), conditions)
    label = runs.read(folders[0]).label if folders else request.model
    swept = Swept(label=label, folders=tuple(folders), conditions=tuple(conditions))
    return Done(swept=swept, terms=terms)
