"""Checkpoints: everything a training run needs to go on, in one file that is whole or absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Optimizer

from spoofbench import weights
from spoofbench.errors import InvalidRun
from spoofbench.files import storage_errors, write_tensors
from spoofbench.training.averaging import Average
from spoofbench.training.recipe import Recipe
from spoofbench.weights import POSITION, Origin

KEPT = "epoch-*.safetensors"
"""The names of the checkpoints that are kept beside the last."""


class Epoch(BaseModel):
    """What one pass over the train protocol gave."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    loss: float
    """Mean over the epoch's steps."""
    dev_eer: float
    """A fraction."""
    learning_rate: float
    """At the last step."""
    seconds: float
    """Spent on training; dev scoring is not in it."""
    waiting: float = 0.0
    """Share of the seconds in which training waited for audio."""
    utterances_per_second: float = 0.0
    peak_mb: float = 0.0
    """The most memory taken so far, of the device or the first process."""
    cache_mb: float = 0.0
    """Decoded audio of the train protocol that was held in memory at the end, by all workers."""
    cache_hits: float = 0.0
    """Share of the readings that found it decoded, in memory or in the store."""
    micro_batch: int = 0
    """Utterances that were computed at once, at the end."""


class Position(BaseModel):
    """How far a training run has come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int = 1
    """The epoch under way, counted from 1."""
    step: int = 0
    """Steps of this epoch that are done."""
    loss_sum: float = 0.0
    """Sum of this epoch's losses so far."""
    opening: float | None = None
    """Mean loss of the first tenth of the first epoch, once it is done."""
    seconds: float = 0.0
    """Time spent on this epoch so far."""
    waited: float = 0.0
    """Time of it in which training waited for audio."""
    scaling: Mapping[str, int | float] = {}
    """State of the loss scale, in fp16. It counts steps in whole numbers."""
    micro_batch: int | None = None
    """Utterances that were computed at once; None where that is not known."""
    history: tuple[Epoch, ...] = ()
    recipe: Recipe | None = None
    seed: int | None = None
    """By which recipe and seed it came so far; None where that is not known."""

    def after_step(self, loss: float, *, seconds: float, waited: float, steps: int) -> Position:
        """Return the position after one more step, out of the ``steps`` of an epoch.

        It took so many ``seconds``, in part of which it ``waited`` for audio.
        """
        step, loss_sum = self.step + 1, self.loss_sum + loss
        opening = self.opening
        if opening is None and not self.history and 10 * step >= steps:
            opening = loss_sum / step
        return self.model_copy(
            update={
                "step": step,
                "loss_sum": loss_sum,
                "opening": opening,
                "seconds": self.seconds + seconds,
                "waited": self.waited + waited,
            }
        )

    def best(self) -> Epoch | None:
        """Return the epoch with the lowest dev EER, the last of equals."""
        return min(reversed(self.history), key=lambda epoch: epoch.dev_eer, default=None)


def save(
    file: Path,
    parts: Mapping[str, nn.Module],
    optimiser: Optimizer,
    position: Position,
    average: Average | None = None,
    *,
    origin: Origin | None = None,
) -> None:
    """Write ``file``: weights, their average, optimiser state, random state and ``position``.

    ``parts`` is all that learns; that called ``model`` is what is judged. With an ``origin`` the
    file can be used as its weights, too.
    """
    tensors = {
        f"{part}.{name}": tensor
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in state.items()}
    if average is not None:
        tensors |= {f"average.{name}": tensor for name, tensor in average.state().items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    notes = {POSITION: position.model_dump_json()}
    write_tensors(file, tensors, notes | (weights.note(origin) if origin else {}))


def load(
    file: Path,
    parts: Mapping[str, nn.Module],
    optimiser: Optimizer,
    average: Average | None = None,
) -> Position:
    """Restore from ``file`` what `save` wrote, and return the position.

    Raises `InvalidRun` for a file that is damaged or belongs to another model.
    """
    try:
        reached = position(file)
        with safe_open(file, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        for part, module in parts.items():
            module.load_state_dict(_under(part, tensors))
        if average is not None:
            average.restore(_under("average", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimiser", tensors).items():
            index, _, what = name.partition(".")
            state.setdefault(int(index), {})[what] = tensor
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
        torch.set_rng_state(tensors["random.cpu"])
        if "random.cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random.cuda"])
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise InvalidRun(
            f"the checkpoint {file} cannot be used: {' '.join(str(error).split()[:40])}",
            hint="remove its folder to train from the start",
        ) from error
    return reached


def position(file: Path) -> Position:
    """Return how far the training that wrote ``file`` has come. Raises `InvalidRun`."""
    try:
        with safe_open(file, framework="pt") as stored:
            return Position.model_validate_json((stored.metadata() or {})[POSITION])
    except (SafetensorError, OSError, KeyError, ValidationError) as error:
        raise InvalidRun(
            f"the checkpoint {file} cannot be read: {error}",
            hint="remove its folder to train from the start",
        ) from error


def kept(folder: Path, epoch: int) -> Path:
    """Return the checkpoint of ``epoch`` among those that are kept; the names sort."""
    return folder / KEPT.replace("*", f"{epoch:04}")


def forget(folder: Path, *, through: int) -> None:
    """Remove the kept checkpoints of the epochs up to and with ``through``."""
    for file in folder.glob(KEPT):
        number = file.stem.partition("-")[2]
        if number.isdecimal() and int(number) <= through:
            with storage_errors(file):
                file.unlink()


def csv(history: Sequence[Epoch]) -> str:
    """Return ``history`` as comma-separated lines under a header."""
    names = list(Epoch.model_fields)
    lines = [",".join(str(getattr(epoch, name)) for name in names) for epoch in history]
    return "\n".join([",".join(names), *lines]) + "\n"


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}."): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{prefix}.")
    }
