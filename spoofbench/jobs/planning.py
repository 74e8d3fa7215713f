"""What a job will do, in lines to read, and how long it may take."""

from __future__ import annotations

from spoofbench import estimate, runs
from spoofbench.contracts import ClosedForm, Trainable
from spoofbench.jobs.job import Job
from spoofbench.jobs.preparing import Training
from spoofbench.jobs.records import run_folder, samples_of
from spoofbench.terms import Terms
from spoofbench.weights import Weights


def run_plan(job: Job, terms: Terms, found: Weights | Training | None) -> list[str]:
    """Say in lines what will be done, and how long it may take."""
    lines = [f"protocol  {terms.protocol.name}: {len(terms.trials):,} trials in {terms.root}"]
    if isinstance(found, Training):
        lines += training_plan(job, found)
        samples = found.task.recipe.samples
    else:
        lines.append(f"weights   {found.file} ({found.source})" if found else "weights   none")
        if runs.is_finished(run_folder(job, terms, found)):
            return [*lines, "scores    are there already"]
        samples = samples_of(job, found)
    left = len(terms.trials)
    each = estimate.scoring_seconds(job.model(), job.options(terms.root, samples))
    duration = estimate.in_words(each * left / job.processes.count)
    return [*lines, f"scores    {left:,} trials to score: {duration} on {job.device}"]


def training_plan(job: Job, training: Training) -> list[str]:
    """Say in lines what training will do, and how long it may take."""
    task, recipe = training.task, training.task.recipe
    lines = [
        f"training  {job.spec.name} on {task.train.protocol.name} "
        f"({len(task.train.trials):,} trials), chosen by {task.dev.protocol.name} "
        f"({len(task.dev.trials):,} trials)",
    ]
    model = job.model()
    if isinstance(model, ClosedForm):
        return [*lines, "recipe    fitted at once"]
    lines.append(f"recipe    {', '.join(f'{name} {_said(value)}' for name, value in recipe)}")
    if isinstance(model, Trainable):
        learning = estimate.training_seconds(model, task.options, recipe.samples)
        scoring_dev = estimate.scoring_seconds(model, task.options) * len(task.dev.trials)
        epoch = learning * task.steps_per_epoch() * recipe.batch_size + scoring_dev
        lines.append(f"time      {estimate.in_words(epoch * recipe.epochs)} on {job.device}")
    return lines


def _said(value: object) -> object:
    """Return what a recipe's ``value`` is called in the plan."""
    return "none" if value in (None, "", (), {}) else value
