"""What a recipe asks to be learned beside, or instead of, a model's own loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from spoofbench import objectives
from spoofbench.contracts import Countermeasure, Embedding
from spoofbench.errors import InvalidRecipe
from spoofbench.objectives import ByObjective, Chosen
from spoofbench.plugins import Catalogue
from spoofbench.scoring import Options
from spoofbench.terms import Terms
from spoofbench.training import teachers
from spoofbench.training.lesson import Lesson
from spoofbench.training.recipe import Recipe
from spoofbench.training.teachers import Taught


@dataclass(frozen=True, slots=True, kw_only=True)
class Aims:
    """What a recipe asks for, looked up: what judges, what is added, and who teaches."""

    objective: Chosen | None = None
    added: tuple[Chosen, ...] = ()
    teacher: Taught | None = None

    def judged(self, model: Embedding, on: Terms) -> nn.Module:
        """Return what is to be scored and kept: ``model``, or the objective on it."""
        if self.objective is None:
            return cast(nn.Module, model)
        return ByObjective(model, self.objective.made(model.width, on.trials))

    def lesson(
        self, judged: nn.Module, model: Embedding, recipe: Recipe, on: Terms, options: Options
    ) -> Lesson:
        """Return the module that learns, of which ``judged`` is a part.

        Raises what makes an objective, or the teacher, impossible.
        """
        return Lesson(
            judged,
            [(chosen.made(model.width, on.trials), chosen.weight) for chosen in self.added],
            recipe=recipe,
            trials=on.trials,
            teacher=self.teacher.ready(options) if self.teacher else None,
        )


def aims_of(
    recipe: Recipe,
    model: Countermeasure,
    name: str,
    on: Terms,
    known: Catalogue,
    rate: int,
    *,
    min_samples: int = 1,
) -> Aims | None:
    """Look up what ``recipe`` asks of the model ``name``; None where it asks for nothing.

    Audio has ``rate`` samples per second, and the model takes ``min_samples`` or more.

    Raises `InvalidRecipe` for what cannot be had together or with this model, and what the look-up
    and the making of an objective raise.
    """
    asked = {
        f"the objective '{recipe.objective}'": recipe.objective,
        f"the objective '{next(iter(recipe.added), '')}'": recipe.added,
        "mix-up": recipe.mix_up,
        "a teacher": recipe.teacher,
        "objective_options": recipe.objective_options,
    }
    needing = [what for what, said in asked.items() if said]
    if not needing:
        return None
    aims = Aims(
        objective=objectives.judging(recipe, known),
        added=objectives.added(recipe, known),
        teacher=teachers.find(
            recipe.teacher,
            known,
            on.trials,
            rate=rate,
            samples=recipe.samples,
            min_samples=min_samples,
        )
        if recipe.teacher
        else None,
    )
    if not isinstance(model, Embedding):
        raise InvalidRecipe(
            f"{name} has no embed() and judge(), which {needing[0]} needs",
            hint="choose another model, or leave it out; docs/reference/plugins.md says what an "
            "Embedding is",
        )
    _check_together(recipe)
    with torch.random.fork_rng(devices=[]):
        for chosen in filter(None, (aims.objective, *aims.added)):
            chosen.made(model.width, on.trials)
    return aims


def _check_together(recipe: Recipe) -> None:
    """Raise `InvalidRecipe` for what is of the model's own loss, where an objective judges."""
    if not recipe.objective:
        return
    if recipe.teacher:
        raise InvalidRecipe(
            f"a teacher teaches the model's own logits, and '{recipe.objective}' judges instead",
            hint="leave out the objective, or the teacher",
        )
    if recipe.focal_gamma:
        raise InvalidRecipe(
            f"focal_gamma is for the model's own loss, and '{recipe.objective}' judges instead",
            hint="set focal_gamma to 0",
        )
