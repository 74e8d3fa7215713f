"""The training loop: epochs, steps and micro-batches, checkpoints, and the choice by dev."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import torch

from spoofbench import batches, files, weights
from spoofbench.audio import AudioCache
from spoofbench.batches import Batch, Crop, RandomCrop, Whole, Work
from spoofbench.contracts import Countermeasure, Progress
from spoofbench.devices import denormals_flushed
from spoofbench.errors import FailedTrials, InvalidRun
from spoofbench.files import write_text
from spoofbench.training import checkpoints
from spoofbench.training.augmenting import OnDevice
from spoofbench.training.averaging import Average
from spoofbench.training.checkpoints import Epoch, Position
from spoofbench.training.choosing import dev_eer
from spoofbench.training.fabric import Learner
from spoofbench.training.lesson import Keys
from spoofbench.training.memory import peak_mb
from spoofbench.training.mixing import mixed, unmixed
from spoofbench.training.ordering import Order
from spoofbench.training.sparing import Sparing, insufficient
from spoofbench.training.stopping import Told
from spoofbench.training.tasks import BEST, HISTORY, LAST, Report, Task

WORTH_KEEPING = 1.0
"""Seconds of training that are kept before dev is scored; less is done again sooner than kept."""


class Loop:
    """Trains ``task`` from a position to its end, a process among those that share batches."""

    def __init__(
        self,
        learner: Learner,
        average: Average | None,
        task: Task,
        told: Told,
        progress: Progress,
        report: Report,
    ) -> None:
        self.learner = learner
        self.average = average
        self.task = task
        self.told = told
        self.progress = progress
        self.report = report
        self.steps = task.steps_per_epoch()
        self.order = Order(
            task.train,
            task.recipe,
            seed=task.seed,
            rate=task.options.rate,
            folder=task.folder,
            processes=task.processes,
            note=task.note,
        )
        self.micro_batch = task.micro_batch or task.recipe.batch_size
        self.work: list[Work] = []
        self.cache = task.options.at(task.train.root).cache()
        self.loader = _loader(task, self.work, self.cache)
        dev = batches.plan(task.dev.trials, task.options.batch_size)
        dev_cache = task.options.cache()
        self.dev_loader = task.options.loader(dev, dev_cache)
        pool = task.augmenter.pool if task.augmenter is not None else None
        read = (self.cache, pool.cache) if pool is not None else (self.cache,)
        self.sparing = Sparing(task, learner, read, dev_cache)

    def run_from(self, position: Position) -> None:
        """Train from ``position`` to the last epoch. Raises `InvalidRun` if memory runs out."""
        try:
            with denormals_flushed():
                self._run_from(position)
        except torch.OutOfMemoryError as error:
            raise insufficient(f"({error})") from error

    def _run_from(self, position: Position) -> None:
        self.saved, self.is_saved = time.perf_counter(), True
        if position.micro_batch is not None:  # less than asked for, where memory was short
            self.micro_batch = min(self.micro_batch, position.micro_batch)
        self._follow(position)  # what ended the last process may have come before this
        while position.epoch <= self.task.recipe.epochs and not self._is_enough(position):
            position = self._close(self._train_epoch(position))
        if self.average is not None and self.average.count and self.task.processes.is_first:
            self._judge_average(self.average, position)

    def _judge_average(self, average: Average, position: Position) -> None:
        """Keep the average of the epochs instead of the best of them, if dev says so."""
        best = position.best()
        torch.manual_seed(_seed(self.task.seed, self._done(position), 0))
        plan = batches.plan(self.order.of(position.epoch), self.task.recipe.batch_size)
        self.work[:] = [replace(work, epoch=position.epoch) for work in plan[: self.steps]]
        model = average.model(self._train_batches(position), self.task.options.device)
        eer = dev_eer(cast(Countermeasure, model), self._dev_batches(position), self.task)
        is_best = best is None or eer <= best.dev_eer
        self.task.note(
            f"average of {average.count} epochs: dev EER {100 * eer:6.2f} %"
            + (" (best)" if is_best else "")
        )
        if is_best:
            origin = self.task.origin(epoch=position.epoch - 1, dev_eer=eer)
            weights.save(model, self.task.folder / BEST, origin)

    def _is_enough(self, position: Position) -> bool:
        """Say whether dev has not become better for as many epochs as the recipe has patience."""
        first = min(position.history, key=lambda epoch: epoch.dev_eer, default=None)  # of equals
        patience = self.task.recipe.patience
        if first is None or patience is None or position.epoch - 1 - first.epoch < patience:
            return False
        self.task.note(f"no better dev EER for {patience} epochs: training stops")
        return True

    def _train_epoch(self, position: Position) -> Position:
        processes = self.task.processes
        plan = batches.plan(self.order.of(position.epoch), self.task.recipe.batch_size)
        whole = plan[position.step : self.steps]
        self.work[:] = [
            replace(
                work, epoch=position.epoch, trials=work.trials[processes.rank :: processes.count]
            )
            for work in whole
        ]
        self.read_before = self.cache.budget.tally()
        before = time.perf_counter()
        for work, batch in zip(whole, self.loader, strict=True):
            arrived = time.perf_counter()
            loss = self._step(work, batch, position)
            took = time.perf_counter() - before
            position = position.after_step(
                loss, seconds=took, waited=arrived - before, steps=self.steps
            )
            self.is_saved = False
            self._refuse_divergence(work, position)
            self.progress(self._done(position), self.task.recipe.epochs * self.steps)
            told = self.told.number is not None
            due = time.perf_counter() - self.saved > self.task.checkpoint_seconds
            if processes.any(value=told or due):  # clocks differ: all must do the same
                self._save(position)
                if processes.any(value=told):
                    raise self.told.error(self.task.folder)
            before = time.perf_counter()  # a checkpoint was no waiting for audio
        return position

    def _done(self, position: Position) -> int:
        """Return how many steps of all epochs are done."""
        return (position.epoch - 1) * self.steps + position.step

    def _step(self, work: Work, batch: Batch, position: Position) -> float:
        """Learn from this process's share of ``work``; return the loss of the whole."""
        _check(batch)
        done = self._done(position)
        rate = self.task.recipe.rate_at(done, self.task.recipe.epochs * self.steps)
        for group in self.learner.optimiser.param_groups:
            group["lr"] = rate * self.task.recipe.rate_of(group["name"], position.epoch)
        moved, keys = self._with_keys(batch.to(self.task.options.device), position.epoch)
        total = sum(self.task.recipe.weight(bonafide=trial.bonafide) for trial in work.trials)
        self.learner.model.train()
        self.micro_batch = self.sparing.before_step(
            moved, self.micro_batch, partial(self._losses, moved, keys)
        )
        while True:
            torch.manual_seed(_seed(self.task.seed, done, self.task.processes.rank))
            try:
                value = self._gradients(moved, keys, total)
                break
            except torch.OutOfMemoryError as error:
                self.micro_batch = self.sparing.after_failure(error, self.micro_batch)
        value = self.learner.mean(value)
        if not math.isfinite(value):
            raise _failed(f"the loss is {value}", work, position)
        if not self.learner.step(self.task.recipe.clip_norm):
            raise _failed("a gradient is not finite", work, position)
        self.sparing.after_step()
        return value

    def _refuse_divergence(self, work: Work, position: Position) -> None:
        """Raise `InvalidRun` if half an epoch or more has cost far more than the first steps did.

        From the second epoch on, more than the first epoch did.
        """
        if 2 * position.step < self.steps:
            return
        mean = position.loss_sum / position.step
        first = position.history[0].loss if position.history else position.opening
        if first is not None and self.task.recipe.diverges(mean, first):
            raise _failed(f"the loss diverges, {mean:.4g} after {first:.4g},", work, position)

    def _with_keys(self, batch: Batch, epoch: int) -> tuple[Batch, tuple[Keys, ...]]:
        """Return what is heard, and the keys that a `Lesson` judges it by; none for a model."""
        if self.task.aims is None:
            return batch, ()
        alpha = self.task.recipe.mix_up
        if not alpha:
            return batch, unmixed(batch)
        return mixed(batch, alpha, seed=self.task.seed, epoch=epoch)

    def _losses(self, batch: Batch, keys: tuple[Keys, ...], part: slice) -> torch.Tensor:
        """Return the weighed loss of each utterance in ``part`` of ``batch``."""
        audio, lengths, bonafide = batch.audio[part], batch.lengths[part], batch.bonafide[part]
        if keys:
            return self.learner.loss(audio, lengths, *(key.part(part) for key in keys))
        recipe = self.task.recipe
        return recipe.weights(bonafide) * recipe.focal(self.learner.loss(audio, lengths, bonafide))

    def _gradients(self, batch: Batch, keys: tuple[Keys, ...], total: float) -> float:
        """Compute the gradients of ``batch``, micro-batch by micro-batch; return its loss.

        ``total`` is the weight of the utterances of all processes. Gradients are averaged over the
        processes, so that the loss counts as many times as there are.
        """
        self.learner.optimiser.zero_grad()
        share = self.task.processes.count / total

        def loss(part: slice) -> torch.Tensor:
            return self._losses(batch, keys, part).sum() * share

        value = 0.0
        count = len(batch.utterances)
        size = -(-count // -(-count // self.micro_batch))  # in even parts: none of them is small
        for start in range(0, count, size):
            part = partial(loss, slice(start, start + size))
            value += self.learner.add_gradients(part, is_last=start + size >= count)
        return value

    def _close(self, position: Position) -> Position:
        """Score dev, keep the weights if they are the best so far, and turn to the next epoch.

        What was trained is kept first: dev may take long, and a process may be killed meanwhile.
        """
        unsaved = 0.0 if self.is_saved else time.perf_counter() - self.saved
        if self.task.processes.any(value=unsaved > WORTH_KEEPING):
            self._save(position)
        trained = self.steps * self.task.recipe.batch_size
        read = self.cache.budget.tally().since(self.read_before)
        eer = self.learner.fabric.broadcast(self._dev_eer(position))
        epoch = Epoch(
            epoch=position.epoch,
            loss=position.loss_sum / self.steps,
            dev_eer=eer,
            learning_rate=self.task.recipe.rate_at(
                self._done(position) - 1, self.task.recipe.epochs * self.steps
            ),
            seconds=round(position.seconds, 3),
            waiting=round(position.waited / position.seconds, 4),
            utterances_per_second=round(trained / position.seconds, 3),
            peak_mb=round(peak_mb(self.task.options.device), 1),
            cache_mb=round(read.held / 1e6, 1),
            cache_hits=round(read.hit_share, 4),
            micro_batch=self.micro_batch,
        )
        since = self.task.recipe.average_from
        if (
            self.average is not None
            and since is not None
            and epoch.epoch > since * self.task.recipe.epochs
        ):
            self.average.add(self.learner.judged)
        following = Position(epoch=epoch.epoch + 1, history=(*position.history, epoch))
        is_best = following.best() == epoch
        if is_best and self.task.processes.is_first:
            weights.save(
                self.learner.judged,
                self.task.folder / BEST,
                self.task.origin(epoch=epoch.epoch, dev_eer=epoch.dev_eer),
            )
        self._save(following)
        self._follow(following)
        if self.task.processes.is_first:
            self.report(epoch, is_best)
        return following

    def _follow(self, position: Position) -> None:
        """Write the table of epochs, and let old checkpoints go, now that ``position`` is kept."""
        folder, keep = self.task.folder, self.task.keep
        if self.task.processes.is_first and position.history:
            write_text(folder / HISTORY, checkpoints.csv(position.history))
            if keep > 1:
                checkpoints.forget(folder, through=position.epoch - 1 - keep)

    def _dev_eer(self, position: Position) -> float:
        """Return the dev EER; only the first process computes it."""
        if not self.task.processes.is_first:
            return math.nan
        model = cast(Countermeasure, self.learner.judged)
        return dev_eer(model, self._dev_batches(position), self.task)

    def _train_batches(self, position: Position) -> Iterator[Batch]:
        for batch in self.loader:
            self._heed(position)
            _check(batch)
            yield batch

    def _dev_batches(self, position: Position) -> Iterator[Batch]:
        for batch in self.dev_loader:
            self._heed(position)
            self.sparing.before_scoring()
            yield batch

    def _heed(self, position: Position) -> None:
        """Raise `Stopped`, after a checkpoint, if a signal has come while one process works alone.

        The others wait for it, until what started them ends them.
        """
        if self.told.number is not None:
            if not self.is_saved:
                self._write(position)
            raise self.told.error(self.task.folder)

    def _save(self, position: Position) -> None:
        """Let the first process write a checkpoint, and all wait for it."""
        if self.task.processes.is_first:
            self._write(position)
        self.task.processes.wait_for_all()
        self.saved, self.is_saved = time.perf_counter(), True

    def _write(self, position: Position) -> None:
        """Write a checkpoint to go on from; that of a whole epoch is kept, where this is asked."""
        last = self.task.folder / LAST
        done = position.history[-1] if position.history and not position.step else None
        keeps = done and self.task.keep > 1
        file = checkpoints.kept(self.task.folder, position.epoch - 1) if keeps else last
        checkpoints.save(
            file,
            self.learner.parts(),
            self.learner.optimiser,
            position.model_copy(
                update={
                    "scaling": self.learner.scaling(),
                    "recipe": self.task.recipe,
                    "seed": self.task.seed,
                    "micro_batch": self.micro_batch,
                }
            ),
            self.average,
            origin=self.task.origin(epoch=done.epoch, dev_eer=done.dev_eer) if done else None,
        )
        if keeps:
            files.copy(file, last)


def _failed(what: str, work: Work, position: Position) -> InvalidRun:
    """Return an error that names the batch at which training cannot go on."""
    return InvalidRun(
        f"{what} in epoch {position.epoch}, on {', '.join(t.utterance for t in work.trials)}",
        hint="a lower learning rate or --set clip_norm=1 may help, from the start or from the best "
        "weights so far (--start); the last checkpoint is kept",
    )


def _check(batch: Batch) -> None:
    """Raise what went wrong when ``batch`` was made."""
    if batch.error is not None:
        raise batch.error
    if batch.failures:
        raise FailedTrials(
            "\n".join(failure.reason for failure in batch.failures),
            hint="training on less than the protocol says would not be that protocol: "
            "mend the recordings and give the same command again",
        )


def _seed(seed: int, step: int, rank: int) -> int:
    """Return what dropout draws from in one step of one process."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def _loader(task: Task, work: Sequence[Work], cache: AudioCache) -> Iterable[Batch]:
    """Return what gives a batch for each piece of ``work``, cropped and augmented."""
    device, augmenter = task.options.device, task.augmenter
    in_workers, on_device = augmenter.divided(device) if augmenter is not None else (None, None)
    loader = batches.loader(
        work,
        cache=cache,
        crop=_crop(task),
        workers=task.options.workers,
        pin=device.type == "cuda",
        together=in_workers,
    )
    if on_device is None:
        return loader
    return OnDevice(loader=loader, work=work, augmenter=on_device, device=device)


def _crop(task: Task) -> Crop:
    """Return what makes of a train utterance what the model is to hear."""
    if task.recipe.samples:
        return RandomCrop(samples=task.recipe.samples, seed=task.seed)
    return Whole(at_least=task.options.min_samples)
