"""Applying conditions to audio: the same audio whatever the model, the batch and the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import torch

from spoofbench.audio import Audio
from spoofbench.batches import Notes
from spoofbench.contracts import Augmentation, Context, Pool
from spoofbench.errors import BrokenPlugin, InvalidAudio
from spoofbench.robustness.conditions import Condition, Step
from spoofbench.robustness.pool import SpeechPool
from spoofbench.trials import Trial

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
        """Return what the condition makes of ``waveform`` ``(time,)``, and what was measured."""
        if not self.condition.steps or not self.condition.concerns(bonafide=trial.bonafide):
            return waveform, {}
        pool = self.pool.beside(trial) if self.pool is not None else None
        return self.changed(waveform, trial.utterance, pool)

    def changed(self, waveform: Audio, utterance: str, pool: Pool | None) -> tuple[Audio, Notes]:
        """Return what the steps make of ``waveform`` ``(time,)``, and what was measured.

        Raises `InvalidAudio` if the result is not finite or empty, `BrokenPlugin` if a step does
        not keep its contract.
        """
        random = torch.Generator().manual_seed(self.condition.seed(self.seed, utterance))
        audio = torch.from_numpy(np.array(waveform, dtype=np.float32))
        notes: dict[str, float | str] = {}
        for step in self.condition.steps:
            context = Context(
                rate=self.rate,
                random=random,
                utterance=utterance,
                pool=pool,
                options=step.options,
                source=step.source,
            )
            with torch.no_grad():
                made = self._augmentation(step).apply(audio, step.level, context)
            _check(made, audio, step)
            audio = made
            notes |= _apart(context.notes, notes)
        if not len(audio) or not torch.isfinite(audio).all():
            raise InvalidAudio(f"{utterance}: nothing finite is left of it under {self.condition}")
        return cast(Audio, audio.numpy()), notes

    def ready(self) -> None:
        """Raise what stands in the way of the condition, before anything is scored.

        An encoder that is not there, an empty folder, a number that is out of range, too few other
        speakers: what each step says itself, and what comes of a second of noise, as if it were
        said by a speaker of either class.
        """
        for step in self.condition.steps:
            if callable(check := getattr(self._augmentation(step), "ready", None)):
                check()
        noise = np.random.default_rng(0).normal(scale=0.1, size=self.rate).astype(np.float32)
        speakers = [] if self.pool is None else self.pool.some_speakers()
        for speaker in speakers or [""]:
            trial = replace(_NOBODY, speaker=speaker)
            pool = None if self.pool is None else self.pool.beside(trial)
            self.changed(noise, trial.utterance, pool)

    def identities(self) -> tuple[str, ...]:
        """Return what decides the audio beside what the condition says, for each step.

        Whose code in which version, and what its source held.
        """
        made = []
        for step in self.condition.steps:
            known = getattr(self._augmentation(step), "fingerprint", None)
            source = f", {known(step.source, self.rate)}" if step.source and callable(known) else ""
            made.append(f"{step.identity}{source}")
        return tuple(made)

    def _augmentation(self, step: Step) -> Augmentation:
        if step.spec.name not in self.made:
            made = step.spec.resolve()()
            if not callable(getattr(made, "apply", None)):
                raise BrokenPlugin(f"the augmentation '{step.spec.name}' has no apply()")
            self.made[step.spec.name] = made
        return self.made[step.spec.name]


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


def _check(made: torch.Tensor, audio: torch.Tensor, step: Step) -> None:
    """Raise `BrokenPlugin` unless ``made`` is a waveform of the length that it should have."""
    if not isinstance(made, torch.Tensor) or made.ndim != 1 or made.dtype != audio.dtype:
        raise BrokenPlugin(f"{step.spec.name} did not return a waveform (time,) of {audio.dtype}")
    if step.spec.keeps_length and made.shape != audio.shape:
        raise BrokenPlugin(
            f"{step.spec.name} made {len(made):,} samples of {len(audio):,}",
            hint="an augmentation keeps the length, or its spec says keeps_length=False",
        )
