"""Training: as the recipe says, chosen by the dev protocol alone, and resumable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.optim import Adam

from spoofbench import weights
from spoofbench.contracts import Countermeasure, PretrainedPart, Progress, Trainable
from spoofbench.errors import InvalidRecipe, InvalidRun
from spoofbench.files import storage_errors
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
        learner = Learner(fabric, model, optimiser, compiler=task.compiler)
        last = task.folder / LAST
        average = Average(model) if recipe.average_from is not None else None
        begun = last.exists()
        position = checkpoints.load(last, model, optimiser, average) if begun else Position()
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


def start_from(model: Countermeasure, start: weights.Weights) -> None:
    """Load ``start`` into ``model``, or into its pretrained part where it has one.

    Weights that were trained here are those of the whole model. Raises `InvalidWeights`.
    """
    if isinstance(model, PretrainedPart) and start.origin is None:
        weights.load(model.pretrained_part(), start)
    else:
        weights.load(cast(nn.Module, model), start)


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


def history(folder: Path) -> tuple[Epoch, ...]:
    """Return the epochs that a training in ``folder`` has finished."""
    return checkpoints.position(folder / LAST).history
