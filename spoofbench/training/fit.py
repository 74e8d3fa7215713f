"""The training loop: as the recipe says, chosen by the dev protocol alone, and resumable."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.optim import Adam
from torch.utils.data import DataLoader

from spoofbench import batches, weights
from spoofbench.batches import Batch, Crop, Failure, RandomCrop, Whole, Work
from spoofbench.contracts import Countermeasure, PretrainedPart, Progress, Trainable
from spoofbench.errors import FailedTrials, InvalidRecipe, InvalidRun
from spoofbench.files import storage_errors, write_text
from spoofbench.metrics.detection import eer_point
from spoofbench.processes import Processes
from spoofbench.protocols import Protocol
from spoofbench.robustness.applying import Applied
from spoofbench.scores import ScoreTable
from spoofbench.scoring import Options, optimised, score_batches
from spoofbench.terms import Terms
from spoofbench.training import checkpoints
from spoofbench.training.augmenting import Augmented
from spoofbench.training.averaging import Average
from spoofbench.training.checkpoints import Epoch, Position
from spoofbench.training.fabric import Learner, fabric_for
from spoofbench.training.memory import peak_mb
from spoofbench.training.recipe import Recipe
from spoofbench.training.stopping import Told, listening
from spoofbench.trials import Trial

LAST = "last.safetensors"
BEST = "best.safetensors"
HISTORY = "epochs.csv"

Report = Callable[[Epoch, bool], None]
"""Called after each epoch, with whether it is the best so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is trained, on what, and how. ``options`` says how dev is scored."""

    model_name: str
    train: Terms
    dev: Terms
    recipe: Recipe
    seed: int
    options: Options
    folder: Path
    start: weights.Weights | None = None
    """What the recipe's ``start`` stands for."""
    conditions: Sequence[Applied] = ()
    """What the recipe's ``augment`` stands for."""
    checkpoint_seconds: float = 600.0
    """How much work a crash may lose."""
    micro_batch: int | None = None
    """Utterances whose gradients are computed at once; None for the whole batch."""
    processes: Processes = field(default_factory=Processes)
    note: Callable[[str], None] = lambda said: None  # noqa: ARG005
    """Told what the user should know."""

    def steps_per_epoch(self) -> int:
        """Return the number of whole batches in the train protocol."""
        return len(self.train.trials) // self.recipe.batch_size

    def origin(self, *, epoch: int, dev_eer: float) -> weights.Origin:
        """Return what is written beside weights that this task gave."""
        return weights.Origin(
            model=self.model_name,
            train=self.train.protocol.name,
            dev=self.dev.protocol.name,
            epoch=epoch,
            dev_eer=dev_eer,
            seed=self.seed,
            recipe=self.recipe,
            chosen_by_eval=self.dev.protocol.role == "eval",
        )


def check_role(protocol: Protocol, use: str) -> None:
    """Raise `InvalidRecipe` for an eval protocol: nothing may be ``use`` (trained on) it."""
    if protocol.role == "eval":
        raise InvalidRecipe(
            f"{protocol.name} has the role eval: nothing may be {use} it",
            hint="name a protocol with the role train, and one with the role dev",
        )


def check(train: Terms, dev: Terms, recipe: Recipe, *, paper_selection: bool = False) -> None:
    """Raise `InvalidRecipe` unless a model may be trained on ``train`` and chosen by ``dev``.

    Nothing of an eval protocol may leak into training or selection; with ``paper_selection`` it may
    choose, and every table will say so.
    """
    for use, terms in (("trained on", train), ("chosen by", dev)):
        if not (paper_selection and terms is dev):
            check_role(terms.protocol, use)
        classes = {trial.bonafide for trial in terms.trials}
        if classes != {True, False}:
            raise InvalidRecipe(f"{terms.protocol.name} needs bona fide and spoof trials")
    shared = {t.utterance for t in train.trials} & {t.utterance for t in dev.trials}
    if shared:
        raise InvalidRecipe(
            f"{train.protocol.name} and {dev.protocol.name} share {len(shared):,} utterances, "
            f"{min(shared)} for one",
            hint="choosing a model by what it was trained on says nothing",
        )
    if len(train.trials) < recipe.batch_size:
        raise InvalidRecipe(
            f"{train.protocol.name} has {len(train.trials):,} trials, "
            f"fewer than one batch of {recipe.batch_size}",
            hint="choose a smaller batch size",
        )


