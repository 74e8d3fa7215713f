"""Training: as the recipe says, chosen by the dev protocol alone, and resumable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.optim import Adam

from spoofbench import weights
from spoofbench.contracts import Embedding, PretrainedPart, Progress, Trainable
from spoofbench.errors import InvalidRecipe, InvalidRun
from spoofbench.files import storage_errors
from spoofbench.objectives import ByObjective
from spoofbench.training import checkpoints
from spoofbench.training.averaging import Average
from spoofbench.training.checkpoints import Epoch, Position
from spoofbench.training.fabric import Learner, fabric_for
from spoofbench.training.loop import Loop
from spoofbench.training.recipe import Recipe
from spoofbench.training.stopping import listening
from spoofbench.training.tasks import BEST, LAST, Report, Task


def fit(make: Callable[[], Trainable], task: Task, *, progress: Progress, report: Report) -> Path:
    """Train a model that ``make`` gives, and return the file of the weights chosen by dev EER.

    A run that was cut short goes on where it was; on a processor it then ends with the same bits as
    one that was not. Several processes share each batch; the gradients are those of the whole.
    The generators that dropout and initialisation draw from are seeded, anew in each step, and
    given back as they were.

    Raises `FailedTrials` for a recording that cannot be used, `InvalidRun` if the loss diverges
    or memory does not suffice, `Stopped` on SIGTERM and SIGUSR1.
    """
    with storage_errors(task.folder):
        task.folder.mkdir(parents=True, exist_ok=True)
    devices = [task.options.device] if task.options.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), listening() as told:
        torch.manual_seed(task.seed)
        made = make()
        recipe, aims = task.recipe, task.aims
        model = judged = cast(nn.Module, made)
        if aims is not None:
            judged = aims.judged(cast(Embedding, made), task.train)
        if task.start is not None:
            start_from(judged, task.start, recipe.objective)
        if aims is not None:
            model = aims.lesson(judged, cast(Embedding, made), recipe, task.train, task.options)
        own = {parameter: name for name, parameter in cast(nn.Module, made).named_parameters()}
        optimiser = Adam(
            _groups([(own.get(p, name), p) for name, p in model.named_parameters()], recipe),
            lr=recipe.learning_rate,
            betas=recipe.betas,
            weight_decay=recipe.weight_decay,
        )
        fabric = fabric_for(
            task.options.device,
            task.options.precision,
            task.processes,
            some_unused=bool(recipe.objective),  # the model's own last layer
        )
        learner = Learner(fabric, model, optimiser, judged, compiler=task.compiler)
        last = task.folder / LAST
        average = Average(judged) if recipe.average_from is not None else None
        begun = last.exists()
        position = (
            checkpoints.load(last, learner.parts(), optimiser, average) if begun else Position()
        )
        _refuse_another(last, position, task)
        learner.restore_scaling(position.scaling)
        Loop(learner, average, task, told, progress, report).run_from(position)
    task.processes.wait_for_all()
    return task.folder / BEST


def _refuse_another(file: Path, position: Position, task: Task) -> None:
    """Raise `InvalidRun` for a checkpoint that came by another recipe or seed than the task's."""
    if position.recipe is None:
        return
    was = {"seed": position.seed} | dict(position.recipe)
    asked = {"seed": task.seed} | dict(task.recipe)
    changes = [
        f"{name} was {was[name]}, is {asked[name]}" for name in asked if was[name] != asked[name]
    ]
    if changes:
        raise InvalidRun(
            f"the checkpoint {file} is of another training: {'; '.join(changes)}",
            hint="remove its folder to train from the start",
        )


def start_from(judged: nn.Module, start: weights.Weights, objective: str = "") -> None:
    """Load ``start`` into the model that is ``judged``, or into its pretrained part.

    Weights that were trained here are those of the whole model; those of an objective beside them
    are taken where the ``objective`` is the same. Raises `InvalidWeights`.
    """
    model = judged.model if isinstance(judged, ByObjective) else judged
    began = start.origin.recipe.objective if start.origin else ""
    if began:
        same = began == objective
        weights.load(judged if same else model, start, under="" if same else "model.")
    elif isinstance(model, PretrainedPart) and start.origin is None:
        weights.load(model.pretrained_part(), start)
    else:
        weights.load(model, start)


def _groups(named: Sequence[tuple[str, nn.Parameter]], recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters that learn, those of one rate together, under one of their names.

    Raises `InvalidRecipe` for a rate of which there is no parameter.
    """
    learning = [(name, parameter) for name, parameter in named if parameter.requires_grad]
    known = ", ".join(sorted({own.partition(".")[0] for own, _ in learning}))
    for name in recipe.rates:
        if not any(own.startswith(name) for own, _ in learning):
            raise InvalidRecipe(
                f"rates: no parameter that learns has a name that begins with '{name}'",
                hint=f"they begin with: {known}",
            )
    groups: dict[str, dict[str, Any]] = {}
    for own, parameter in learning:
        matching = [name for name in recipe.rates if own.startswith(name)]
        group = groups.setdefault(max(matching, key=len, default=""), {"params": [], "name": own})
        group["params"].append(parameter)
    return list(groups.values())


def history(folder: Path) -> tuple[Epoch, ...]:
    """Return the epochs that a training in ``folder`` has finished."""
    return checkpoints.position(folder / LAST).history
