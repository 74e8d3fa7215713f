"""The training loop: epochs, steps and micro-batches, checkpoints, and the choice by dev."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch

from spoofbench import batches, weights
from spoofbench.batches import Batch, Crop, RandomCrop, Whole, Work
from spoofbench.contracts import Progress, Trainable
from spoofbench.errors import FailedTrials, InvalidRun
from spoofbench.files import write_text
from spoofbench.training import checkpoints
from spoofbench.training.augmenting import OnDevice
from spoofbench.training.averaging import Average
from spoofbench.training.checkpoints import Epoch, Position
from spoofbench.training.choosing import dev_eer
from spoofbench.training.fabric import Learner
from spoofbench.training.memory import peak_mb
from spoofbench.training.recipe import Recipe
from spoofbench.training.stopping import Told
from spoofbench.training.tasks import BEST, HISTORY, LAST, Report, Task
from spoofbench.trials import Trial


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
        self.micro_batch = task.micro_batch or task.recipe.batch_size
        self.work: list[Work] = []
        self.loader = _loader(task, self.work)
        dev = batches.plan(task.dev.trials, task.options.batch_size)
        self.dev_loader = task.options.loader(dev)

    def run_from(self, position: Position) -> None:
        """Train from ``position`` to the last epoch."""
        self.saved = time.perf_counter()
        while position.epoch <= self.task.recipe.epochs and not self._is_enough(position):
            position = self._close(self._train_epoch(position))
        if self.average is not None and self.average.count and self.task.processes.is_first:
            self._judge_average(self.average, position)

    def _judge_average(self, average: Average, position: Position) -> None:
        """Keep the average of the epochs instead of the best of them, if dev says so."""
        best = position.best()
        torch.manual_seed(_seed(self.task.seed, self._done(position), 0))
        plan = batches.plan(self._order(position.epoch), self.task.recipe.batch_size)
        self.work[:] = [replace(work, epoch=position.epoch) for work in plan[: self.steps]]
        model = average.model(self.loader, self.task.options.device)
        eer = dev_eer(cast(Trainable, model), self.dev_loader, self.task)
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
        best, patience = position.best(), self.task.recipe.patience
        if best is None or patience is None or position.epoch - 1 - best.epoch < patience:
            return False
        self.task.note(f"no better dev EER for {patience} epochs: training stops")
        return True

    def _train_epoch(self, position: Position) -> Position:
        processes = self.task.processes
        plan = batches.plan(self._order(position.epoch), self.task.recipe.batch_size)
        whole = plan[position.step : self.steps]
        self.work[:] = [
            replace(
                work, epoch=position.epoch, trials=work.trials[processes.rank :: processes.count]
            )
            for work in whole
        ]
        before = time.perf_counter()
        for work, batch in zip(whole, self.loader, strict=True):
            arrived = time.perf_counter()
            loss = self._step(work, batch, position)
            now = time.perf_counter()
            position = position.model_copy(
                update={
                    "step": position.step + 1,
                    "loss_sum": position.loss_sum + loss,
                    "seconds": position.seconds + now - before,
                    "waited": position.waited + arrived - before,
                }
            )
            before = now
            self.progress(self._done(position), self.task.recipe.epochs * self.steps)
            told = self.told.number is not None
            due = time.perf_counter() - self.saved > self.task.checkpoint_seconds
            if processes.any(value=told or due):  # clocks differ: all must do the same
                self._save(position)
                if processes.any(value=told):
                    raise self.told.error(self.task.folder)
        return position

    def _order(self, epoch: int) -> list[Trial]:
        """Return the train trials in the order of ``epoch``, which only the seed decides."""
        order = np.random.default_rng([self.task.seed, epoch]).permutation(
            len(self.task.train.trials)
        )
        return [self.task.train.trials[place] for place in order]

    def _done(self, position: Position) -> int:
        """Return how many steps of all epochs are done."""
        return (position.epoch - 1) * self.steps + position.step

    def _step(self, work: Work, batch: Batch, position: Position) -> float:
        """Learn from this process's share of ``work``; return the loss of the whole."""
        if batch.error is not None:
            raise batch.error
        if batch.failures:
            raise FailedTrials(
                "\n".join(failure.reason for failure in batch.failures),
                hint="training on less than the protocol says would not be that protocol: "
                "mend the recordings and give the same command again",
            )
        done = self._done(position)
        rate = learning_rate(self.task.recipe, done, self.task.recipe.epochs * self.steps)
        for group in self.learner.optimiser.param_groups:
            group["lr"] = rate * self.task.recipe.rate_of(group["name"], position.epoch)
        moved = batch.to(self.task.options.device)
        total = sum(self.task.recipe.weight(bonafide=trial.bonafide) for trial in work.trials)
        self.learner.model.train()
        while True:
            torch.manual_seed(_seed(self.task.seed, done, self.task.processes.rank))
            try:
                value = self._gradients(moved, total)
                break
            except torch.OutOfMemoryError as error:
                self._spare_memory(error)
        value = self.learner.mean(value)
        if not math.isfinite(value):
            raise InvalidRun(
                f"the loss is {value} in epoch {position.epoch}, on {', '.join(batch.utterances)}",
                hint="a lower learning rate or --clip-norm may help; the last checkpoint is kept",
            )
        self.learner.step(self.task.recipe.clip_norm)
        return value

    def _gradients(self, batch: Batch, total: float) -> float:
        """Compute the gradients of ``batch``, micro-batch by micro-batch; return its loss.

        ``total`` is the weight of the utterances of all processes. Gradients are averaged over the
        processes, so that the loss counts as many times as there are.
        """
        self.learner.optimiser.zero_grad()
        share = self.task.processes.count / total
        value = 0.0
        count = len(batch.utterances)
        for start in range(0, count, self.micro_batch):
            part = slice(start, start + self.micro_batch)
            losses = self.task.recipe.focal(
                self.learner.loss(batch.audio[part], batch.lengths[part], batch.bonafide[part])
            )
            loss = (self.task.recipe.weights(batch.bonafide[part]) * losses).sum() * share
            value += float(loss.detach())
            self.learner.backward(loss, is_last=start + self.micro_batch >= count)
        return value

    def _spare_memory(self, error: Exception) -> None:
        """Halve the micro-batch, which leaves the batch as it is; raise where it is one already."""
        if self.micro_batch == 1:
            raise InvalidRun(
                "the memory does not suffice for one utterance at a time",
                hint="choose shorter crops (--set samples=...), or --precision bf16",
            ) from error
        self.micro_batch = -(-self.micro_batch // 2)
        torch.cuda.empty_cache()
        self.task.note(
            f"memory is short: going on with {self.micro_batch} utterances at a time, "
            f"batches of {self.task.recipe.batch_size} as before"
        )

    def _close(self, position: Position) -> Position:
        """Score dev, keep the weights if they are the best so far, and turn to the next epoch."""
        trained = self.steps * self.task.recipe.batch_size
        eer = self.learner.fabric.broadcast(self._dev_eer())
        epoch = Epoch(
            epoch=position.epoch,
            loss=position.loss_sum / self.steps,
            dev_eer=eer,
            learning_rate=learning_rate(
                self.task.recipe, self._done(position) - 1, self.task.recipe.epochs * self.steps
            ),
            seconds=round(position.seconds, 3),
            waiting=round(position.waited / position.seconds, 4),
            utterances_per_second=round(trained / position.seconds, 3),
            peak_mb=round(peak_mb(self.task.options.device), 1),
        )
        since = self.task.recipe.average_from
        if (
            self.average is not None
            and since is not None
            and epoch.epoch > since * self.task.recipe.epochs
        ):
            self.average.add(self.learner.model)
        following = Position(epoch=epoch.epoch + 1, history=(*position.history, epoch))
        is_best = following.best() == epoch
        if is_best and self.task.processes.is_first:
            weights.save(
                self.learner.model,
                self.task.folder / BEST,
                self.task.origin(epoch=epoch.epoch, dev_eer=epoch.dev_eer),
            )
        self._save(following)
        if self.task.processes.is_first:
            write_text(self.task.folder / HISTORY, checkpoints.csv(following.history))
            self.report(epoch, is_best)
        return following

    def _dev_eer(self) -> float:
        """Return the dev EER; only the first process computes it."""
        if not self.task.processes.is_first:
            return math.nan
        return dev_eer(cast(Trainable, self.learner.model), self.dev_loader, self.task)

    def _save(self, position: Position) -> None:
        if self.task.processes.is_first:
            position = position.model_copy(update={"scaling": self.learner.scaling()})
            checkpoints.save(
                self.task.folder / LAST,
                self.learner.model,
                self.learner.optimiser,
                position,
                self.average,
            )
        self.task.processes.wait_for_all()
        self.saved = time.perf_counter()


def _seed(seed: int, step: int, rank: int) -> int:
    """Return what dropout draws from in one step of one process."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def _loader(task: Task, work: Sequence[Work]) -> Iterable[Batch]:
    """Return what gives a batch for each piece of ``work``, cropped and augmented."""
    device, augmenter = task.options.device, task.augmenter
    in_workers, on_device = augmenter.divided(device) if augmenter is not None else (None, None)
    loader = batches.loader(
        work,
        root=task.train.root,
        rate=task.options.rate,
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


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the rate of ``step`` out of ``steps``: half a cosine from first to last rate."""
    fall = recipe.learning_rate - recipe.final_learning_rate
    return recipe.final_learning_rate + fall * 0.5 * (1 + math.cos(math.pi * step / steps))
