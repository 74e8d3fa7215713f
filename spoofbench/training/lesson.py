"""What a step teaches beside a model's own loss, all of it from one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.contracts import Embedding, Objective
from spoofbench.objectives import ByObjective
from spoofbench.training.recipe import Recipe
from spoofbench.training.teachers import Teacher
from spoofbench.trials import Trial


class Keys(NamedTuple):
    """By what utterances are judged: ``bonafide`` and ``share`` are ``(batch,)``.

    ``share`` is how much these keys count, beside others for the same audio.
    """

    bonafide: Tensor
    utterances: tuple[str, ...]
    share: Tensor

    def part(self, part: slice) -> Keys:
        """Return the keys of ``part`` of the utterances."""
        return Keys(self.bonafide[part], self.utterances[part], self.share[part])


class Lesson(nn.Module):
    """A model with all that its recipe asks for: objectives, and a teacher's answers.

    ``judged`` is what is scored and kept: the model, or the objective that judges on it. ``added``
    are objectives with the weights of their losses. What is not a parameter of these is no part of
    the module's state.
    """

    def __init__(
        self,
        judged: nn.Module,
        added: Sequence[tuple[nn.Module, float]],
        *,
        recipe: Recipe,
        trials: Sequence[Trial],
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.judged = judged
        self.added = nn.ModuleList(objective for objective, _ in added)
        self._weights = tuple(weight for _, weight in added)
        self._recipe = recipe
        self._trials: Mapping[str, Trial] = {trial.utterance: trial for trial in trials}
        self._teacher = (teacher,)  # in a tuple it is no submodule: it neither learns nor is kept

    def loss(self, audio: Tensor, lengths: Tensor, *keys: Keys) -> Tensor:
        """Return one loss for each utterance, ``(batch,)``, weighed as the recipe says.

        ``audio`` is ``(batch, time)``, ``lengths`` ``(batch,)``; the losses by the ``keys`` are
        added up by their shares.
        """
        judged = self.judged
        model = cast(Embedding, judged.model if isinstance(judged, ByObjective) else judged)
        embedded = model.embed(audio, lengths)
        logits = None if isinstance(judged, ByObjective) else model.judge(embedded).float()
        (teacher,) = self._teacher
        answers = teacher.log_odds(audio, lengths, [k.utterances for k in keys]) if teacher else ()
        with torch.autocast(audio.device.type, enabled=False):
            losses = [
                self._own(embedded.float(), logits, key, answers[n] if answers else None)
                + self._of_added(embedded.float(), key)
                for n, key in enumerate(keys)
            ]
            return torch.stack(
                [
                    key.share * self._recipe.weights(key.bonafide) * loss
                    for key, loss in zip(keys, losses, strict=True)
                ]
            ).sum(dim=0)

    def _own(
        self, embedded: Tensor, logits: Tensor | None, keys: Keys, answer: Tensor | None
    ) -> Tensor:
        """Return the losses ``(batch,)`` of what judges."""
        if logits is None:
            return self._by(cast(ByObjective, self.judged).objective, embedded, keys)
        recipe = self._recipe
        own = recipe.focal(functional.cross_entropy(logits, keys.bonafide.long(), reduction="none"))
        if answer is None:
            return own
        taught = softened(logits[:, 1] - logits[:, 0], answer, recipe.temperature)
        return (1 - recipe.teacher_weight) * own + recipe.teacher_weight * taught

    def _of_added(self, embedded: Tensor, keys: Keys) -> Tensor:
        weighed = [
            weight * self._by(objective, embedded, keys)
            for objective, weight in zip(self.added, self._weights, strict=True)
        ]
        return sum(weighed, torch.zeros_like(keys.share))

    def _by(self, objective: nn.Module, embedded: Tensor, keys: Keys) -> Tensor:
        trials = [self._trials[utterance] for utterance in keys.utterances]
        return cast(Objective, objective).loss(embedded, keys.bonafide, trials)


def softened(log_odds: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """Return ``T^2`` times the cross entropy of answers ``(batch,)`` to a teacher's, softened.

    Both are log-odds of bona fide, divided by the temperature T. The square keeps the gradients as
    large as they are at ``T = 1``. Source: Hinton et al., "Distilling the knowledge in a neural
    network", 2015 (https://arxiv.org/abs/1503.02531).
    """
    probability = torch.sigmoid(taught / temperature)
    entropy = functional.binary_cross_entropy_with_logits(
        log_odds / temperature, probability, reduction="none"
    )
    return temperature**2 * entropy
