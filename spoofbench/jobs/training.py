"""Training a model, or going on, unless it was done before."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path

import torch

from spoofbench import devices, fingerprint, runs, weights
from spoofbench.contracts import ClosedForm, Trainable
from spoofbench.errors import InvalidRecipe, InvalidSettings, InvalidWeights
from spoofbench.files import remove_leftovers
from spoofbench.jobs.job import Job
from spoofbench.jobs.preparing import Training
from spoofbench.locks import reserved
from spoofbench.plugins import instantiate
from spoofbench.training import checkpoints, closed_form, fit, tasks, tracking, trainings
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.tracking import Tracking
from spoofbench.training.trainings import TrainingRecord
from spoofbench.weights import Weights

_FILES = (
    *(tasks.LAST, tasks.BEST, checkpoints.KEPT, tasks.HISTORY),
    *(trainings.TERMS, trainings.RECORD, tracking.TOLD),
)
"""What a training writes into its folder while nobody else may."""


def trained(job: Job, found: Weights | Training | None) -> Weights | None:
    """Return the weights that were found, or those that the training gives that was found."""
    return train(job, found) if isinstance(found, Training) else found


def train(job: Job, training: Training) -> Weights:
    """Train, or go on, unless it was done before; return the weights chosen by dev EER."""
    task, processes = training.task, job.processes
    if (record := trainings.read(task.folder)) is not None:
        job.voice.note(f"trained before: {task.folder}")
        return weights_in(task.folder, record)
    _check(job, training)
    processes.wait_for_all()  # before the first writes what the others look for
    trainings.refuse_changed(job.request.out, training.terms)
    processes.wait_for_all()
    with reserved(task.folder) if processes.is_first else nullcontext():
        return _train(job, training)


def _train(job: Job, training: Training) -> Weights:
    """Train, or go on, in a folder that is reserved for that."""
    task, processes = training.task, job.processes
    trackers = job.trackers if processes.is_first else ()
    told = Tracking(
        tracking.make(trackers, task.folder, training.terms), task.folder, job.voice.note
    )
    if processes.is_first:
        remove_leftovers(task.folder, *_FILES)
        trainings.begin(training.terms, task.folder)
    started = time.perf_counter()
    told.tell(training.history())
    file = _fitted(job, training, told)
    record = _record(training, file, time.perf_counter() - started)
    if processes.is_first:
        told.end(record)
        trainings.write(record, task.folder)
    return weights_in(task.folder, record)


def weights_in(folder: Path, record: TrainingRecord) -> Weights:
    """Return the weights that the training in ``folder`` gave, which ended with ``record``.

    Raises `InvalidWeights` where the file is gone, or another one.
    """
    file = folder / tasks.BEST
    if not file.is_file() or fingerprint.sha256(file) != record.sha256:
        raise InvalidWeights(
            f"{file} is not the file that its training wrote",
            hint=f"remove {folder} to train again, or name it with --weights to use it anyway",
        )
    return Weights(
        file=file, source="trained", sha256=record.sha256, origin=weights.origin_of(file)
    )


def _check(job: Job, training: Training) -> None:
    """Raise what a device or a number of processes cannot do."""
    if job.request.precision == "fp16" and job.device.type == "cpu":
        raise InvalidSettings(
            "a processor cannot train in fp16", hint="use --precision bf16, or fp32"
        )
    count, batch_size = job.processes.count, training.task.recipe.batch_size
    if batch_size % count:
        raise InvalidRecipe(
            f"batches of {batch_size} cannot be shared by {count} processes",
            hint="choose a batch size that they divide: --set batch_size=...",
        )


def _fitted(job: Job, training: Training, told: Tracking) -> Path:
    """Fit or train the model, and return the file of its weights."""
    model, name = job.model(), job.spec.name
    if isinstance(model, ClosedForm):
        return _fitted_at_once(job, training)
    if not isinstance(model, Trainable):
        raise InvalidRecipe(
            f"{name} has no loss(), so it cannot be trained",
            hint="give weights with --weights FILE",
        )
    task = training.task

    def report(epoch: Epoch, is_best: bool) -> None:
        told.tell(training.history())
        job.voice.note(_said(epoch, task, is_best))

    with job.voice.progress(f"training {name}", "steps") as progress:
        return fit.fit(
            lambda: instantiate(job.offer, "model"), task, progress=progress, report=report
        )


def _fitted_at_once(job: Job, training: Training) -> Path:
    task, name = training.task, job.spec.name
    if job.processes.count > 1:
        raise InvalidSettings(
            f"{name} is fitted at once, in one process",
            hint=f"first: spoofbench train {name}, without torchrun",
        )
    with job.voice.progress(f"measuring {task.train.protocol.name}", "utterances") as progress:
        return closed_form.fit(lambda: instantiate(job.offer, "model"), task, progress=progress)


def _said(epoch: Epoch, task: tasks.Task, is_best: bool) -> str:
    """Return the line that is said of an epoch of ``task``."""
    return (
        f"epoch {epoch.epoch:>3} of {task.recipe.epochs}: loss {epoch.loss:.4f}, "
        f"dev EER {100 * epoch.dev_eer:6.2f} %{' (best so far)' if is_best else ''}; "
        f"{epoch.seconds / task.steps_per_epoch():.3f} s a step, "
        f"{100 * epoch.waiting:.0f} % of it waiting for audio, "
        f"{epoch.utterances_per_second:.1f} utterances/s, {epoch.peak_mb:,.0f} MB; "
        f"{epoch.cache_mb:,.0f} MB of audio held, {100 * epoch.cache_hits:.0f} % of the "
        "readings found it decoded"
    )


def _record(training: Training, file: Path, seconds: float) -> TrainingRecord:
    """Return what is written down of a training that gave ``file``.

    It took ``seconds`` where there are no epochs that know better.
    """
    origin = weights.origin_of(file)
    if origin is None:
        raise InvalidWeights(f"{file} does not say how it was trained")
    task, epochs = training.task, training.history()
    if epochs:
        seconds = sum(epoch.seconds for epoch in epochs)
    steps = len(epochs) * task.steps_per_epoch()
    return TrainingRecord(
        terms=training.terms,
        best_epoch=origin.epoch,
        best_dev_eer=origin.dev_eer,
        seconds=round(seconds, 3),
        seconds_per_step=round(seconds / steps, 6) if steps else 0.0,
        utterances_per_second=round(steps * task.recipe.batch_size / seconds, 3),
        peak_mb=max((epoch.peak_mb for epoch in epochs), default=0.0),
        threads=torch.get_num_threads(),
        device_name=devices.description(task.options.device),
        sha256=fingerprint.sha256(file),
        arguments=runs.arguments(),
        versions=runs.versions(),
        finished=runs.now(),
    )
