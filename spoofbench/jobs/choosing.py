"""Which weights a model is scored with: those named, those trained before, those to be trained."""

from __future__ import annotations

from spoofbench import scoring, weights
from spoofbench.errors import CorpusNotFound, InvalidWeights
from spoofbench.jobs.job import Job
from spoofbench.jobs.preparing import Training, training_of
from spoofbench.jobs.training import train, weights_in
from spoofbench.protocols import Protocol, load
from spoofbench.training import tasks, trainings
from spoofbench.weights import Weights


def chosen_weights(
    job: Job, wanted: str | None, protocol: Protocol, *, this_seed: bool = False
) -> Weights | Training | None:
    """Return the weights to score with, or the training that will give them.

    They are those that were asked for, else those trained before in this workspace, with
    another seed too unless ``this_seed`` matters. None is for models that have no parameters:
    random weights never yield a table.
    """
    if wanted is not None:
        return weights.find(job.spec, wanted)
    if not scoring.has_parameters(job.model()):
        return None
    training = _training_for(job, protocol)
    if trainings.read(training.task.folder) is not None:
        return train(job, training)
    if this_seed:
        return training
    return _trained_otherwise(job, training) or training


def _training_for(job: Job, protocol: Protocol) -> Training:
    """Return the training that ``protocol`` names. Raises `InvalidWeights` where it names none."""
    name = job.spec.name
    if not (protocol.train and protocol.dev):
        raise InvalidWeights(
            f"{name} needs weights, and {protocol.name} does not say on which "
            "protocols a model for it is trained and chosen",
            hint="give them with --weights",
        )
    try:
        return training_of(
            job,
            load(protocol.train, job.catalogue),
            load(protocol.dev, job.catalogue),
            given=protocol.data.corpus,
        )
    except CorpusNotFound as error:
        raise CorpusNotFound(
            f"{name} needs weights, or data to be trained on: {error}",
            hint=f"give weights with --weights, or the corpus\n{error.hint}".rstrip(),
        ) from error


def _trained_otherwise(job: Job, training: Training) -> Weights | None:
    """Return what was trained before on other terms, unless ``training`` itself was begun.

    Raises `InvalidWeights` where there are several.
    """
    name, protocol = job.spec.name, training.terms.train.protocol
    others = trainings.finished(job.request.out, name, protocol)
    if len(others) > 1:
        raise InvalidWeights(
            f"{name} was trained {len(others)} times on "
            f"{protocol} in {job.request.out}, each time otherwise",
            hint="say which: "
            + " or ".join(f"--weights {folder / tasks.BEST}" for folder, _ in others),
        )
    if not others or training.begun():
        return None
    (folder, record), *_ = others
    job.voice.note(f"using what was trained before, though on other terms: {folder}")
    return weights_in(folder, record)
