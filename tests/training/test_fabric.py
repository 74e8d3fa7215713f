"""How Fabric drives a model: in which precision, compiled or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric.plugins.precision import MixedPrecision
from small import Small, task
from torch import Tensor, nn

from spoofbench import weights
from spoofbench.errors import InvalidSettings
from spoofbench.plugins import catalogue, instantiate
from spoofbench.processes import Processes
from spoofbench.training import checkpoints, fit
from spoofbench.training.checkpoints import Epoch, Position
from spoofbench.training.fabric import Learner, fabric_for

CPU = torch.device("cpu")


class Seen(nn.Module):
    """Remembers the types of what it heard, and of what its layer computed."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.heard: list[torch.dtype] = []
        self.types: list[torch.dtype] = []

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        self.heard.append(audio.dtype)
        given = self.layer(audio)
        self.types.append(given.dtype)
        return given.squeeze(1)


def batch() -> tuple[Tensor, Tensor, Tensor]:
    return torch.ones(2, 3), torch.tensor([3, 3]), torch.tensor([True, False])


def learner(model: nn.Module, precision: str = "fp32", compiler: str = "") -> Learner:
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    fabric = fabric_for(CPU, precision, Processes())
    return Learner(fabric, model, optimiser, compiler=compiler)


def learn(driven: Learner) -> None:
    driven.optimiser.zero_grad()
    driven.add_gradients(lambda: driven.loss(*batch()).sum(), is_last=True)


@pytest.mark.parametrize(
    ("precision", "computed"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_a_model_computes_in_the_precision_that_was_asked_for(precision, computed):
    model = Seen()
    losses = learner(model, precision).loss(*batch())
    assert model.types == [computed]
    assert model.heard == [torch.float32], "as where it scores"
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
        learn(driven)
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


def scaled(model: nn.Module, scale: float) -> Learner:
    """A processor does not train in fp16; the loss scale works there, too."""
    fabric = fabric_for(CPU, "fp32", Processes())
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    fabric.strategy._precision = MixedPrecision("16-mixed", "cpu", scaler=scaler)
    return Learner(fabric, model, torch.optim.SGD(model.parameters(), lr=1.0))


def test_in_fp16_a_step_whose_gradients_overflow_is_left_out_and_is_no_failure():
    driven = scaled(model := Steep(), 4.0)
    before = model.layer.weight.detach().clone()
    learn(driven)
    assert not model.layer.weight.grad.isfinite().all()
    assert driven.step(clip_norm=None)
    assert torch.equal(model.layer.weight, before)
    assert driven.scaling()["scale"] == 2.0


def test_in_fp16_gradients_that_are_never_finite_are_a_failure_in_the_end():
    driven, steps = scaled(Steep(), 2.0**-9), []
    for _ in range(2):
        learn(driven)
        steps.append(driven.step(clip_norm=None))
    assert steps == [True, False]
    assert driven.scaling()["scale"] == 2.0**-11


def test_in_fp16_a_training_goes_on_from_a_checkpoint(tmp_path: Path):
    one, other = scaled(Plain(), 4.0), scaled(Plain(), 2.0)
    learn(one)
    assert one.step(clip_norm=None)
    file = tmp_path / "last.safetensors"
    checkpoints.save(file, one.parts(), one.optimiser, Position(scaling=one.scaling()))
    position = checkpoints.load(file, other.parts(), other.optimiser)
    other.restore_scaling(position.scaling)
    for driven in (one, other):
        learn(driven)
        assert driven.step(clip_norm=None)
    assert other.scaling() == one.scaling()
    assert torch.equal(other.model.layer.weight, one.model.layer.weight)


def test_the_mean_over_one_process_is_never_moved_to_the_device(monkeypatch):
    """MPS could not hold it: it has no float64."""
    driven = learner(Plain())
    monkeypatch.delattr(type(driven.fabric), "all_reduce")
    assert driven.mean(1 / 3) == 1 / 3


@pytest.mark.parametrize(
    "name",
    ["lfcc-lcnn", "rawnet2", "aasist-l", "aasist-sequential", "aasist-conformer", "late-fusion"],
)
def test_a_built_in_model_learns_in_bfloat16(name):
    offer = catalogue().models.get(name)
    samples = offer.spec.min_samples
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = instantiate(offer, "model")
        before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        driven = learner(model, "bf16")
        heard = 0.1 * torch.randn(2, samples), torch.full((2,), samples), batch()[2]
        driven.add_gradients(lambda: driven.loss(*heard).sum(), is_last=True)
    assert driven.step(clip_norm=1.0)
    assert all(weight.isfinite().all() for weight in model.parameters())
    assert any(not torch.equal(before[name], own) for name, own in model.named_parameters())
