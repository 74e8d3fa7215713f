"""Where a training computes: Lightning Fabric for one process or several, and any precision."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch.optim import Optimizer

from spoofbench.contracts import Trainable
from spoofbench.errors import InvalidRun, InvalidSettings
from spoofbench.processes import Processes

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_MIXED = {"fp32": None, "bf16": "bf16-mixed", "fp16": "16-mixed"}
_LEAST_SCALE = 2**-10
"""The loss scale begins at 2**16, and is halved whenever a gradient is not finite."""


def fabric_for(
    device: torch.device, precision: str, processes: Processes, *, some_unused: bool = False
) -> Fabric:
    """Return what moves tensors, scales losses and averages gradients over ``processes``.

    ``some_unused`` says that there are parameters which the loss does not hang on. Buffers are each
    process's own.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what its own imports will have deprecated
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.precision import MixedPrecision
        from lightning_fabric.strategies.ddp import DDPStrategy

    class Autocast(MixedPrecision):
        """Gives a model float32 audio, as scoring does; Fabric would round it to 16 bits."""

        def convert_input(self, data: Any) -> Any:
            return data

    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    several = processes.count > 1
    one = [device.index or 0] if device.type == "cuda" else 1
    mixed = _MIXED[precision]
    fabric = Fabric(
        accelerator=device.type,
        devices=processes.count // processes.nodes if several else one,
        num_nodes=processes.nodes,
        # A process that is short of memory computes a part again: were buffers sent at a forward,
        # it would wait for the others, which send them once.
        strategy=DDPStrategy(broadcast_buffers=False, find_unused_parameters=some_unused)
        if several
        else "auto",
        plugins=[Autocast(cast(Any, mixed), device.type)] if mixed else None,
    )
    fabric.launch()  # nothing is launched: torchrun has done so
    return fabric


@contextmanager
def _compiling() -> Iterator[None]:
    """Say in words that a compiler is missing, or that it cannot compile this model."""
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        said = " ".join(str(error).split("\n")[:2])
        raise InvalidSettings(
            f"--compile: torch cannot compile this model here: {said}",
            hint="a processor needs a C++ compiler, such as g++, CUDA needs Triton; "
            "or leave out --compile",
        ) from error


class _Loss(nn.Module):
    """Calls a model's loss as its forward, around which Fabric puts autocast and DDP.

    In one process Fabric calls any other method as it is: without autocast.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *batch: Any) -> torch.Tensor:
        return cast(Trainable, self.model).loss(*batch)


class Learner:
    """A model and its optimiser, as Fabric drives them.

    ``model`` and ``optimiser`` are the plain ones: what is saved and loaded. ``judged`` is the part
    of the model that is scored and kept, all of it if not given. With a ``compiler``, a backend of
    `torch.compile`, the loss is compiled; Fabric does so again around DDP.
    """

    def __init__(
        self,
        fabric: Fabric,
        model: nn.Module,
        optimiser: Optimizer,
        judged: nn.Module | None = None,
        *,
        compiler: str = "",
    ) -> None:
        self.fabric = fabric
        self.model = model
        self.judged = judged or model
        self.optimiser = optimiser
        loss: nn.Module = _Loss(model)
        if compiler:
            loss = cast(nn.Module, torch.compile(loss, backend=compiler))
        self._compiling = _compiling if compiler else nullcontext
        self._driven, self._driver = fabric.setup(loss, optimiser)

    def parts(self) -> Mapping[str, nn.Module]:
        """Return all that learns: what is judged, called ``model``, and what else there is."""
        others = self.model.named_children() if self.judged is not self.model else ()
        return {"model": self.judged} | {n: part for n, part in others if part is not self.judged}

    def loss(self, *batch: Any) -> torch.Tensor:
        """Return the model's losses of ``batch`` ``(batch,)``, in float32.

        Raises `InvalidSettings` if they cannot be compiled, as this was asked for.
        """
        with self._compiling():
            return cast(torch.Tensor, self._driven(*batch)).float()

    def add_gradients(self, loss: Callable[[], torch.Tensor], *, is_last: bool) -> float:
        """Add the gradients of what ``loss`` returns; return its value.

        Gradients of all processes are averaged at the last, which DDP must know when ``loss`` calls
        the model; before that, no process waits for another. Raises `InvalidRun` if memory runs out
        while they are averaged.
        """
        with self.fabric.no_backward_sync(self._driven, enabled=not is_last):
            value = loss()
            try:
                with self._compiling():
                    self.fabric.backward(value)
            except torch.OutOfMemoryError as error:
                if not is_last or self.fabric.world_size == 1:
                    raise
                raise InvalidRun(
                    "memory ran out while gradients were averaged over the processes, "
                    "which cannot be begun anew",
                    hint="compute fewer utterances at a time: --micro-batch N",
                ) from error
        return float(value.detach())

    def mean(self, value: float) -> float:
        """Return the mean of ``value`` over all processes."""
        if self.fabric.world_size == 1:  # Fabric would move it to the device: MPS has no float64
            return value
        total = self.fabric.all_reduce(torch.tensor(value, dtype=torch.float64), reduce_op="mean")
        return float(cast(torch.Tensor, total))

    def step(self, clip_norm: float | None) -> bool:
        """Clip the gradients, if asked, and move the parameters.

        Returns False, and leaves them where they are, if a gradient is not finite. In fp16 the loss
        scale leaves out such a step by itself and shrinks, which is no failure until little of the
        scale is left.
        """
        scaler = self._scaler()
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        if scaler is None and not nn.utils.get_total_norm(gradients).isfinite():
            return False
        if clip_norm is not None:
            self.fabric.clip_gradients(
                self._driven, self._driver, max_norm=clip_norm, error_if_nonfinite=False
            )
        self._driver.step()
        return scaler is None or scaler.get_scale() >= _LEAST_SCALE

    def scaling(self) -> Mapping[str, float]:
        """Return the state of the loss scale, for a checkpoint; empty where there is none."""
        scaler = self._scaler()
        return scaler.state_dict() if scaler is not None else {}

    def restore_scaling(self, state: Mapping[str, float]) -> None:
        """Go on with the loss scale of a checkpoint."""
        scaler = self._scaler()
        if scaler is not None and state:
            scaler.load_state_dict(dict(state))

    def _scaler(self) -> torch.amp.GradScaler | None:
        return getattr(self.fabric.strategy.precision, "scaler", None)
