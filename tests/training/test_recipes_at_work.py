"""What a recipe asks for beyond plain Adam: rates, a focal loss, averages, patience."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import pytest
import torch
from small import Small, task
from torch import Tensor, nn
from torch.nn import functional

from spoofbench import weights
from spoofbench.errors import InvalidRecipe
from spoofbench.plugins import catalogue
from spoofbench.training import fit, loop, tasks
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.recipe import Recipe, change, recipe_for


def quiet(done: int, total: int) -> None:
    pass


def ignore(epoch: Epoch, is_best: bool) -> None:
    pass


class Two(Small):
    """A model of two parts that are told apart by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.front = nn.Linear(2, 2)

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        loudness, roughness = audio.std(dim=1), audio.diff(dim=1).std(dim=1)
        features = torch.stack([loudness, roughness], dim=1).clamp(min=1e-6).log()
        return self.norm(self.front(features))

    def judge(self, embedded: Tensor) -> Tensor:
        return self.out(embedded)


def beginning(make: type[nn.Module], seed: int = 5) -> dict[str, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make().state_dict()


def learned(chosen: tasks.Task, make: type[nn.Module] = Two) -> dict[str, Tensor]:
    fit.fit(make, chosen, progress=quiet, report=ignore)
    return {
        name.removeprefix("model."): tensor
        for name, tensor in weights.read_tensors(chosen.folder / tasks.LAST).items()
    }


def moved(chosen: tasks.Task, name: str) -> float:
    return float((learned(chosen)[name] - beginning(Two)[name]).abs().max())


def test_a_rate_of_nought_freezes_what_it_names(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t", rates={"front": 0.0})
    assert moved(chosen, "front.weight") == 0
    assert moved(replace(chosen, folder=tmp_path / "u"), "out.weight") > 0


def test_a_rate_makes_learning_slower_by_as_much(tiny, tmp_path):
    """Adam's first step is as long as the rate, whatever the gradient."""
    once = {"epochs": 1, "batch_size": 10, "weight_decay": 0.0}
    whole = moved(task(tiny, tmp_path / "a", **once), "front.bias")
    tenth = moved(task(tiny, tmp_path / "b", rates={"front": 0.1}, **once), "front.bias")
    assert tenth == pytest.approx(whole / 10, rel=1e-3)


def test_the_longest_name_wins_and_frozen_epochs_come_first():
    recipe = Recipe(rates={"encoder": 0.5, "encoder.0": 0.1}, frozen_epochs=2)
    assert recipe.rate_of("encoder.0.first.weight", 2) == 0
    assert recipe.rate_of("encoder.0.first.weight", 3) == 0.1
    assert recipe.rate_of("encoder.1.first.weight", 3) == 0.5
    assert recipe.rate_of("head.weight", 1) == 1


def test_what_is_frozen_at_first_learns_later(tiny, tmp_path):
    frozen = {"rates": {"front": 1.0}, "frozen_epochs": 3}
    assert moved(task(tiny, tmp_path / "a", **frozen), "front.weight") == 0
    assert moved(task(tiny, tmp_path / "b", **frozen | {"frozen_epochs": 2}), "front.weight") > 0


def test_a_rate_of_nothing_is_refused_with_the_names_there_are(tiny, tmp_path):
    with pytest.raises(InvalidRecipe, match="'encoder'") as refused:
        learned(task(tiny, tmp_path / "t", rates={"encoder": 0.1}))
    assert refused.value.hint == "they begin with: front, out"


def test_rates_are_said_on_the_command_line():
    assert change(["rates={front = 0.1}"]) == {"rates": {"front": 0.1}}


def test_the_focal_loss_is_that_of_the_formula():
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = torch.tensor([0, 1, 1, 0, 1, 0])
    plain = functional.cross_entropy(logits, target, reduction="none")
    right = torch.softmax(logits, dim=1)[torch.arange(6), target]
    expected = (1 - right) ** 2 * -right.log()
    assert torch.allclose(Recipe(focal_gamma=2.0).focal(plain), expected)
    assert Recipe().focal(plain) is plain


def test_the_average_is_that_of_the_epochs_weights(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t", average_from=0.3, epochs=4)
    after: list[dict[str, Tensor]] = []

    class Kept(Two):
        def eval(self):
            after.append({n: p.detach().clone() for n, p in self.named_parameters()})
            return super().eval()

    said: list[str] = []
    fit.fit(Kept, replace(chosen, note=said.append), progress=quiet, report=ignore)
    state = weights.read_tensors(chosen.folder / tasks.LAST)
    assert int(state["average.n_averaged"]) == 3
    expected = torch.stack([epoch["out.weight"] for epoch in after[1:4]]).mean(dim=0)
    assert torch.allclose(state["average.module.out.weight"], expected, atol=1e-6)
    assert said[-1].startswith("average of 3 epochs: dev EER")


def test_the_average_is_kept_only_if_dev_says_so(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t", average_from=0.0, epochs=6, learning_rate=0.1)
    said: list[str] = []
    file = fit.fit(Two, replace(chosen, note=said.append), progress=quiet, report=ignore)
    best = min(epoch.dev_eer for epoch in fit.history(chosen.folder))
    average = float(said[-1].split("dev EER")[1].split("%")[0]) / 100
    origin = weights.origin_of(file)
    assert origin is not None
    assert origin.dev_eer == pytest.approx(min(best, average), abs=1e-4)
    assert said[-1].endswith("(best)") == (average <= best)


def test_a_training_that_averages_goes_on_with_the_same_bits(tiny, tmp_path):
    asked = {"average_from": 0.3, "epochs": 4}
    whole, cut = task(tiny, tmp_path / "whole", **asked), task(tiny, tmp_path / "cut", **asked)

    def stop(epoch: Epoch, is_best: bool) -> None:
        if epoch.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit.fit(Two, cut, progress=quiet, report=stop)
    for chosen in (whole, cut):
        fit.fit(Two, chosen, progress=quiet, report=ignore)
    ours, theirs = (weights.read_tensors(c.folder / tasks.LAST) for c in (whole, cut))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    ours, theirs = (weights.read_tensors(c.folder / tasks.BEST) for c in (whole, cut))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_patience_ends_what_does_not_become_better(tiny, tmp_path):
    still = {"epochs": 9, "learning_rate": 1e-12, "final_learning_rate": 0.0, "patience": 2}
    said: list[str] = []
    chosen = replace(task(tiny, tmp_path / "t", **still), note=said.append)
    fit.fit(Still, chosen, progress=quiet, report=ignore)
    history = fit.history(chosen.folder)
    first = min(history, key=lambda epoch: epoch.dev_eer).epoch
    assert len(history) == min(9, first + 2)
    assert said[-1] == "no better dev EER for 2 epochs: training stops"


def test_patience_counts_from_the_first_of_the_epochs_that_are_equally_good(
    tiny, tmp_path, monkeypatch
):
    """An EER of zero cannot become better; the weights are still those of the last."""
    eers = iter([0.5, 0.0, 0.0, 0.0, 0.0])
    monkeypatch.setattr(loop, "dev_eer", lambda *asked: next(eers))
    chosen = task(tiny, tmp_path / "t", epochs=9, patience=2)
    file = fit.fit(Two, chosen, progress=quiet, report=ignore)
    assert [epoch.dev_eer for epoch in fit.history(chosen.folder)] == [0.5, 0.0, 0.0, 0.0]
    assert weights.origin_of(file).epoch == 4


class Still(Two):
    """Its scores become worse with each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def eval(self):
        self.asked += 1
        return super().eval()

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        tone = -audio.diff(dim=1).std(dim=1)
        return tone if self.asked <= 1 else -tone


@pytest.mark.parametrize("name", ["paper", "la", "la-rawboost", "finetune", "mini"])
def test_every_further_recipe_of_aasist_can_be_used(name):
    from spoofbench_aasist.model import aasist

    spec = catalogue().models.get("aasist").spec
    recipe = recipe_for(spec, corpus={"epochs": 1}, file=name)
    assert (files("spoofbench_aasist") / f"{name}.toml").read_text().startswith("# ")
    assert recipe.epochs > 1, "no corpus overrides a recipe that was asked for"
    groups = fit._groups(list(aasist().named_parameters()), recipe)
    assert len(groups) == len(recipe.rates) + 1
    assert sum(len(g["params"]) for g in groups) == sum(
        p.requires_grad for p in aasist().parameters()
    )


def test_a_recipe_that_is_no_name_is_a_file():
    spec = catalogue().models.get("aasist").spec
    with pytest.raises(InvalidRecipe, match=r"la-paper") as refused:
        recipe_for(spec, corpus={}, file="la-paper")
    assert "paper, la, la-rawboost, finetune, mini" in refused.value.hint
