"""The recipe: every number of a training run, typed, and where each came from."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from spoofbench import tomlfile
from spoofbench.errors import InvalidRecipe
from spoofbench.specs import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor

_DecayRate = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """How a model is trained. The defaults are plain ones; models bring their own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: int = Field(default=20, ge=1)
    """Passes over the train protocol."""
    batch_size: int = Field(default=16, ge=1)
    """Utterances in a step; the last, incomplete batch of an epoch is dropped."""
    samples: int | None = Field(default=None, ge=1)
    """Length of the random crops, and of the input in evaluation; the model's own if not given."""
    learning_rate: float = Field(default=1e-4, gt=0)
    """Adam's step size at the start."""
    final_learning_rate: float = Field(default=5e-6, ge=0)
    """Where the cosine ends, after the last step of the last epoch."""
    betas: tuple[_DecayRate, _DecayRate] = (0.9, 0.999)
    """Adam's decay rates of the two moments."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """Coupled (L2) weight decay."""
    bonafide_weight: float = Field(default=0.5, gt=0)
    """Weight of a bona fide utterance's loss."""
    spoof_weight: float = Field(default=0.5, gt=0)
    """Weight of a spoof's loss."""
    start: str = ""
    """Weights to start from, a name in the model's spec or a file; random ones if not given."""
    rates: Mapping[str, Annotated[float, Field(ge=0)]] = {}
    """Share of the learning rate by which parameters learn whose name begins so; 0 freezes them."""
    frozen_epochs: int = Field(default=0, ge=0)
    """Epochs at the start in which the parameters named in ``rates`` do not learn."""
    focal_gamma: float = Field(default=0.0, ge=0)
    """Exponent of the focal loss: how little utterances count that are judged well already."""
    average_from: float | None = Field(default=None, ge=0, lt=1)
    """Share of the epochs after which the weights of each epoch are averaged (SWA)."""
    patience: int | None = Field(default=None, ge=1)
    """Epochs without a better dev EER after which training stops."""
    clip_norm: float | None = Field(default=None, gt=0)
    """Largest norm of the gradient, if it is to be clipped."""
    divergence: float = Field(default=10.0, ge=0)
    """How often the mean loss at first may be in that of an epoch; 0 for any number."""
    objective: str = ""
    """The objective that judges, instead of the model's own loss and score."""
    added: Mapping[str, Annotated[float, Field(gt=0)]] = {}
    """Objectives whose losses are added, and the weight of each."""
    objective_options: Mapping[str, Mapping[str, float]] = {}
    """Options of objectives, by the objective's name, where they are not the usual ones."""
    mix_up: float = Field(default=0.0, ge=0)
    """Alpha of the Beta distribution by which utterances are mixed in pairs; 0 mixes none."""
    teacher: str = ""
    """Whose answers are learned: a score file of the train protocol, or ``MODEL:WEIGHTS``."""
    teacher_weight: float = Field(default=0.5, gt=0, le=1)
    """Share of the teacher's answers in the loss; the rest is the keys'."""
    temperature: float = Field(default=1.0, gt=0)
    """By what the log-odds of teacher and model are divided before they are compared."""
    augment: tuple[str, ...] = ()
    """Conditions, as in `robustness`, of which one is drawn for an utterance in each epoch."""
    augment_share: float = Field(default=1.0, ge=0, le=1)
    """Share of the utterances to which one is applied."""
    length_buckets: int = Field(default=1, ge=1)
    """Groups of similar length, within which batches of whole utterances are drawn."""

    def focal(self, losses: Tensor) -> Tensor:
        """Return ``losses`` ``(batch,)``, which are cross entropies, as focal losses.

        ``(1 - p) ** gamma * -log p``, p the probability of the right answer. Source: Lin et al.,
        "Focal loss for dense object detection", ICCV 2017 (https://arxiv.org/abs/1708.02002).
        """
        if not self.focal_gamma:
            return losses
        return (1 - (-losses).exp()).clamp(min=1e-6) ** self.focal_gamma * losses

    def diverges(self, mean: float, first: float) -> bool:
        """Say whether a ``mean`` loss is far above what it was at ``first``.

        A first mean below 1 counts as 1, which is about what guessing costs: a loss that was close
        to nought may grow manifold without harm.
        """
        return 0 < self.divergence * max(first, 1.0) < mean

    def rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of ``step`` out of ``steps``: half a cosine, first to last."""
        fall = self.learning_rate - self.final_learning_rate
        return self.final_learning_rate + fall * 0.5 * (1 + math.cos(math.pi * step / steps))

    def rate_of(self, parameter: str, epoch: int) -> float:
        """Return by which share of the learning rate ``parameter`` learns in ``epoch`` (from 1)."""
        named = [name for name in self.rates if parameter.startswith(name)]
        if not named:
            return 1.0
        return 0.0 if epoch <= self.frozen_epochs else self.rates[max(named, key=len)]

    def weight(self, *, bonafide: bool) -> float:
        """Return the weight of an utterance's loss."""
        return self.bonafide_weight if bonafide else self.spoof_weight

    def weights(self, bonafide: Tensor) -> Tensor:
        """Return the weight of each utterance's loss, ``(batch,)``, given ``bonafide``."""
        import torch

        return torch.where(bonafide, self.bonafide_weight, self.spoof_weight)


