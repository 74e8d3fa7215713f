"""The formulas of the loop."""

import math

import pytest
import torch
from torch import nn

from spoofbench.training import loop
from spoofbench.training.recipe import Recipe


def test_the_learning_rate_falls_from_the_first_to_the_last_by_half_a_cosine():
    recipe = Recipe(learning_rate=1e-4, final_learning_rate=5e-6)
    assert loop.learning_rate(recipe, 0, 100) == pytest.approx(1e-4)
    assert loop.learning_rate(recipe, 50, 100) == pytest.approx((1e-4 + 5e-6) / 2)
    assert loop.learning_rate(recipe, 100, 100) == pytest.approx(5e-6)
    quarter = 5e-6 + (1e-4 - 5e-6) * (1 + math.sqrt(0.5)) / 2
    assert loop.learning_rate(recipe, 25, 100) == pytest.approx(quarter)


def test_the_learning_rate_is_that_of_torchs_cosine_schedule():
    recipe, steps = Recipe(learning_rate=1e-3, final_learning_rate=1e-5), 30
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps, eta_min=1e-5)
    for step in range(steps):
        assert loop.learning_rate(recipe, step, steps) == pytest.approx(
            schedule.get_last_lr()[0], rel=1e-6
        )
        optimiser.step()
        schedule.step()
