"""Objectives by name: as a recipe chooses them, and in the place of a model's own score."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from spoofbench.contracts import (
    Countermeasure,
    Embedding,
    JudgingObjective,
    Objective,
    ObjectiveContext,
    Optimisable,
)
from spoofbench.errors import BrokenPlugin, InvalidRecipe, InvalidWeights, SpoofbenchError
from spoofbench.plugins import Catalogue, Offer
from spoofbench.specs import ObjectiveSpec
from spoofbench.training.recipe import Recipe
from spoofbench.trials import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An objective that a recipe names, with its options and the weight of its loss."""

    offer: Offer[ObjectiveSpec]
    options: tuple[float, ...]
    weight: float = 1.0

    def made(self, width: int, trials: Sequence[Trial] = ()) -> nn.Module:
        """Make it for embeddings of ``width``, drawing from torch's own random state.

        Raises `BrokenPlugin`, and whatever it says of the train ``trials``.
        """
        spec = self.offer.spec
        context = ObjectiveContext(width=width, options=self.options, trials=trials)
        try:
            made = spec.resolve()(context)
        except SpoofbenchError:
            raise
        except Exception as error:
            raise BrokenPlugin(
                f"the objective '{spec.name}' of {self.offer.plugin} could not be made: "
                f"{type(error).__name__}: {error}",
                hint=f"call {spec.target} in Python to see where",
            ) from error
        wanted = JudgingObjective if spec.judges else Objective
        if not isinstance(made, nn.Module) or not isinstance(made, wanted):
            raise BrokenPlugin(
                f"the objective '{spec.name}' of {self.offer.plugin} is a {type(made).__name__}",
                hint="it must be a torch.nn.Module with loss(), and score() if it judges",
            )
        return made


def judging(recipe: Recipe, known: Catalogue) -> Chosen | None:
    """Return the objective that judges by ``recipe``; None for the model's own loss and score.

    Raises `UnknownName`, `DisputedName`, `InvalidRecipe`.
    """
    if not recipe.objective:
        return None
    offer = known.objectives.get(recipe.objective)
    if not offer.spec.judges:
        able = [other.spec.name for other in known.objectives if other.spec.judges]
        raise InvalidRecipe(
            f"the objective '{recipe.objective}' does not judge: it has no score",
            hint=f"add its loss to the model's own, --set 'added={{{recipe.objective} = 0.1}}', "
            f"or choose one that judges: {', '.join(able)}",
        )
    return _chosen(offer, recipe.objective_options.get(recipe.objective, {}))


def added(recipe: Recipe, known: Catalogue) -> tuple[Chosen, ...]:
    """Return the objectives whose losses ``recipe`` adds.

    Raises `UnknownName`, `DisputedName`, `InvalidRecipe`.
    """
    named = {recipe.objective, *recipe.added}
    for name in recipe.objective_options:
        if name not in named:
            raise InvalidRecipe(
                f"objective_options: the recipe uses no objective '{name}'",
                hint=_nearest(name, sorted(filter(None, named))),
            )
    if recipe.objective in recipe.added:
        raise InvalidRecipe(
            f"the objective '{recipe.objective}' judges, so its loss cannot be added once more",
            hint="take it out of added",
        )
    return tuple(
        _chosen(known.objectives.get(name), recipe.objective_options.get(name, {}), weight)
        for name, weight in recipe.added.items()
    )


def _chosen(
    offer: Offer[ObjectiveSpec], changed: Mapping[str, float], weight: float = 1.0
) -> Chosen:
    usual = dict(offer.spec.options)
    for name in changed:
        if name not in usual:
            raise InvalidRecipe(
                f"objective_options: '{offer.spec.name}' has no option '{name}'",
                hint=_nearest(name, list(usual)),
            )
    return Chosen(offer=offer, options=tuple((usual | dict(changed)).values()), weight=weight)


def _nearest(name: str, known: Sequence[str]) -> str:
    if close := difflib.get_close_matches(name, known, n=1):
        return f"did you mean '{close[0]}'?"
    return f"known here: {', '.join(known) or 'none'}"


class ByObjective(nn.Module):
    """A model whose embeddings an objective judges; the model's own last layer is left as made."""

    def __init__(self, model: Embedding, objective: nn.Module) -> None:
        super().__init__()
        self.model = cast(nn.Module, model)
        self.objective = objective

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the objective's score of ``audio`` ``(batch, time)``: ``(batch,)``."""
        embedded = cast(Embedding, self.model).embed(audio, lengths)
        with torch.autocast(audio.device.type, enabled=False):
            return cast(JudgingObjective, self.objective).score(embedded.float())

    def optimise(self, dtype: torch.dtype) -> Countermeasure:
        """Return what scores the same, on the faster way to the embeddings, if there is one."""
        if not isinstance(self.model, Optimisable):
            return self
        faster = self.model.optimise(dtype)
        return ByObjective(faster, self.objective) if isinstance(faster, Embedding) else self


def as_trained(model: Countermeasure, recipe: Recipe, known: Catalogue) -> Countermeasure:
    """Return what takes, and scores with, weights that ``recipe`` gave.

    That is ``model``, or the recipe's objective on it. Raises `InvalidWeights` where ``model`` has
    no embeddings to be judged.
    """
    chosen = judging(recipe, known)
    if chosen is None:
        return model
    if not isinstance(model, Embedding):
        raise InvalidWeights(
            f"these weights were trained with the objective '{recipe.objective}', which needs "
            "embeddings, and the model has no embed()",
            hint="name the model that these weights belong to",
        )
    with torch.random.fork_rng(devices=[]):
        return ByObjective(model, chosen.made(model.width))