def fit(make: Callable[[], Trainable], task: Task, *, progress: Progress, report: Report) -> Path:
    """Train a model that ``make`` gives, and return the file of the weights chosen by dev EER.

    A run that was cut short goes on where it was; on a processor it then ends with the same bits as
    one that was not. Several processes share each batch; the gradients are those of the whole.
    The generators that dropout and initialisation draw from are seeded, anew in each step, and
    given back as they were.

    Raises `FailedTrials` for a recording that cannot be used, `InvalidRun` if the loss diverges,
    `Stopped` on SIGTERM and SIGUSR1.
    """
    with storage_errors(task.folder):
        task.folder.mkdir(parents=True, exist_ok=True)
    devices = [task.options.device] if task.options.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), listening() as told:
        torch.manual_seed(task.seed)
        made = make()
        if task.start is not None:
            start_from(made, task.start)
        model = cast(nn.Module, made)
        recipe = task.recipe
        optimiser = Adam(
            _groups(model, recipe),
            lr=recipe.learning_rate,
            betas=recipe.betas,
            weight_decay=recipe.weight_decay,
        )
        fabric = fabric_for(task.options.device, task.options.precision, task.processes)
        learner = Learner(fabric, model, optimiser)
        last = task.folder / LAST
        average = Average(model) if recipe.average_from is not None else None
        begun = last.exists()
        position = checkpoints.load(last, model, optimiser, average) if begun else Position()
        learner.restore_scaling(position.scaling)
        _Loop(learner, average, task, told, progress, report).run_from(position)
    task.processes.wait_for_all()
    return task.folder / BEST


def start_from(model: Countermeasure, start: weights.Weights) -> None:
    """Load ``start`` into ``model``, or into its pretrained part where it has one.

    Weights that were trained here are those of the whole model. Raises `InvalidWeights`.
    """
    if isinstance(model, PretrainedPart) and start.origin is None:
        weights.load(model.pretrained_part(), start)
    else:
        weights.load(cast(nn.Module, model), start)


class _Loop:
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
        self.loader = batches.loader(
            self.work,
            root=task.train.root,
            rate=task.options.rate,
            crop=_crop(task),
            workers=task.options.workers,
            pin=task.options.device.type == "cuda",
        )
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


def _groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters that learn, those of one rate together, under one of their names.

    Raises `InvalidRecipe` for a rate of which there is no parameter.
    """
    learning = {n: p for n, p in model.named_parameters() if p.requires_grad}
    known = ", ".join(sorted({parameter.partition(".")[0] for parameter in learning}))
    for name in recipe.rates:
        if not any(parameter.startswith(name) for parameter in learning):
            raise InvalidRecipe(
                f"rates: no parameter that learns has a name that begins with '{name}'",
                hint=f"they begin with: {known}",
            )
    named: dict[str, list[str]] = {}
    for parameter in learning:
        matching = [name for name in recipe.rates if parameter.startswith(name)]
        named.setdefault(max(matching, key=len, default=""), []).append(parameter)
    return [{"params": [learning[n] for n in names], "name": names[0]} for names in named.values()]


def _seed(seed: int, step: int, rank: int) -> int:
    """Return what dropout draws from in one step of one process."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def _crop(task: Task) -> Crop:
    """Return what makes of a train utterance what the model is to hear."""
    samples, seed = task.recipe.samples, task.seed
    plain: Crop = (
        RandomCrop(samples=samples, seed=seed)
        if samples
        else Whole(at_least=task.options.min_samples)
    )
    if not task.conditions:
        return plain
    return Augmented(
        crop=plain, conditions=task.conditions, share=task.recipe.augment_share, seed=seed
    )


def history(folder: Path) -> tuple[Epoch, ...]:
    """Return the epochs that a training in ``folder`` has finished."""
    return checkpoints.position(folder / LAST).history


def dev_eer(model: Countermeasure, loader: DataLoader[Batch], task: Task) -> float:
    """Return the EER of ``model`` on the task's dev protocol, which ``loader`` reads, a fraction.

    Raises `FailedTrials` for trials that cannot be scored.
    """
    scores: dict[str, float] = {}
    failures: list[Failure] = []
    for scored in score_batches(optimised(model, task.options), loader, task.options):
        scores |= {utterance: float(score) for utterance, score in scored.scores}
        failures += scored.failures
    if failures:
        raise FailedTrials(
            f"{len(failures):,} dev trials could not be scored: {failures[0].reason}",
            hint="mend the recordings, or lower the learning rate if scores are not finite",
        )
    table = ScoreTable.join(task.dev.trials, scores, source=task.dev.protocol.name)
    return eer_point(table.scores[table.bonafide], table.scores[~table.bonafide]).eer


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the rate of ``step`` out of ``steps``: half a cosine from first to last rate."""
    fall = recipe.learning_rate - recipe.final_learning_rate
    return recipe.final_learning_rate + fall * 0.5 * (1 + math.cos(math.pi * step / steps))
