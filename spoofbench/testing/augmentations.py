"""The contract of augmentations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from spoofbench.contracts import Augmentation, BatchAugmentation, Context, Talk
from spoofbench.errors import InvalidCondition
from spoofbench.specs import AugmentationSpec
from spoofbench.testing.clauses import (
    RATE,
    Broken,
    Check,
    NotApplicable,
    clip,
    state_untouched,
)


class Others:
    """A pool of a few other speakers, each a clip of its own."""

    def draw(self, count: int, random: Generator, *, bonafide: bool = True) -> Sequence[Talk]:
        """Return ``count`` speakers in an order that ``random`` draws."""
        if count > self.speakers():
            raise InvalidCondition(f"there are {self.speakers()} other speakers, not {count}")
        order = torch.randperm(self.speakers(), generator=random).tolist()
        return [
            Talk(
                audio=clip(2.0, seed=100 + n), utterance=f"o{n}", speaker=f"s{n}", bonafide=bonafide
            )
            for n in order[:count]
        ]

    def speakers(self, *, bonafide: bool = True) -> int:  # noqa: ARG002
        """Return how many there are."""
        return 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationSubject:
    """An augmentation's spec, and how one is made."""

    spec: AugmentationSpec
    make: Callable[[], Augmentation]
    audio: Tensor = field(default_factory=lambda: clip(2.0, seed=0))

    def context(self, seed: int = 1) -> Context:
        """Return a context with the usual options and somebody else's speech."""
        return Context(
            rate=RATE,
            random=torch.Generator().manual_seed(seed),
            utterance="mine",
            pool=Others(),
            options=tuple(default for _, default in self.spec.options),
        )

    @property
    def level(self) -> float:
        """The middle of the usual levels, NaN where there are none."""
        levels = self.spec.levels
        return levels[len(levels) // 2] if levels else math.nan

    def applied(
        self, audio: Tensor | None = None, *, seed: int = 1, level: float | None = None
    ) -> Tensor:
        """Apply it; raise `NotApplicable` where it needs something that only a user can name."""
        if self.spec.source:
            raise NotApplicable(f"it needs a {self.spec.source}")
        given = self.audio if audio is None else audio
        chosen = self.level if level is None else level
        return self.make().apply(given, chosen, self.context(seed))


def audio_keeps_its_form(subject: AugmentationSubject) -> None:
    """The result is a waveform ``(time,)`` of the same length and dtype, and finite."""
    given = subject.applied()
    length = len(subject.audio) if subject.spec.keeps_length else len(given)
    if given.shape != (length,) or given.dtype != subject.audio.dtype:
        raise Broken(
            f"({length},) of {subject.audio.dtype}",
            f"{tuple(given.shape)} of {given.dtype}",
            "Keep both, or say keeps_length=False.",
        )
    if not torch.isfinite(given).all():
        raise Broken("finite samples", "others", "Guard divisions by the level of silence.")


def the_same_draws_give_the_same_audio(subject: AugmentationSubject) -> None:
    """The same seed gives the same audio, from another object too."""
    if not torch.equal(subject.applied(seed=3), subject.applied(seed=3)):
        raise Broken(
            "the same audio twice", "other audio", "Draw from context.random and nothing else."
        )


def something_is_done(subject: AugmentationSubject) -> None:
    """At some usual level the audio is changed."""
    for level in subject.spec.levels or (math.nan,):
        given = subject.applied(level=level)
        if len(given) != len(subject.audio) or not torch.equal(given, subject.audio):
            return
    raise Broken("changed audio", "the audio as it was at every level", "Is the level read?")


def the_input_is_not_written_into(subject: AugmentationSubject) -> None:
    """The audio that is given stays as it was."""
    audio = subject.audio.clone()
    subject.applied(audio)
    if not torch.equal(audio, subject.audio):
        raise Broken("the input untouched", "changed samples", "Copy before writing.")


def global_state_is_left_alone(subject: AugmentationSubject) -> None:
    """Threads, dtype, gradients and random states are as they were."""
    subject.applied()
    with state_untouched():
        subject.applied()


def silence_is_survived_or_refused(subject: AugmentationSubject) -> None:
    """Silence gives finite audio, or an InvalidCondition that says why it cannot."""
    try:
        given = subject.applied(torch.zeros(RATE))
    except InvalidCondition:
        return
    if not torch.isfinite(given).all():
        raise Broken("finite samples for silence", "others", "Guard the level of silence.")


def a_batch_is_done_as_one_by_one(subject: AugmentationSubject) -> None:
    """apply_batch gives what apply gives for each, at a level of its own."""
    subject.applied()
    made = subject.make()
    if not isinstance(made, BatchAugmentation):
        raise NotApplicable("it has no apply_batch()")
    audio = torch.stack([clip(1.0, seed=n) for n in range(3)])
    contexts = [subject.context(seed) for seed in range(3)]
    usual = subject.spec.levels or (math.nan,)
    levels = [usual[-n % len(usual)] for n in range(3)]
    together = made.apply_batch(audio, torch.tensor(levels, dtype=torch.float64), contexts)
    alone = torch.stack(
        [subject.applied(audio[n], seed=n, level=level) for n, level in enumerate(levels)]
    )
    if together.shape != alone.shape or not torch.allclose(together, alone, atol=1e-5):
        raise Broken("the same audio both ways", "other audio", "Draw per trial, in one order.")


CLAUSES: tuple[Check, ...] = (
    audio_keeps_its_form,
    the_same_draws_give_the_same_audio,
    something_is_done,
    the_input_is_not_written_into,
    global_state_is_left_alone,
    silence_is_survived_or_refused,
    a_batch_is_done_as_one_by_one,
)
