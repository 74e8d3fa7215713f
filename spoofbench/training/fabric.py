"""Where a training computes: Lightning Fabric for one process or several, and any precision."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch.optim import Optimizer

from spoofbench.contracts import Trainable
from spoofbench.processes import Processes

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fabric_for(
    device: torch.device, precision: str, processes: Processes, *, some_unused: bool = False
) -> Fabric:
    """Return what moves tensors, scales losses and averages gradients over ``processes``.

    ``some_unused`` says that there are parameters which the loss does not hang on.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what its own imports will have deprecated
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    several = processes.count > 1
    one = [device.index or 0] if device.type == "cuda" else 1
    fabric = Fabric(
        accelerator=device.type,
        devices=processes.count // processes.nodes if several else one,
        num_nodes=processes.nodes,
        strategy=DDPStrategy(find_unused_parameters=some_unused) if several else "auto",
        precision=cast(Any, _PRECISIONS[precision]),
    )
    fabric.launch()  # nothing is launched: torchrun has done so
    return fabric


class Learner:
    """A model and its optimiser, as Fabric drives them.

    ``model`` and ``optimiser`` are the plain ones: what is saved and loaded. ``judged`` is the part
    of the model that is scored and kept, all of it if not given.
    """

    def __init__(
        self,
        fabric: Fabric,
        model: nn.Module,
        optimiser: Optimizer,
        judged: nn.Module | None = None,
    ) -> None:
        self.fabric = fabric
        self.model = model
        self.judged = judged or model
        self.optimiser = optimiser
        self._driven, self._driver = fabric.setup(model, optimiser)
        self._driven.mark_forward_method("loss")

    def loss(self, *batch: Any) -> torch.Tensor:
        """Return the model's losses of ``batch`` ``(batch,)``, in float32."""
        return cast(Trainable, self._driven).loss(*batch).float()

    def backward(self, loss: torch.Tensor, *, is_last: bool) -> None:
        """Add the gradients of ``loss``; those of all processes are averaged at the last."""
        with self.fabric.no_backward_sync(self._driven, enabled=not is_last):
            self.fabric.backward(loss)

    def mean(self, value: float) -> float:
        """Return the mean of ``value`` over all processes."""
        total = self.fabric.all_reduce(torch.tensor(value, dtype=torch.float64), reduce_op="mean")
        return float(cast(torch.Tensor, total))

    def step(self, clip_norm: float | None) -> None:
        """Clip the gradients, if asked, and move the parameters."""
        if clip_norm is not None:
            self.fabric.clip_gradients(
                self._driven, self._driver, max_norm=clip_norm, error_if_nonfinite=False
            )
        self._driver.step()

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
