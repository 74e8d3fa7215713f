"""How Fabric drives a model: in which precision, compiled or not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from lightning_fabric.plugins.precision import MixedPrecision
from small import Small, task
from torch import Tensor, nn

from spoofbench import weights
from spoofbench.errors import InvalidSettings
from spoofbench.processes import Processes
from spoofbench.training import fit
from spoofbench.training.checkpoints import Epoch
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


def learner(model: nn.Module, precision: str = "fp32", compiler: str = "") -> Learner:
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    fabric = fabric_for(CPU, precision, Processes())
    return Learner(fabric, model, optimiser, compiler=compiler)


@pytest.mark.parametrize(
    ("precision", "computed"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_a_model_computes_in_the_precision_that_was_asked_for(precision, computed):
    model = Seen()
    losses = learner(model, precision).loss(*batch())
    assert model.types == [computed]
    assert losses.dtype == model.layer.weight.dtype == torch.float32


class Plain(nn.Module):
    """A layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return self.layer(audio).squeeze(1).square()


def test_a_compiled_loss_has_the_same_value_and_gradient():
    one, other = Plain(), Plain()
    other.load_state_dict(one.state_dict())
    for driven in (learner(one), learner(other, compiler="aot_eager")):
        driven.backward(driven.loss(*batch()).sum(), is_last=True)
    assert torch.allclose(one.layer.weight.grad, other.layer.weight.grad)
    assert one.layer.weight.grad.abs().sum() > 0


def test_a_loss_is_compiled_as_a_whole_where_this_is_asked_for():
    compiled: list[torch.fx.GraphModule] = []

    def noting(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> torch.fx.GraphModule:
        compiled.append(graph)
        return graph

    torch._dynamo.register_backend(noting, name="noting")
    driven = learner(Plain(), compiler="noting")
    driven.loss(*batch())
    driven.loss(*batch())
    assert len(compiled) == 1


def test_a_compiler_that_is_missing_is_said_with_the_way_out():
    def failing(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> None:
        raise RuntimeError("Failed to find C++ compiler")

    torch._dynamo.register_backend(failing, name="failing")
    with pytest.raises(InvalidSettings, match=r"--compile.*C\+\+ compiler") as refused:
        learner(Plain(), compiler="failing").loss(*batch())
    assert "leave out --compile" in refused.value.hint


def test_a_training_that_is_compiled_keeps_plain_names_and_goes_on_with_the_same_bits(
    tiny, tmp_path
):
    def quiet(done: int, total: int) -> None:
        pass

    def stop(epoch: Epoch, is_best: bool) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    def go_on(epoch: Epoch, is_best: bool) -> None:
        pass

    whole, cut = (
        replace(task(tiny, tmp_path / name), compiler="aot_eager") for name in ("whole", "cut")
    )
    with pytest.raises(KeyboardInterrupt):
        fit.fit(Small, cut, progress=quiet, report=stop)
    files = [fit.fit(Small, chosen, progress=quiet, report=go_on) for chosen in (whole, cut)]
    ours, theirs = (weights.read_tensors(file) for file in files)
    assert ours.keys() == Small().state_dict().keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


class Steep(Plain):
    """The slope of a root at nought is not finite."""

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return (0 * self.layer(audio)).abs().sqrt().squeeze(1)


def test_in_fp16_a_step_whose_gradients_overflow_is_left_out_and_is_no_failure():
    """A processor has no autocast to fp16; the loss scale works there, too."""
    model = Steep()
    fabric = fabric_for(CPU, "fp32", Processes())
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    fabric.strategy._precision = MixedPrecision("16-mixed", "cpu", scaler=scaler)
    driven = Learner(fabric, model, torch.optim.SGD(model.parameters(), lr=1.0))
    before = model.layer.weight.detach().clone()
    driven.backward(driven.loss(*batch()).sum(), is_last=True)
    assert not model.layer.weight.grad.isfinite().all()
    assert driven.step(clip_norm=None)
    assert torch.equal(model.layer.weight, before)
    assert scaler.get_scale() == 2.0
