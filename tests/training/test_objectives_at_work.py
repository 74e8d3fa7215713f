"""Trainings with objectives, mix-up and teachers: what is learned, kept, and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small import Small, task
from torch import Tensor, nn

from spoofbench import batches, objectives, weights
from spoofbench.errors import InvalidRecipe
from spoofbench.plugins import catalogue
from spoofbench.training import checkpoints, fit, tasks
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.choosing import dev_eer
from spoofbench.training.recipe import Recipe
from spoofbench.weights import Weights

OC = {"objective": "oc-softmax", "objective_options": {"oc-softmax": {"scale": 4.0}}}
EVERYTHING = OC | {"added": {"speaker": 0.3}, "mix_up": 0.5, "average_from": 0.3}
LITTLE = {"epochs": 1, "learning_rate": 1e-12, "final_learning_rate": 0.0}


def quiet(done: int, total: int) -> None:
    pass


def ignore(epoch: Epoch, is_best: bool) -> None:
    pass


def train(chosen: tasks.Task, make: type[nn.Module] = Small) -> Path:
    return fit.fit(make, chosen, progress=quiet, report=ignore)


def assert_equal(one: Path, other: Path) -> None:
    mine, yours = load_file(one), load_file(other)
    assert mine.keys() == yours.keys()
    for name in mine:
        assert torch.equal(mine[name], yours[name]), name


class Killed(Exception):
    pass


@pytest.mark.parametrize(
    "asked",
    [EVERYTHING, {"mix_up": 1.0, "focal_gamma": 1.0, "added": {"speaker": 0.1}}],
    ids=["judged", "own"],
)
@pytest.mark.parametrize("step", [1, 4])
def test_a_training_that_was_killed_ends_with_the_bits_of_one_that_was_not(
    tiny, tmp_path, asked, step
):
    whole, cut = (task(tiny, tmp_path / name, **asked) for name in ("whole", "cut"))
    cut = replace(cut, checkpoint_seconds=0)

    def stop(done: int, total: int) -> None:
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        fit.fit(Small, cut, progress=stop, report=ignore)
    steps: list[int] = []
    fit.fit(Small, cut, progress=lambda done, total: steps.append(done), report=ignore)
    assert steps == list(range(step, 7)), "it began anew"
    assert_equal(train(whole), cut.folder / tasks.BEST)
    assert_equal(whole.folder / tasks.LAST, cut.folder / tasks.LAST)


def test_workers_do_not_change_a_bit(tiny, tmp_path):
    alone, helped = (task(tiny, tmp_path / name, **EVERYTHING) for name in ("a", "b"))
    helped = replace(helped, options=replace(helped.options, workers=2))
    assert_equal(train(alone), train(helped))


@pytest.mark.parametrize("size", [1, 3])
def test_micro_batches_learn_what_the_whole_batch_does(tiny, tmp_path, size):
    class Calm(Small):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.dropout = nn.Identity(), nn.Identity()

    asked = EVERYTHING | {"average_from": None, "bonafide_weight": 0.9}
    whole = train(task(tiny, tmp_path / "whole", **asked), Calm)
    parts = train(replace(task(tiny, tmp_path / "parts", **asked), micro_batch=size), Calm)
    mine, yours = load_file(whole), load_file(parts)
    assert all(torch.allclose(mine[name], yours[name], atol=1e-6) for name in mine)


def test_an_objective_that_judges_is_kept_beside_the_model_and_learns(tiny, tmp_path):
    state = load_file(train(task(tiny, tmp_path / "t", **OC)))
    assert set(state) == {
        *(f"model.{name}" for name in Small().state_dict()),
        "objective.direction",
    }
    still = load_file(train(task(tiny, tmp_path / "still", **OC, **LITTLE)))
    assert not torch.allclose(state["objective.direction"], still["objective.direction"], atol=1e-3)
    assert torch.equal(state["model.out.weight"], still["model.out.weight"]), "it has no part in it"


def test_what_is_added_is_in_the_checkpoint_and_not_in_the_weights(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t", added={"speaker": 0.3})
    assert set(load_file(train(chosen))) == set(Small().state_dict())
    kept = load_file(chosen.folder / tasks.LAST)
    assert "added.0.head.weight" in kept
    learned = kept["added.0.head.weight"]
    still = task(tiny, tmp_path / "still", added={"speaker": 0.3}, **LITTLE)
    train(still)
    begun = load_file(still.folder / tasks.LAST)["added.0.head.weight"]
    assert not torch.allclose(learned, begun, atol=1e-3)


class Undecided(Small):
    """Its own score is the same of everything: an EER of one half."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2, affine=False, momentum=1.0)  # cosines need its mean at once

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return torch.zeros(len(audio))


def test_dev_is_judged_by_the_objective(tiny, tmp_path):
    """The kept weights, loaded anew and scored, have the dev EER that chose them."""
    chosen = task(tiny, tmp_path / "t", **OC, epochs=8, learning_rate=1.0)
    file = train(chosen, Undecided)
    origin = weights.origin_of(file)
    judged = objectives.as_trained(Undecided(), origin.recipe, catalogue())
    weights.load(judged, Weights(file=file, source="file", sha256=""))
    loader = chosen.options.loader(batches.plan(chosen.dev.trials, 4))
    assert dev_eer(judged, loader, chosen) == origin.dev_eer
    assert origin.dev_eer < 0.4


