"""Training that starts from weights: whole ones, or those of a pretrained part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from inprocess import run_here
from program import Outcome
from small import Small, task
from torch import nn

from spoofbench import weights
from spoofbench.errors import InvalidRecipe, InvalidWeights
from spoofbench.plugins import catalogue
from spoofbench.training import fit, tasks
from spoofbench.training.recipe import recipe_for
from spoofbench.weights import Weights

LITTLE = {"epochs": 1, "learning_rate": 1e-12, "final_learning_rate": 0.0}
"""So low a rate that weights stay where training starts."""


class OnTop(Small):
    """A model whose last layer has weights that are published by themselves."""

    def pretrained_part(self) -> nn.Module:
        return self.out


def given(state: dict[str, torch.Tensor], file: Path) -> Weights:
    safetensors.torch.save_file(state, file)
    return Weights(file=file, source="file", sha256="0" * 64)


def quiet(done: int, total: int) -> None:
    pass


def trained(model: Callable[[], nn.Module], start: Weights | None, tiny: Path, out: Path):
    asked = replace(task(tiny, out, **LITTLE), start=start)
    file = fit.fit(model, asked, progress=quiet, report=lambda epoch, best: None)
    return weights.read_tensors(file)


def test_training_starts_where_it_is_told(tiny: Path, tmp_path: Path) -> None:
    torch.manual_seed(99)
    state = Small().state_dict()
    came = trained(Small, given(state, tmp_path / "s.safetensors"), tiny, tmp_path / "out")
    assert torch.allclose(came["out.weight"], state["out.weight"], atol=1e-8)
    plain = trained(Small, None, tiny, tmp_path / "plain")
    assert not torch.allclose(plain["out.weight"], state["out.weight"], atol=1e-2)


def test_a_pretrained_part_takes_what_was_published_of_it(tiny: Path, tmp_path: Path) -> None:
    part = {"weight": torch.full((2, 2), 0.25), "bias": torch.tensor([1.0, -1.0])}
    came = trained(OnTop, given(part, tmp_path / "p.safetensors"), tiny, tmp_path / "out")
    assert torch.allclose(came["out.weight"], part["weight"], atol=1e-8)


def test_what_was_trained_here_is_all_of_the_model(tiny: Path, tmp_path: Path) -> None:
    first = fit.fit(
        OnTop, task(tiny, tmp_path / "1"), progress=quiet, report=lambda epoch, best: None
    )
    start = Weights(file=first, source="file", sha256="", origin=weights.origin_of(first))
    came = trained(OnTop, start, tiny, tmp_path / "2")
    expected = weights.read_tensors(first)["out.weight"]
    assert torch.allclose(came["out.weight"], expected, atol=1e-8)


def test_weights_of_something_else_are_refused_before_anything_is_written(
    tiny: Path, tmp_path: Path
) -> None:
    other = given({"weight": torch.zeros(3, 3)}, tmp_path / "o.safetensors")
    with pytest.raises(InvalidWeights, match="another model"):
        trained(OnTop, other, tiny, tmp_path / "out")
    assert not (tmp_path / "out" / tasks.LAST).exists()


@pytest.fixture
def train(example: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(example)
    monkeypatch.chdir(tmp_path)

    def call(model: str, *args: str | Path) -> Outcome:
        on = ("--train", tiny / "tiny-train.toml", "--data", tiny, "--workers", "0")
        return run_here("train", model, *on, *args)

    return call


def test_start_on_the_command_line_begins_another_training(train) -> None:
    first = train("lfcc-linear", "--set", "epochs=1")
    again = train("lfcc-linear", "--set", "epochs=1", "--start", first.out.strip())
    assert again.code == 0, again.err
    assert Path(again.out.strip()).parent != Path(first.out.strip()).parent
    origin = weights.origin_of(Path(again.out.strip()))
    assert origin.recipe.start == first.out.strip()


def test_a_start_that_is_nowhere_is_refused(train) -> None:
    refused = train("lfcc-linear", "--start", "nowhere.pth")
    assert refused.code == 2
    assert "start nowhere.pth" in refused.err
    assert "Traceback" not in refused.err


def test_a_model_on_a_pretrained_front_end_asks_for_it(train) -> None:
    refused = train("ssl-linear-base")
    assert refused.code == 2
    assert "--start FILE" in refused.err


def test_a_crop_that_is_too_long_for_the_model_is_refused() -> None:
    spec = catalogue().models.get("rawgat-st").spec
    with pytest.raises(InvalidRecipe, match="65,737"):
        recipe_for(spec, corpus={}, options={"samples": 70_000})
