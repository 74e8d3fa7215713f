"""Objectives as a recipe names them, and in the place of a model's score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spoofbench import ObjectiveContext, ObjectiveSpec, objectives
from spoofbench.errors import BrokenPlugin, InvalidRecipe, InvalidWeights, UnknownName
from spoofbench.plugins import Catalogue, Offer, Plugin, catalogue
from spoofbench.training.recipe import Recipe
from spoofbench.trials import Trial


class Near(nn.Module):
    """Scores by the first number of an embedding."""

    def __init__(self, context: ObjectiveContext) -> None:
        super().__init__()
        self.context = context
        self.scale = nn.Parameter(torch.full((context.width,), 2.0))

    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Sequence[Trial]) -> Tensor:
        return -self.score(embedded) * (2.0 * bonafide - 1)

    def score(self, embedded: Tensor) -> Tensor:
        return (self.scale * embedded)[:, 0]


def fails(context: ObjectiveContext) -> nn.Module:
    raise ZeroDivisionError("no")


def no_module(context: ObjectiveContext) -> object:
    return object()


def known() -> Catalogue:
    made = Catalogue()
    plugin = Plugin("tests", "tests", "1")
    for name, target, judges in (
        ("near", "Near", True),
        ("beside", "Near", False),
        ("fails", "fails", True),
        ("no-module", "no_module", True),
        ("scoreless", "Scoreless", True),
    ):
        spec = ObjectiveSpec(
            name=name,
            target=f"{__name__}:{target}",
            summary="One.",
            judges=judges,
            options=(("margin", 0.5), ("scale", 4.0)),
        )
        made.objectives.put(Offer(spec, plugin))
    return made


class Scoreless(Near):
    score = None


def recipe(**said: Any) -> Recipe:
    return Recipe.model_validate(said)


def test_options_that_a_recipe_does_not_name_are_the_usual_ones():
    plain = objectives.judging(recipe(objective="near"), known())
    changed = objectives.judging(
        recipe(objective="near", objective_options={"near": {"scale": 7.0}}), known()
    )
    assert (plain.options, changed.options) == ((0.5, 4.0), (0.5, 7.0))
    assert changed.made(3).context == ObjectiveContext(width=3, options=(0.5, 7.0))


def test_what_is_added_has_its_weight_and_its_options():
    asked = recipe(added={"beside": 0.1}, objective_options={"beside": {"margin": 1}})
    (chosen,) = objectives.added(asked, known())
    assert (chosen.weight, chosen.options) == (0.1, (1.0, 4.0))
    assert objectives.judging(asked, known()) is None


def looked_up(asked: Recipe) -> None:
    objectives.judging(asked, known())
    objectives.added(asked, known())


@pytest.mark.parametrize(
    ("said", "error", "message", "hint"),
    [
        ({"objective": "neer"}, UnknownName, "no objective 'neer'", "did you mean 'near'"),
        ({"added": {"besides": 1}}, UnknownName, "no objective 'besides'", "'beside'"),
        ({"objective": "beside"}, InvalidRecipe, "does not judge", "added={beside = 0.1}"),
        (
            {"objective": "near", "objective_options": {"near": {"skale": 1}}},
            InvalidRecipe,
            "no option 'skale'",
            "did you mean 'scale'",
        ),
        (
            {"objective": "near", "objective_options": {"neer": {"scale": 1}}},
            InvalidRecipe,
            "uses no objective 'neer'",
            "did you mean 'near'",
        ),
        ({"objective_options": {"near": {}}}, InvalidRecipe, "uses no objective 'near'", "none"),
        ({"objective": "near", "added": {"near": 1}}, InvalidRecipe, "once more", "out of added"),
    ],
)
def test_what_a_recipe_cannot_mean_is_refused_with_the_way_out(said, error, message, hint):
    with pytest.raises(error, match=message) as refused:
        looked_up(recipe(**said))
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fails", "'fails' of tests .* could not be made: ZeroDivisionError: no"),
        ("no-module", "'no-module' of tests .* is a object"),
        ("scoreless", "'scoreless' of tests .* is a Scoreless"),
    ],
)
def test_a_broken_objective_is_reported_with_whose_it_is(name, said):
    chosen = objectives.judging(recipe(objective=name), known())
    with pytest.raises(BrokenPlugin, match=said):
        chosen.made(3)


class Model(nn.Module):
    width = 2

    def __init__(self, faster: bool = False) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(3.0))

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return self.gain * audio[:, :2]

    def judge(self, embedded: Tensor) -> Tensor:
        return embedded

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return self.embed(audio, lengths)[:, 1]


class Optimised(Model):
    """Its faster way has embeddings of its own, or only a score."""

    def __init__(self, faster: nn.Module) -> None:
        super().__init__()
        self.faster = faster

    def optimise(self, dtype: torch.dtype) -> nn.Module:
        return self.faster


class ScoreAlone(nn.Module):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return audio[:, 0] - 99


AUDIO, LENGTHS = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), torch.tensor([3, 3])


def test_weights_of_an_objective_are_scored_by_it():
    judged = objectives.as_trained(Model(), recipe(objective="near"), known())
    assert judged.score(AUDIO, LENGTHS).tolist() == [6.0, 24.0]
    assert set(judged.state_dict()) == {"model.gain", "objective.scale"}


def test_other_weights_are_scored_by_the_model_itself():
    model = Model()
    assert objectives.as_trained(model, recipe(added={"beside": 1}), known()) is model


def test_a_model_without_embeddings_has_no_weights_of_an_objective():
    with pytest.raises(InvalidWeights, match=r"no embed\(\)"):
        objectives.as_trained(ScoreAlone(), recipe(objective="near"), known())


def test_the_random_state_is_left_as_it_was():
    before = torch.get_rng_state()
    objectives.as_trained(Model(), recipe(objective="oc-softmax"), catalogue())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_faster_way_is_taken_to_the_embeddings():
    quick = Model()
    nn.init.constant_(quick.gain, 5.0)
    judged = objectives.as_trained(Optimised(quick), recipe(objective="near"), known())
    assert judged.optimise(torch.float32).score(AUDIO, LENGTHS).tolist() == [10.0, 40.0]


@pytest.mark.parametrize("model", [Model(), Optimised(ScoreAlone())])
def test_without_a_faster_way_to_embeddings_scores_are_as_before(model):
    judged = objectives.as_trained(model, recipe(objective="near"), known())
    assert judged.optimise(torch.float32).score(AUDIO, LENGTHS).tolist() == [6.0, 24.0]
