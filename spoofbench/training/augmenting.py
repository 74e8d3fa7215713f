"""Augmentation in training: what is done to an utterance hangs on seed, epoch and utterance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from spoofbench import batches
from spoofbench.batches import Batch, Work
from spoofbench.contracts import Augmentation
from spoofbench.errors import InvalidCondition
from spoofbench.robustness.applying import Applied, Row, changed_together
from spoofbench.robustness.conditions import Condition
from spoofbench.robustness.pool import SpeechPool
from spoofbench.robustness.ranges import RandomCondition
from spoofbench.trials import Trial

_SEEDS = 2**31
_STREAM = 7
"""Parts these draws from those of the crop, which hang on the same three."""


class _Drawn(NamedTuple):
    """The condition of an utterance in an epoch: its place among all, and its numbers drawn."""

    number: int
    applied: Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmenter:
    """Applies one of the conditions to a share of the utterances of a batch, drawn anew each epoch.

    Utterances that drew the same condition go through its steps together. With one worker or many,
    alone or among others, an utterance comes out the same. ``rate`` is that of the audio in samples
    per second. Conditions that are ``left`` (their places) are drawn too, but not applied.
    """

    conditions: Sequence[RandomCondition]
    share: float
    seed: int
    rate: int
    pool: SpeechPool | None = None
    made: dict[str, Augmentation] = field(default_factory=dict, repr=False)
    left: frozenset[int] = frozenset()

    def __call__(
        self, audio: Sequence[Tensor], trials: Sequence[Trial], epoch: int
    ) -> list[Tensor]:
        """Return what becomes of ``audio``, a ``(time,)`` of each trial, as long as it was.

        Raises `InvalidAudio` if nothing finite is left of one, `BrokenPlugin` if an augmentation
        does not keep its contract.
        """
        result = list(audio)
        together: dict[int, dict[int, Row]] = {}
        for place, (own, trial) in enumerate(zip(audio, trials, strict=True)):
            drawn = self._drawn(trial, epoch)
            if drawn is not None and drawn.number not in self.left:
                row = drawn.applied.row(own, trial)
                together.setdefault(drawn.number, {})[place] = row
        for rows in together.values():
            made = changed_together(list(rows.values()), rate=self.rate, made=self.made)
            for place, changed in zip(rows, made, strict=True):
                result[place] = _first(changed.audio, len(audio[place]))
        return result

    def ready(self) -> None:
        """Raise what stands in the way of a condition, at the ends of its ranges and inside."""
        for condition in self.conditions:
            for probe in condition.probes:
                try:
                    self._applied(probe, self.seed).ready()
                except InvalidCondition as error:
                    if len(condition.probes) == 1:
                        raise
                    raise InvalidCondition(
                        f"'{condition.text}', as {probe}: {error}",
                        hint=error.hint
                        or "a range draws any number in it: list those that there are, "
                        "as in rawboost@3|4|5",
                    ) from error

    def divided(self, device: torch.device) -> tuple[Augmenter | None, Augmenter | None]:
        """Return what is applied in the processes that read audio, and what on the ``device``.

        None for a part that has nothing to do.

        On a CUDA device, conditions are applied there of which all steps can be; the rest, such as
        codecs, is left to processors, of which there are several. MPS lacks the float64 for it.
        """
        every = frozenset(range(len(self.conditions)))
        there = frozenset(
            number
            for number, condition in enumerate(self.conditions)
            if device.type == "cuda" and all(step.spec.on_device for step in condition.steps)
        )
        here = every - there
        return (
            replace(self, left=there) if here else None,
            replace(self, left=here) if there else None,
        )

    def _drawn(self, trial: Trial, epoch: int) -> _Drawn | None:
        random = np.random.default_rng([self.seed, epoch, _STREAM, *trial.utterance.encode()])
        if random.random() >= self.share:
            return None
        number = int(random.integers(len(self.conditions)))
        seed = int(random.integers(_SEEDS))
        return _Drawn(number, self._applied(self.conditions[number].drawn(random), seed))

    def _applied(self, condition: Condition, seed: int) -> Applied:
        return Applied(
            condition=condition, seed=seed, rate=self.rate, pool=self.pool, made=self.made
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDevice:
    """The batches of a ``loader``, moved to ``device`` and augmented there.

    ``work`` says, at each pass anew, which trials and which epoch a batch is of.
    """

    loader: Iterable[Batch]
    work: Sequence[Work]
    augmenter: Augmenter
    device: torch.device

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches in order; rows that were never read are nobody's."""
        for work, batch in zip(self.work, self.loader, strict=True):
            yield self._augmented(batch.to(self.device), work)

    def _augmented(self, batch: Batch, work: Work) -> Batch:
        by_utterance = {trial.utterance: trial for trial in work.trials}
        trials = [by_utterance[utterance] for utterance in batch.utterances]
        rows = [row[:length] for row, length in zip(batch.audio, batch.lengths, strict=True)]
        made = self.augmenter(rows, trials, work.epoch)
        return replace(batch, audio=batches.padded(made))


def _first(audio: Tensor, samples: int) -> Tensor:
    """Return the first ``samples`` of ``audio`` ``(time,)``, repeated from its start if shorter."""
    return (
        audio.repeat(-(-samples // len(audio)))[:samples]
        if len(audio) < samples
        else audio[:samples]
    )
