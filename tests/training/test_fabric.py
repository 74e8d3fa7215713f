"""How Fabric drives a model: in which precision, compiled or not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from spoofbench.processes import Processes
from spoofbench.training.fabric import Learner, fabric_for

CPU = torch.device("cpu")


class Seen(nn.Module):
    """Remembers in which types its layer computed."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.types: list[torch.dtype] = []

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        given = self.layer(audio)
        self.types.append(given.dtype)
        return given.squeeze(1)


def batch() -> tuple[Tensor, Tensor, Tensor]:
    return torch.ones(2, 3), torch.tensor([3, 3]), torch.tensor([True, False])


def learner(model: nn.Module, precision: str = "fp32") -> Learner:
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    return Learner(fabric_for(CPU, precision, Processes()), model, optimiser)


@pytest.mark.parametrize(
    ("precision", "computed"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_a_model_computes_in_the_precision_that_was_asked_for(precision, computed):
    model = Seen()
    losses = learner(model, precision).loss(*batch())
    assert model.types == [computed]
    assert losses.dtype == model.layer.weight.dtype == torch.float32
