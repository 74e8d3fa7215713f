"""Fitting a model at once: measure every utterance of the train protocol, hand all over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from spoofbench import batches, weights
from spoofbench.contracts import ClosedForm, Progress
from spoofbench.devices import denormals_flushed, evaluating
from spoofbench.errors import FailedTrials
from spoofbench.files import storage_errors
from spoofbench.training.choosing import dev_eer
from spoofbench.training.tasks import BEST, Task


def fit(make: Callable[[], ClosedForm], task: Task, *, progress: Progress) -> Path:
    """Fit a model that ``make`` gives, and return the file of its weights, with its dev EER.

    There is nothing to choose: the dev protocol only says how good it is. Raises `FailedTrials` for
    a recording that cannot be used.
    """
    with storage_errors(task.folder):
        task.folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        model = make()
        features, bonafide = _measured(model, task, progress)
        model.fit(features, bonafide)
    module = cast(nn.Module, model).to(task.options.device)
    dev = task.options.loader(batches.plan(task.dev.trials, task.options.batch_size))
    weights.save(
        module, task.folder / BEST, task.origin(epoch=1, dev_eer=dev_eer(model, dev, task))
    )
    return task.folder / BEST


def _measured(model: ClosedForm, task: Task, progress: Progress) -> tuple[Tensor, Tensor]:
    """Return the vectors of all train utterances, ``(vectors, features)``, and their keys."""
    trials = task.train.trials
    options = task.options.at(task.train.root)
    features: list[Tensor] = []
    bonafide: list[Tensor] = []
    done = 0
    with denormals_flushed(), evaluating(model):
        for batch in options.loader(batches.plan(trials, options.batch_size)):
            if batch.error is not None:
                raise batch.error
            if batch.failures:
                raise FailedTrials(
                    "\n".join(failure.reason for failure in batch.failures),
                    hint="mend the recordings and give the same command again",
                )
            measured = model.features(batch.audio, batch.lengths)
            counts = torch.tensor([len(vectors) for vectors in measured])
            features += measured
            bonafide.append(batch.bonafide.repeat_interleave(counts))
            done += len(batch.utterances)
            progress(done, len(trials))
    return torch.cat(features), torch.cat(bonafide)