def test_rates_are_those_of_the_models_own_names(tiny, tmp_path):
    """Frozen by its own name, the layer stays as it was made, and the objective learns."""

    class Deep(Small):
        def __init__(self) -> None:
            super().__init__()
            self.model = nn.Linear(2, 2)

        def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
            return self.model(super().embed(audio, lengths))

    frozen = load_file(train(task(tiny, tmp_path / "a", **OC, rates={"model": 0.0}), Deep))
    free = load_file(train(task(tiny, tmp_path / "b", **OC), Deep))
    still = load_file(train(task(tiny, tmp_path / "c", **OC, **LITTLE), Deep))
    name = "model.model.weight"
    assert torch.allclose(frozen[name], still[name], atol=1e-9)
    assert not torch.allclose(free[name], still[name], atol=1e-3)
    same = torch.allclose(frozen["objective.direction"], still["objective.direction"], atol=1e-3)
    assert not same


def begun_with(file: Path, tiny: Path, out: Path, **asked: Any) -> dict[str, Tensor]:
    start = Weights(file=file, source="file", sha256="", origin=weights.origin_of(file))
    return load_file(train(replace(task(tiny, out, **LITTLE, **asked), start=start)))


def test_training_goes_on_from_weights_of_any_objective(tiny, tmp_path):
    judged = train(task(tiny, tmp_path / "oc", **OC))
    plain = train(task(tiny, tmp_path / "plain"))
    state = load_file(judged)
    same = begun_with(judged, tiny, tmp_path / "1", **OC)
    assert torch.allclose(same["objective.direction"], state["objective.direction"], atol=1e-8)
    other = begun_with(judged, tiny, tmp_path / "2", objective="am-softmax")
    assert torch.allclose(other["model.out.bias"], state["model.out.bias"], atol=1e-8)
    none = begun_with(judged, tiny, tmp_path / "3")
    assert torch.allclose(none["out.bias"], state["model.out.bias"], atol=1e-8)
    from_plain = begun_with(plain, tiny, tmp_path / "4", **OC)
    assert torch.allclose(from_plain["model.out.bias"], load_file(plain)["out.bias"], atol=1e-8)


def test_with_a_teacher_alone_a_model_learns_its_answers_and_not_the_keys(tiny, tmp_path):
    """The teacher calls every bona fide utterance spoof, and the model comes to do so too."""
    plain = task(tiny, tmp_path / "p")
    lines = [f"{t.utterance} {-3.0 if t.bonafide else 3.0}\n" for t in plain.train.trials]
    (tmp_path / "teacher.txt").write_text("".join(lines))
    long = {"epochs": 8, "learning_rate": 0.1}
    asked = {"teacher": str(tmp_path / "teacher.txt"), "teacher_weight": 1.0}
    chosen = task(tiny, tmp_path / "t", **asked, **long)
    train(chosen)
    assert max(epoch.dev_eer for epoch in fit.history(chosen.folder)) > 0.8


def test_mix_up_changes_what_is_learned(tiny, tmp_path):
    plain = load_file(train(task(tiny, tmp_path / "a")))
    mixed = load_file(train(task(tiny, tmp_path / "b", mix_up=1.0)))
    assert not torch.allclose(plain["out.weight"], mixed["out.weight"], atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (OC | {"teacher": "FILE"}, "a teacher teaches the model's own logits"),
        (OC | {"focal_gamma": 2.0}, "focal_gamma is for the model's own loss"),
    ],
)
def test_what_cannot_be_had_together_is_refused(tiny, tmp_path, asked, said):
    file = tmp_path / "teacher.txt"
    trials = task(tiny, tmp_path / "p").train.trials
    file.write_text("".join(f"{trial.utterance} 1.5\n" for trial in trials))
    asked = {name: str(file) if value == "FILE" else value for name, value in asked.items()}
    with pytest.raises(InvalidRecipe, match=said):
        task(tiny, tmp_path / "t", **asked)


@pytest.mark.parametrize("field", ["mix_up", "teacher_weight", "temperature"])
def test_numbers_out_of_range_are_refused(field):
    with pytest.raises(ValueError, match=field):
        Recipe.model_validate({field: -1.0})


def test_what_keep_has_kept_is_weights_as_the_best_are(tiny, tmp_path):
    """Beside the model and the objective that judges it holds the objective that is added."""
    chosen = replace(task(tiny, tmp_path / "t", **OC, added={"speaker": 0.3}), keep=9)
    best = train(chosen)
    origin = weights.origin_of(best)
    file = checkpoints.kept(chosen.folder, origin.epoch)
    model = objectives.as_trained(Small(), weights.origin_of(file).recipe, catalogue())
    weights.load(model, Weights(file=file, source="file", sha256=""))
    expected = load_file(best)
    assert model.state_dict().keys() == expected.keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
