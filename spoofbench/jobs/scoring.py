"""Scoring a protocol, as it is or under conditions, unless it was done before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from torch import nn

from spoofbench import adapters, batches, objectives, runs, scores, scoring, weights
from spoofbench.contracts import Augmentation, Countermeasure
from spoofbench.errors import FailedTrials
from spoofbench.jobs.job import Job
from spoofbench.jobs.records import AS_IT_IS, run_folder, run_record, samples_of
from spoofbench.robustness import measured
from spoofbench.robustness.applying import Applied
from spoofbench.robustness.conditions import Condition
from spoofbench.robustness.pool import POOL_BYTES, SpeechPool
from spoofbench.runs import CLEAN
from spoofbench.scoring import Lane, Options
from spoofbench.terms import Terms
from spoofbench.weights import Weights

SHOWN = 3
"""Trials of each class whose scores are shown before a detector without a plugin is judged."""


def score(job: Job, terms: Terms, found: Weights | None) -> Path | None:
    """Score ``terms`` unless it was done before; return the run folder (first process only)."""
    folders = score_conditions(job, terms, found, [AS_IT_IS])
    return folders[0] if folders else None


def score_conditions(
    job: Job, terms: Terms, found: Weights | None, conditions: Sequence[Condition]
) -> list[Path]:
    """Score ``terms`` under each condition that was not done before, in one pass.

    Returns the run folders, in the first process; an empty list in the others. Raises
    `InvalidCondition` for a condition that cannot be made of these trials.
    """
    folders = [run_folder(job, terms, found, condition) for condition in conditions]
    missing = [
        (folder, condition)
        for folder, condition in zip(folders, conditions, strict=True)
        if not runs.is_finished(folder)
    ]
    if job.processes.is_first and len(missing) < len(folders):
        before = [str(folder) for folder in folders if runs.is_finished(folder)]
        said = before[0] if len(before) == 1 else f"{len(before)} of {len(folders)} conditions"
        job.voice.note(f"scored before: {said}")
    if missing:
        _score_missing(job, terms, found, missing)
    return folders if job.processes.is_first else []


def _score_missing(
    job: Job, terms: Terms, found: Weights | None, missing: Sequence[tuple[Path, Condition]]
) -> None:
    options = job.options(terms.root, samples_of(job, found))
    lanes = _lanes(job, terms, options, missing)
    model = scoring.optimised(_loaded(job, found), options)
    if adapters.is_adapter(job.request.model) and job.processes.is_first:
        _show_first(job, model, terms, options)
    with job.voice.progress(f"scoring {terms.protocol.name}", "utterances") as progress:
        result = scoring.score_lanes(
            model, terms.trials, lanes, options, processes=job.processes, progress=progress
        )
    if result is None:
        return
    results, tally = result
    failures: dict[str, FailedTrials] = {}
    for (folder, condition), own in zip(missing, results, strict=True):
        if isinstance(own, FailedTrials):
            failures[str(condition)] = own
            continue
        scores.write(own.table, folder / runs.SCORES)
        measured.write(own.notes, terms.trials, folder)
        runs.write(run_record(job, terms, found, condition, tally), folder)
        scoring.discard_parts(folder)
    if failures:
        raise _told_together(failures)


def _lanes(
    job: Job, terms: Terms, options: Options, missing: Sequence[tuple[Path, Condition]]
) -> list[Lane]:
    """Return a lane for each condition. Raises what makes one impossible."""
    seed, rate = job.request.seed, job.spec.sample_rate
    pool = None
    if any(condition.steps for _, condition in missing):
        pool = SpeechPool.of(terms.trials, options.cache(POOL_BYTES), seed=seed)
    made: dict[str, Augmentation] = {}
    lanes = []
    for folder, condition in missing:
        applied = Applied(condition=condition, seed=seed, rate=rate, pool=pool, made=made)
        applied.ready()
        lanes.append(Lane(folder=folder, variant=applied))
    return lanes


def _loaded(job: Job, found: Weights | None) -> Countermeasure:
    """Return the model with its weights, and with the objective that they were trained by."""
    model = job.model()
    if found is None:
        return model
    if found.origin is not None:
        model = objectives.as_trained(model, found.origin.recipe, job.catalogue)
    module = cast(nn.Module, model)
    weights.load(module, found)
    return cast(Countermeasure, module.to(job.device))


def _show_first(job: Job, model: Countermeasure, terms: Terms, options: Options) -> None:
    """Say what a detector gives for a few trials, so that a flipped sign is seen at once."""
    shown = [
        trial
        for bonafide in (True, False)
        for trial in [t for t in terms.trials if t.bonafide is bonafide][:SHOWN]
    ]
    key = {trial.utterance: trial.key for trial in shown}
    work = batches.plan(shown, len(shown))
    for scored in scoring.score_batches(model, options.loader(work), options):
        for utterance, own in scored.scores:
            job.voice.note(f"  {key[utterance]:<9} {own:>12}  {utterance}")
    job.voice.note("  higher should be bona fide; if not: sign=- behind a comma")


def _told_together(failures: Mapping[str, FailedTrials]) -> FailedTrials:
    """Return one error for the conditions under which trials failed; the others are complete."""
    (name, first), *others = failures.items()
    if name == CLEAN and not others:
        return first
    also = f"\nand trials failed under {', '.join(name for name, _ in others)}" if others else ""
    return FailedTrials(f"{name}: {first}{also}", hint=first.hint)
