"""Who speaks, told from the embedding: a second task, or one to be unlearned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.contracts import ObjectiveContext
from spoofbench.errors import InvalidRecipe
from spoofbench.trials import Trial


class SpeakerHead(nn.Module):
    """A linear layer that names the speaker, among those of the train protocol.

    With ``reversal`` above 0 the layer learns the speakers as before, and what is below it learns
    against it, by that factor. Source: Ganin and Lempitsky, "Unsupervised domain adaptation by
    backpropagation", ICML 2015 (https://arxiv.org/abs/1409.7495).

    Raises `InvalidRecipe` for fewer than two speakers.
    """

    def __init__(self, context: ObjectiveContext) -> None:
        super().__init__()
        (self.reversal,) = context.options
        speakers = sorted({trial.speaker for trial in context.trials})
        if len(speakers) < 2:
            raise InvalidRecipe(
                f"the objective 'speaker' tells speakers apart, and the train protocol names "
                f"{len(speakers)}: {', '.join(map(repr, speakers))}",
                hint="choose a protocol whose key file has a column 'speaker', or leave it out",
            )
        self.places = {speaker: place for place, speaker in enumerate(speakers)}
        self.head = nn.Linear(context.width, len(speakers))

    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Sequence[Trial]) -> Tensor:
        """Return the cross entropy of each utterance's speaker, ``(batch,)``."""
        speakers = torch.tensor([self.places[t.speaker] for t in trials], device=bonafide.device)
        if self.reversal:
            embedded = _Reversed.apply(embedded, self.reversal)  # type: ignore[no-untyped-call]
        return functional.cross_entropy(self.head(embedded), speakers, reduction="none")


class _Reversed(torch.autograd.Function):
    """Gives what it gets; its gradient is turned round, and multiplied by a factor."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return given.view_as(given)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        return -ctx.factor * gradient, None
