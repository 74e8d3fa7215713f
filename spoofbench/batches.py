"""Batches: trials decoded, brought to length and put together, by worker processes if asked."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from spoofbench import audio
from spoofbench.audio import Audio, AudioCache
from spoofbench.errors import InvalidAudio, SpoofbenchError
from spoofbench.trials import Trial

CACHE_BYTES = 1 << 30
"""How much decoded audio is kept, over all workers."""

Crop = Callable[[Audio, Trial, int], Audio]
"""Brings a waveform ``(time,)`` to the model's input length, given its trial and the epoch."""


Together = Callable[[Sequence[Tensor], Sequence[Trial], int], Sequence[Tensor]]
"""Changes the waveforms ``(time,)`` of a batch, given their trials and the epoch."""

Notes = Mapping[str, float | str]
"""What is to be kept beside a score: a level as it was measured, who talked over the trial."""
Variant = Callable[[Audio, Trial], tuple[Audio, Notes]]
"""Makes of a waveform ``(time,)`` and its trial what a model is to hear."""


def unchanged(waveform: Audio, trial: Trial) -> tuple[Audio, Notes]:  # noqa: ARG001
    """Return the waveform as it is: the variant of a clean pass."""
    return waveform, {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A trial whose audio could not be used, and why."""

    utterance: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Utterances put together; those that failed stand aside.

    ``audio`` is ``(batch, time)``, padded with zeros behind ``lengths`` ``(batch,)``; ``bonafide``
    is ``(batch,)`` bool. ``place`` is the batch's number among all batches of the pass,
    ``variant`` that of what was done to the audio, and ``notes`` has what is to be kept of each
    utterance.
    """

    place: int
    audio: Tensor
    lengths: Tensor
    bonafide: Tensor
    utterances: tuple[str, ...]
    failures: tuple[Failure, ...]
    notes: tuple[Notes, ...] = ()
    variant: int = 0
    error: SpoofbenchError | None = None
    """What ends the pass. Raised across a process border it would lose its hint."""

    def to(self, device: torch.device) -> Batch:
        """Return the batch with its tensors on ``device``."""
        return self._moved(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """Return the batch in page-locked memory; the loader calls it where asked to pin."""
        return self._moved(Tensor.pin_memory)

    def _moved(self, move: Callable[[Tensor], Tensor]) -> Batch:
        return replace(
            self,
            audio=move(self.audio),
            lengths=move(self.lengths),
            bonafide=move(self.bonafide),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One batch to be made: its number, its trials, and the epoch it belongs to.

    ``variants`` says which variants of the trials are wanted, where there are several.
    """

    place: int
    trials: tuple[Trial, ...]
    epoch: int = 0
    variants: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Leaves utterances as long as they are; repeats those too short for the model."""

    at_least: int = 1

    def __call__(self, waveform: Audio, trial: Trial, epoch: int) -> Audio:  # noqa: ARG002
        """Return ``(time,)``, at least ``at_least`` samples."""
        return audio.first(waveform, max(len(waveform), self.at_least))


@dataclass(frozen=True, slots=True)
class First:
    """Takes the first samples, repeated if there are fewer: the rule of evaluation."""

    samples: int

    def __call__(self, waveform: Audio, trial: Trial, epoch: int) -> Audio:  # noqa: ARG002
        """Return ``(samples,)``."""
        return audio.first(waveform, self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomCrop:
    """Takes samples from a place that depends on seed, epoch and utterance, and on nothing else."""

    samples: int
    seed: int

    def __call__(self, waveform: Audio, trial: Trial, epoch: int) -> Audio:
        """Return ``(samples,)``."""
        random = np.random.default_rng([self.seed, epoch, *trial.utterance.encode()])
        return audio.random_crop(waveform, self.samples, random)


def plan(trials: Sequence[Trial], batch_size: int, *, epoch: int = 0) -> list[Work]:
    """Cut ``trials`` into batches of ``batch_size``; the last may be smaller."""
    return [
        Work(place=place, trials=tuple(trials[start : start + batch_size]), epoch=epoch)
        for place, start in enumerate(range(0, len(trials), batch_size))
    ]


def workers_for(requested: int | None, device: torch.device) -> int:
    """Return how many worker processes read audio: ``requested``, or a number that suits.

    Beside an accelerator that is half of the cores, up to 8. A model on the processor wants all
    cores for itself, and its threads wait for one another: there, a quarter of the cores, up to 4,
    and on a machine with two cores none.
    """
    if requested is not None:
        return requested
    cores = os.cpu_count() or 1
    return min(4, cores // 4) if device.type == "cpu" else max(1, min(8, cores // 2))


class _Maker(Dataset[Batch]):
    """Makes a piece of work into a batch, wherever it is sent. A bad recording fails alone."""

    def __init__(self, cache: AudioCache, crop: Crop, together: Together | None = None) -> None:
        self.cache = cache
        self.crop = crop
        self.together = together

    def __getitem__(self, work: Work) -> Batch:
        try:
            return self.batch(work, 0, unchanged)
        except SpoofbenchError as error:
            return _stopped(work, error)

    def batch(self, work: Work, number: int, variant: Variant) -> Batch:
        """Return one variant of the trials of ``work``."""
        waveforms: list[Audio] = []
        notes: list[Notes] = []
        good: list[Trial] = []
        failures: list[Failure] = []
        for trial in work.trials:
            try:
                waveform, noted = variant(self.cache.read(trial.audio), trial)
                waveform = self.crop(waveform, trial, work.epoch)
            except InvalidAudio as error:
                failures.append(Failure(utterance=trial.utterance, reason=str(error)))
            else:
                waveforms.append(waveform)
                notes.append(noted)
                good.append(trial)
        rows: Sequence[Tensor] = [torch.from_numpy(np.array(w)) for w in waveforms]
        if self.together is not None and rows:
            rows = self.together(rows, good, work.epoch)
        return Batch(
            place=work.place,
            audio=padded(rows),
            lengths=torch.tensor([len(row) for row in rows], dtype=torch.long),
            bonafide=torch.tensor([trial.bonafide for trial in good], dtype=torch.bool),
            utterances=tuple(trial.utterance for trial in good),
            failures=tuple(failures),
            notes=tuple(notes),
            variant=number,
        )


class _VariantMaker(Dataset[tuple[Batch, ...]]):
    """Makes a piece of work into a batch for each variant; a recording is decoded once."""

    def __init__(self, maker: _Maker, variants: Sequence[Variant]) -> None:
        self.maker = maker
        self.variants = tuple(variants)

    def __getitem__(self, work: Work) -> tuple[Batch, ...]:
        try:
            return tuple(self.maker.batch(work, n, self.variants[n]) for n in work.variants)
        except SpoofbenchError as error:
            return (_stopped(work, error),)


def _stopped(work: Work, error: SpoofbenchError) -> Batch:
    """Return a batch of nothing, which says what went wrong."""
    return Batch(
        place=work.place,
        audio=torch.zeros(0, 0),
        lengths=torch.zeros(0, dtype=torch.long),
        bonafide=torch.zeros(0, dtype=torch.bool),
        utterances=(),
        failures=(),
        error=error,
    )


def loader(
    work: Collection[Work],
    *,
    cache: AudioCache,
    crop: Crop,
    workers: int,
    pin: bool = False,
    together: Together | None = None,
) -> DataLoader[Batch]:
    """Return a loader that gives a `Batch` for each piece of ``work``, in order.

    ``work`` is iterated over anew in each pass, so it may change between passes; the workers stay,
    and each fills its copy of ``cache``. 0 workers decode in this process. ``together`` changes
    what was cropped, a batch at a time.
    """
    return _load(_Maker(cache, crop, together), work, workers=workers, pin=pin)


def variant_loader(
    work: Collection[Work],
    variants: Sequence[Variant],
    *,
    cache: AudioCache,
    crop: Crop,
    workers: int,
    pin: bool = False,
) -> DataLoader[tuple[Batch, ...]]:
    """Return a loader that gives a `Batch` for each of the variants that a piece of work wants.

    ``cache`` is copied into each of the workers, which decode for themselves.
    """
    return _load(_VariantMaker(_Maker(cache, crop), variants), work, workers=workers, pin=pin)


T = TypeVar("T")


def _load(maker: Dataset[T], work: Collection[Work], *, workers: int, pin: bool) -> DataLoader[T]:
    return DataLoader(
        maker,
        sampler=work,  # each piece of work is sent whole: workers hold no list of trials
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        persistent_workers=workers > 0,
        pin_memory=pin,
        worker_init_fn=partial(_begin_worker, os.getpid()) if workers else None,
        generator=torch.Generator(),  # else each pass would draw from the global one
    )


def _begin_worker(reader: int, number: int) -> None:  # noqa: ARG001
    """Leave signals that a whole group of processes is sent to the ``reader`` of the batches.

    It may want to finish what it is at. To ignore them would not do: a reader that ends sends
    SIGTERM to its workers and waits for them. Where a system does not tell who sent a signal, a
    worker ends by it.
    """
    sys.excepthook = _say
    if hasattr(signal, "sigtimedwait"):
        signals = {signal.SIGINT, signal.SIGTERM, signal.SIGUSR1}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        heeding = (reader, os.getppid(), signals)
        threading.Thread(target=_end_with, args=heeding, daemon=True).start()


def _say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say what went wrong in the thread that hands audio over, unless its reader hung up."""
    if not issubclass(kind, EOFError | ConnectionError):
        sys.__excepthook__(kind, error, trace)


def _end_with(reader: int, parent: int, signals: Collection[signal.Signals]) -> None:
    """End this process when ``reader`` sends a signal, or within a second of its ``parent``."""
    while os.getppid() == parent:
        told = signal.sigtimedwait(signals, 1.0)
        if told is not None and told.si_pid == reader:
            break
    os._exit(0)


def padded(rows: Sequence[Tensor]) -> Tensor:
    """Put waveforms ``(time,)`` into one tensor ``(batch, longest)``, zeros behind the shorter."""
    return nn.utils.rnn.pad_sequence(list(rows), batch_first=True) if rows else torch.zeros(0, 0)
