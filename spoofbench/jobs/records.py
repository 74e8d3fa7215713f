"""What is written down of a run: on what terms it was scored, and all that explains its numbers."""

from __future__ import annotations

from pathlib import Path

import torch

from spoofbench import devices, runs
from spoofbench.jobs.job import Job
from spoofbench.robustness.applying import Applied
from spoofbench.robustness.conditions import Condition
from spoofbench.runs import ConditionRecord, RunRecord, WeightsRecord
from spoofbench.scoring import Tally
from spoofbench.terms import Terms
from spoofbench.weights import Weights

AS_IT_IS = Condition()
"""Audio to which nothing is done."""


def samples_of(job: Job, found: Weights | None) -> int | None:
    """Return the input length: what the weights were trained with, else the model's own."""
    if found is not None and found.origin is not None:
        return found.origin.recipe.samples
    return job.spec.samples


def run_folder(
    job: Job, terms: Terms, found: Weights | None, condition: Condition = AS_IT_IS
) -> Path:
    """Return the folder of scoring ``terms`` with these weights under a condition."""
    return runs.folder_for(
        job.request.out, terms.protocol, _run_terms(job, terms, found, condition)
    )


def run_record(
    job: Job, terms: Terms, found: Weights | None, condition: Condition, tally: Tally
) -> RunRecord:
    """Return what is written down of scoring ``terms``, which did what ``tally`` counts."""
    origin = found.origin if found else None
    return RunRecord(
        label=f"{job.spec.name} ({found.name})" if found else job.spec.name,
        terms=_run_terms(job, terms, found, condition),
        protocol=terms.protocol,
        fingerprint=terms.fingerprint,
        corpus=str(terms.root.resolve()),
        training=origin.training if origin else "",
        seed=origin.seed if origin else None,
        chosen_by_eval=", ".join(origin.chosen_by_eval) if origin else "",
        limit=terms.limit,
        trials=len(terms.trials),
        batch_size=job.request.batch_size,
        processes=job.processes.count,
        threads=torch.get_num_threads(),
        seconds=round(tally.seconds, 3),
        scored=tally.scored,
        device_name=devices.description(job.device),
        arguments=runs.arguments(),
        versions=runs.versions(),
        finished=runs.now(),
    )


def _run_terms(job: Job, terms: Terms, found: Weights | None, condition: Condition) -> runs.Terms:
    return runs.Terms(
        model=job.record(),
        weights=WeightsRecord(source=found.source, sha256=found.sha256)
        if found
        else WeightsRecord(source="none"),
        fingerprint=terms.fingerprint,
        samples=samples_of(job, found),
        precision=job.request.precision,
        device=job.device.type,
        condition=_condition_record(job, condition),
    )


def _condition_record(job: Job, condition: Condition) -> ConditionRecord | None:
    if not condition.steps:
        return None
    applied = Applied(condition=condition, seed=job.request.seed, rate=job.spec.sample_rate)
    return ConditionRecord(
        text=str(condition), seed=job.request.seed, augmentations=applied.identities()
    )