def recipe_for(
    spec: ModelSpec,
    *,
    corpus: Mapping[str, Any],
    file: Path | str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Recipe:
    """Put a recipe together, later sources on top: model, ``corpus``, ``file``, ``options``.

    ``corpus`` is what the train protocol overrides (crops that are too short for the model become
    as long as it needs), ``file`` a TOML file of the user's, or the name of one of the model's
    further recipes, which no corpus overrides; ``options`` is what was given on the command line.
    Raises `InvalidRecipe`.
    """
    table: dict[str, Any] = {"samples": spec.samples}
    named = spec.named_recipes().get(str(file), "")
    for resource in (spec.recipe, named):
        if resource:
            package, _, name = resource.partition(":")
            text = (files(package) / name).read_text(encoding="utf-8")
            table |= _checked(text, where=resource)
    if not named:
        table |= corpus
        if "samples" in corpus:  # what suits a corpus is no rule for a model that cannot take it
            table["samples"] = max(int(corpus["samples"]), spec.min_samples)
    if file is not None and not named:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(spec.named_recipes()) or "none"
            raise InvalidRecipe(
                f"the recipe {file} cannot be read: {error}",
                hint=f"name a TOML file, or a further recipe of {spec.name}: {known}",
            ) from error
        table |= _checked(text, where=str(file))
    table |= options or {}
    recipe = tomlfile.validate(Recipe, table, text="", where="recipe", error=InvalidRecipe)
    if recipe.samples is not None and recipe.samples < spec.min_samples:
        raise InvalidRecipe(
            f"the recipe's samples, {recipe.samples:,}, are fewer than the {spec.min_samples:,} "
            f"that {spec.name} needs"
        )
    if spec.max_samples and (recipe.samples or spec.max_samples) > spec.max_samples:
        raise InvalidRecipe(
            f"the recipe's samples, {recipe.samples:,}, are more than the {spec.max_samples:,} "
            f"that {spec.name} can take"
        )
    return recipe


def change(settings: Sequence[str]) -> dict[str, Any]:
    """Read changes of the form ``NAME=VALUE``, the value as in TOML. Raises `InvalidRecipe`."""
    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or name.strip() not in Recipe.model_fields:
            close = difflib.get_close_matches(name.strip(), Recipe.model_fields, n=1)
            meant = f"did you mean '{close[0]}'?\n" if equals and close else ""
            raise InvalidRecipe(
                f"--set {setting}: no such number in a recipe",
                hint=f"{meant}NAME=VALUE with one of: {', '.join(Recipe.model_fields)}",
            )
        changes |= _checked(f"{name} = {value}", where=f"--set {setting}")
    return changes


def _checked(text: str, *, where: str) -> dict[str, Any]:
    table = tomlfile.parse(text, where=where, error=InvalidRecipe)
    tomlfile.validate(Recipe, table, text=text, where=where, error=InvalidRecipe)
    return table
