import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from spoofbench import ModelSpec
from spoofbench.errors import InvalidRecipe
from spoofbench.training.recipe import Recipe, change, recipe_for

PLAIN = ModelSpec(name="plain", target="a.b:C", summary="x", samples=8_000, min_samples=100)
AASIST = ModelSpec(
    name="a", target="a.b:C", summary="x", samples=64_600, recipe="spoofbench_aasist:paper.toml"
)


def test_a_model_without_a_recipe_gets_plain_numbers_and_its_own_length():
    assert recipe_for(PLAIN, corpus={}) == Recipe(samples=8_000)


def test_the_recipe_of_aasist_is_the_published_one():
    """Jung et al. 2022, and config/AASIST.conf of https://github.com/clovaai/aasist."""
    assert recipe_for(AASIST, corpus={}) == Recipe(
        epochs=100,
        batch_size=24,
        samples=64_600,
        learning_rate=1e-4,
        final_learning_rate=5e-6,
        betas=(0.9, 0.999),
        weight_decay=1e-4,
        bonafide_weight=0.9,
        spoof_weight=0.1,
        clip_norm=None,
    )


def test_later_sources_win_over_earlier_ones(tmp_path: Path):
    file = tmp_path / "recipe.toml"
    file.write_text("batch_size = 3\nweight_decay = 0.5\n")
    recipe = recipe_for(
        AASIST,
        corpus={"epochs": 7, "batch_size": 2, "weight_decay": 0.25},
        file=file,
        options={"weight_decay": 0.125},
    )
    assert (recipe.epochs, recipe.batch_size, recipe.weight_decay) == (7, 3, 0.125)
    assert recipe.bonafide_weight == 0.9


def test_changes_are_read_as_in_toml():
    assert change(["epochs=5", "betas = [0.5, 0.9]", "learning_rate=1e-3"]) == {
        "epochs": 5,
        "betas": [0.5, 0.9],
        "learning_rate": 1e-3,
    }


def test_a_change_of_something_unknown_is_refused_with_the_nearest():
    with pytest.raises(InvalidRecipe) as error:
        change(["objectiv='oc-softmax'"])
    assert error.value.hint.startswith("did you mean 'objective'?")


@pytest.mark.parametrize(
    "setting",
    [
        "epochs",
        "epoch=5",
        "=5",
        "epochs=",
        "epochs=five",
        "epochs=0",
        "epochs=2.5",
        "learning_rate=-1",
        "learning_rate=nan",
        "learning_rate=inf",
        "betas=[1.5, 0.9]",
        "betas=[0.9]",
        "batch_size=0",
        "clip_norm=0",
    ],
)
def test_a_change_that_makes_no_sense_is_refused_by_name(setting: str):
    with pytest.raises(InvalidRecipe) as error:
        change([setting])
    assert setting in str(error.value)


def test_a_key_that_no_recipe_has_is_refused_with_line_and_nearest_key(tmp_path: Path):
    file = tmp_path / "recipe.toml"
    file.write_text("epochs = 3\nlearning_rat = 1e-3\n")
    with pytest.raises(InvalidRecipe, match=r"recipe\.toml, line 2: .*learning_rat") as error:
        recipe_for(PLAIN, corpus={}, file=file)
    assert "learning_rate" in error.value.hint


@pytest.mark.parametrize("content", [None, b"epochs = ", b"\xff\xfe"])
def test_a_recipe_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, content):
    file = tmp_path / "recipe.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidRecipe, match=r"recipe\.toml"):
        recipe_for(PLAIN, corpus={}, file=file)


def test_crops_shorter_than_the_model_can_take_are_refused():
    with pytest.raises(InvalidRecipe, match="99, are fewer than the 100"):
        recipe_for(PLAIN, corpus={}, options={"samples": 99})
    assert recipe_for(PLAIN, corpus={}, options={"samples": 100}).samples == 100


def test_crops_that_suit_the_corpus_are_no_shorter_than_the_model_can_take():
    long = replace(PLAIN, samples=50_000, min_samples=3_000)
    assert recipe_for(long, corpus={"samples": 2_400}).samples == 3_000
    assert recipe_for(PLAIN, corpus={"samples": 2_400}).samples == 2_400
    with pytest.raises(InvalidRecipe, match="3,000"):
        recipe_for(long, corpus={}, options={"samples": 2_400})


@pytest.mark.parametrize(
    ("mean", "first", "diverges"),
    [(19.9, 2.0, False), (20.1, 2.0, True), (9.9, 0.001, False), (10.1, 0.001, True)],
)
def test_a_loss_diverges_above_so_many_times_the_first_which_is_one_at_least(mean, first, diverges):
    assert Recipe(divergence=10).diverges(mean, first) is diverges
    assert not Recipe(divergence=0).diverges(1e9, first)


def test_the_learning_rate_falls_from_the_first_to_the_last_by_half_a_cosine():
    recipe = Recipe(learning_rate=1e-4, final_learning_rate=5e-6)
    assert recipe.rate_at(0, 100) == pytest.approx(1e-4)
    assert recipe.rate_at(50, 100) == pytest.approx((1e-4 + 5e-6) / 2)
    assert recipe.rate_at(100, 100) == pytest.approx(5e-6)
    quarter = 5e-6 + (1e-4 - 5e-6) * (1 + math.sqrt(0.5)) / 2
    assert recipe.rate_at(25, 100) == pytest.approx(quarter)


def test_the_learning_rate_is_that_of_torchs_cosine_schedule():
    recipe, steps = Recipe(learning_rate=1e-3, final_learning_rate=1e-5), 30
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps, eta_min=1e-5)
    for step in range(steps):
        assert recipe.rate_at(step, steps) == pytest.approx(schedule.get_last_lr()[0], rel=1e-6)
        optimiser.step()
        schedule.step()
