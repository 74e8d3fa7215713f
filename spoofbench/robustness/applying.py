"""Applying conditions to audio: the same audio whatever the model, the batch and the worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Generator, Tensor

from spoofbench.audio import Audio
from spoofbench.batches import Notes
from spoofbench.contracts import Augmentation, BatchAugmentation, Context, Pool
from spoofbench.errors import BrokenPlugin, InvalidAudio
from spoofbench.robustness.conditions import Condition, Step
from spoofbench.robustness.pool import SpeechPool
from spoofbench.trials import Trial

ROWS = 4
"""Utterances that go through a step together on a processor: what more of them need leaves its
caches."""

_NOBODY = Trial(utterance="a second of noise", speaker="", attack="-", bonafide=True, audio="")


@dataclass(slots=True, kw_only=True)
class Applied:
    """A condition as a variant of a pass (`batches.Variant`); it is sent to worker processes.

    ``rate`` is that of the audio in samples per second. Augmentations are made when they are first
    used, and kept in ``made``, which the conditions of a sweep share.
    """

    condition: Condition
    seed: int
    rate: int
    pool: SpeechPool | None = None
    made: dict[str, Augmentation] = field(default_factory=dict, repr=False)

    def __call__(self, waveform: Audio, trial: Trial) -> tuple[Audio, Notes]:
        """Return what the condition makes of ``waveform`` ``(time,)``, and what was measured.

        Raises what `changed_together` raises.
        """
        if not self.condition.steps or not self.condition.concerns(bonafide=trial.bonafide):
            return waveform, {}
        return self._changed(waveform, trial)

    def row(self, audio: Tensor, trial: Trial) -> Row:
        """Return ``audio`` ``(time,)`` with all that decides what the condition makes of it."""
        return Row(
            audio=audio,
            condition=self.condition,
            random=torch.Generator().manual_seed(self.condition.seed(self.seed, trial.utterance)),
            utterance=trial.utterance,
            pool=None if self.pool is None else self.pool.beside(trial),
        )

    def _changed(self, waveform: Audio, trial: Trial) -> tuple[Audio, Notes]:
        row = self.row(torch.from_numpy(np.array(waveform, dtype=np.float32)), trial)
        (made,) = changed_together([row], rate=self.rate, made=self.made)
        return cast(Audio, made.audio.numpy()), made.notes

    def ready(self) -> None:
        """Raise what stands in the way of the condition, before anything is scored.

        An encoder that is not there, an empty folder, a number that is out of range, too few other
        speakers: what each step says itself, and what comes of a second of noise, as if it were
        said by a speaker of either class.
        """
        for step in self.condition.steps:
            if callable(check := getattr(_augmentation(step, self.made), "ready", None)):
                check()
        noise = np.random.default_rng(0).normal(scale=0.1, size=self.rate).astype(np.float32)
        speakers = [] if self.pool is None else self.pool.some_speakers()
        for speaker in speakers or [""]:
            self._changed(noise, replace(_NOBODY, speaker=speaker))

    def identities(self) -> tuple[str, ...]:
        """Return what decides the audio beside what the condition says, for each step.

        Whose code in which version, and what its source held.
        """
        made = []
        for step in self.condition.steps:
            known = getattr(_augmentation(step, self.made), "fingerprint", None)
            source = f", {known(step.source, self.rate)}" if step.source and callable(known) else ""
            made.append(f"{step.identity}{source}")
        return tuple(made)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """An utterance before a condition: ``audio`` ``(time,)``, and what its steps may use."""

    audio: Tensor
    condition: Condition
    random: Generator
    utterance: str
    pool: Pool | None

    def context(self, step: Step, rate: int) -> Context:
        """Return what ``step`` may use beside the audio."""
        return Context(
            rate=rate,
            random=self.random,
            utterance=self.utterance,
            pool=self.pool,
            options=step.options,
            source=step.source,
        )


class Changed(NamedTuple):
    """An utterance under its condition: ``audio`` ``(time,)``, and what was measured."""

    audio: Tensor
    notes: dict[str, float | str]


def changed_together(
    rows: Sequence[Row], *, rate: int, made: dict[str, Augmentation]
) -> list[Changed]:
    """Return what becomes of ``rows``, whose conditions differ in nothing but numbers.

    Rows of one length go through a step together where its augmentation can do that; what becomes
    of a row does not hang on the others. Raises `InvalidAudio` if a result is not finite or empty,
    `BrokenPlugin` if a step does not keep its contract.
    """
    audio = [row.audio for row in rows]
    notes: list[dict[str, float | str]] = [{} for _ in rows]
    for number, first in enumerate(rows[0].condition.steps):
        augmentation = _augmentation(first, made)
        steps = [row.condition.steps[number] for row in rows]
        contexts = [row.context(step, rate) for row, step in zip(rows, steps, strict=True)]
        for places in _of_one_length(audio):
            results = _applied(
                augmentation,
                [audio[place] for place in places],
                [steps[place] for place in places],
                [contexts[place] for place in places],
            )
            for place, result in zip(places, results, strict=True):
                _check(result, audio[place], first)
                audio[place] = result
        for noted, context in zip(notes, contexts, strict=True):
            noted |= _apart(context.notes, noted)
    _check_finite(audio, rows)
    return [Changed(*own) for own in zip(audio, notes, strict=True)]


def _applied(
    augmentation: Augmentation,
    audio: Sequence[Tensor],
    steps: Sequence[Step],
    contexts: Sequence[Context],
) -> Sequence[Tensor]:
    """Apply one step to rows of one length, together if there are several and it is possible."""
    with torch.no_grad():
        if len(audio) > 1 and isinstance(augmentation, BatchAugmentation):
            levels = torch.tensor([step.level for step in steps], dtype=torch.float64)
            together = augmentation.apply_batch(torch.stack(list(audio)), levels, contexts)
            if not isinstance(together, Tensor) or together.shape[:1] != (len(audio),):
                raise BrokenPlugin(
                    f"{steps[0].spec.name} did not return {len(audio)} rows (batch, time)"
                )
            return together.unbind()
        return [
            augmentation.apply(own, step.level, context)
            for own, step, context in zip(audio, steps, contexts, strict=True)
        ]


def _of_one_length(audio: Sequence[Tensor]) -> Iterator[list[int]]:
    """Give the places of waveforms of one length, on a processor at most `ROWS` at a time."""
    places: dict[int, list[int]] = {}
    for place, own in enumerate(audio):
        places.setdefault(len(own), []).append(place)
    for alike in places.values():
        count = ROWS if audio[alike[0]].device.type == "cpu" else len(alike)
        yield from (alike[start : start + count] for start in range(0, len(alike), count))


def _augmentation(step: Step, made: dict[str, Augmentation]) -> Augmentation:
    """Return the augmentation of ``step``, from ``made`` or newly made and put there."""
    if step.spec.name not in made:
        new = step.spec.resolve()()
        if not callable(getattr(new, "apply", None)):
            raise BrokenPlugin(f"the augmentation '{step.spec.name}' has no apply()")
        made[step.spec.name] = new
    return made[step.spec.name]


def _check_finite(audio: Sequence[Tensor], rows: Sequence[Row]) -> None:
    """Raise `InvalidAudio`, naming the first row of which nothing finite is left."""
    finite = torch.stack([torch.isfinite(own).all() for own in audio]).tolist()
    for own, is_finite, row in zip(audio, finite, rows, strict=True):
        if not is_finite or not len(own):
            raise InvalidAudio(
                f"{row.utterance}: nothing finite is left of it under {row.condition}"
            )


def _apart(
    new: Mapping[str, float | str], known: Mapping[str, float | str]
) -> dict[str, float | str]:
    """Return ``new`` notes, numbered where an earlier step has left one of that name."""
    named = {}
    for name, value in new.items():
        number = 2
        unique = name
        while unique in known:
            unique, number = f"{name}_{number}", number + 1
        named[unique] = value
    return named


def _check(made: Tensor, audio: Tensor, step: Step) -> None:
    """Raise `BrokenPlugin` unless ``made`` is a waveform of the length that it should have."""
    if not isinstance(made, Tensor) or made.ndim != 1 or made.dtype != audio.dtype:
        raise BrokenPlugin(f"{step.spec.name} did not return a waveform (time,) of {audio.dtype}")
    if step.spec.keeps_length and made.shape != audio.shape:
        raise BrokenPlugin(
            f"{step.spec.name} made {len(made):,} samples of {len(audio):,}",
            hint="an augmentation keeps the length, or its spec says keeps_length=False",
        )
