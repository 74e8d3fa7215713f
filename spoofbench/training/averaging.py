"""The even average of the weights of several epochs (stochastic weight averaging)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

from spoofbench.batches import Batch
from spoofbench.contracts import Countermeasure, Trainable


class Average:
    """Averages weights epoch by epoch.

    Source: Izmailov et al., "Averaging weights leads to wider optima and better generalization",
    UAI 2018 (https://arxiv.org/abs/1803.05407).
    """

    def __init__(self, model: nn.Module) -> None:
        self._average = AveragedModel(model)

    @property
    def count(self) -> int:
        """How many epochs are in it."""
        return int(self._average.n_averaged)

    def add(self, model: nn.Module) -> None:
        """Take the weights that ``model`` has now into the average."""
        self._average.update_parameters(model)

    def model(self, batches: Iterable[Batch], device: torch.device) -> nn.Module:
        """Return a model with the average, its batch norms measured anew on ``batches``."""
        learned: nn.Module = self._average.module
        triples = (batch.to(device) for batch in batches)
        update_bn((((b.audio, b.lengths, b.bonafide),) for b in triples), _Heard(learned))
        return learned

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint keeps."""
        return dict(self._average.state_dict())

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self._average.load_state_dict(state)


class _Heard(nn.Module):
    """Calls a model's loss, or score, for torch's `update_bn`, which calls a forward."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        if isinstance(self.model, Trainable):
            return self.model.loss(*batch)
        audio, lengths, _ = batch
        return cast(Countermeasure, self.model).score(audio, lengths)
