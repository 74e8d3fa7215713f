"""What the code behind a spec must do, as protocol classes.

Importing this loads neither torch nor numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO, runtime_checkable

if TYPE_CHECKING:
    import torch
    from torch import Generator, Tensor

    from spoofbench.metrics.judged import Judged
    from spoofbench.protocols import Data
    from spoofbench.tables import ResultTable
    from spoofbench.training.checkpoints import Epoch
    from spoofbench.training.trainings import TrainingRecord, TrainingTerms
    from spoofbench.trials import Trial


@runtime_checkable
class Countermeasure(Protocol):
    """A model that judges waveforms: a ``torch.nn.Module``, or anything with a ``score``."""

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Score ``audio`` ``(batch, time)`` whose true ``lengths`` are ``(batch,)`` samples.

        Returns ``(batch,)`` finite scores, higher = more bona fide. The harness calls it in
        evaluation mode without gradients; it must not write into ``audio``.
        """
        ...


@runtime_checkable
class Trainable(Countermeasure, Protocol):
    """A countermeasure that can be trained by the harness; it must be a ``torch.nn.Module``."""

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return one loss for each utterance, ``(batch,)``; the recipe weighs the classes.

        ``audio`` is ``(batch, time)``, ``lengths`` ``(batch,)``, ``bonafide`` ``(batch,)`` bool.
        """
        ...


@runtime_checkable
class Embedding(Countermeasure, Protocol):
    """A countermeasure that sums an utterance up in a vector, and then judges the vector.

    Its ``loss``, where it has one, is the cross entropy of ``judge(embed(...))``. Objectives,
    mix-up and a teacher need both parts.
    """

    width: int
    """How many numbers an embedding has."""

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Sum up ``audio`` ``(batch, time)`` of ``lengths`` ``(batch,)`` in ``(batch, width)``."""
        ...

    def judge(self, embedded: Tensor) -> Tensor:
        """Return logits ``(batch, 2)`` of spoof and bona fide for ``embedded`` ``(batch, width)``.

        Their difference is the log-odds of bona fide. A dropout before the last layer is part of
        this.
        """
        ...


@runtime_checkable
class ClosedForm(Countermeasure, Protocol):
    """A countermeasure that is fitted at once; it must be a ``torch.nn.Module``.

    The harness measures every utterance of the train protocol, whole, and hands all over together.
    What is fitted is kept in the module's parameters and buffers.
    """

    def features(self, audio: Tensor, lengths: Tensor) -> Sequence[Tensor]:
        """Measure ``audio`` ``(batch, time)`` of ``lengths`` ``(batch,)``.

        Returns the vectors ``(vectors, features)`` of each utterance: one of the whole, or one of
        each frame. They must not hang on the others of its batch.
        """
        ...

    def fit(self, features: Tensor, bonafide: Tensor) -> None:
        """Fit to all vectors ``(vectors, features)``; ``bonafide`` ``(vectors,)`` is their key."""
        ...


@runtime_checkable
class PretrainedPart(Countermeasure, Protocol):
    """A countermeasure of which a part has weights that were published by themselves.

    Training must start from them: the recipe's ``start`` says where they are.
    """

    def pretrained_part(self) -> torch.nn.Module:
        """Return the part: a file of weights that training starts from is loaded into it."""
        ...


@runtime_checkable
class Optimisable(Countermeasure, Protocol):
    """A countermeasure that has a faster way to score on a processor."""

    def optimise(self, dtype: torch.dtype) -> Countermeasure:
        """Return what scores as the model does now, to within 1e-4 in float32.

        Called when the weights are in place, for a model that is on a processor; ``dtype`` is
        float32, or bfloat16 where the user asked for it. What is returned need not follow the
        model's later training, and is in evaluation mode whenever it scores.
        """
        ...


@runtime_checkable
class PublishedNames(Protocol):
    """A model whose published checkpoints name their tensors otherwise than the model does."""

    def rename_published(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return ``state`` under this model's own names, every tensor kept.

        Called for a checkpoint whose names are not the model's; unknown names stay as they are.
        """
        ...


class Reader(Protocol):
    """A dataset plugin: turns the key files of a corpus into trials, in protocol order."""

    def __call__(self, data: Data, root: Path) -> Sequence[Trial]:
        """Read the trials that ``data`` describes below ``root``; open no audio.

        Raises `CorpusNotFound` where the key file is not there, `InvalidKeys` for a bad line.
        """
        ...


Progress = Callable[[int, int], None]
"""Called with (done, total) while something long is under way."""


class CorpusBuilder(Protocol):
    """Generates a corpus: the same files, bit for bit, whenever it is called."""

    def __call__(self, folder: Path, progress: Progress) -> None:
        """Write the whole corpus into the empty ``folder``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a user may say of a corpus that is to be built; grows by fields.

    ``speech`` names sources of human speech, ``attacks`` what spoofs are made with, ``size`` how
    much is made: all empty for the builder's own choice. ``workers`` is how many processes work.
    """

    speech: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    size: str = ""
    seed: int = 0
    workers: int = 0


class ChosenBuilder(Protocol):
    """Generates a corpus as the user chose; the same choices give the same files, bit for bit."""

    def __call__(
        self, folder: Path, progress: Progress, choices: Choices, note: Callable[[str], None]
    ) -> None:
        """Write the whole corpus into ``folder``, going on from what an earlier call left there.

        ``note`` is told, a line each, what is left out and why.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Talk:
    """Somebody else's speech: ``audio`` ``(time,)``, and of which trial it is."""

    audio: Tensor
    utterance: str
    speaker: str
    bonafide: bool


class Pool(Protocol):
    """The speech of a protocol's other speakers, as an augmentation of one trial may use it."""

    def draw(self, count: int, random: Generator, *, bonafide: bool = True) -> Sequence[Talk]:
        """Return ``count`` utterances of as many speakers, none of them the trial's own.

        Bona fide ones, or spoofs. Raises `InvalidCondition` if there are not so many speakers.
        """
        ...

    def speakers(self, *, bonafide: bool = True) -> int:
        """Return how many speakers there are beside the trial's own."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an augmentation may use beside the audio. Grows by fields, so that plugins keep working.

    ``rate`` is in samples per second, ``random`` belongs to this trial and condition alone.
    ``options`` are the numbers that follow the level, ``source`` is what stands in parentheses
    behind the name. Into ``notes`` goes what is to be kept beside the score: the level as it was
    measured, who talked over the trial.
    """

    rate: int
    random: Generator
    utterance: str
    pool: Pool | None = None
    options: tuple[float, ...] = ()
    source: str = ""
    notes: dict[str, float | str] = field(default_factory=dict)


class Augmentation(Protocol):
    """A transform of audio that has a level."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` transformed at ``level``: same length, same dtype.

        The length may change where the spec says so. ``level`` is NaN for an augmentation without
        one. ``audio`` must not be written into.
        """
        ...


@runtime_checkable
class BatchAugmentation(Protocol):
    """An augmentation that can do several trials at once, with the same result for each."""

    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)`` transformed, as `Augmentation.apply` would one by one.

        Each row has a level of its own, ``levels`` ``(batch,)`` float64 on the processor, and draws
        from the generator of its own context, which is on the processor too. Where the spec says
        `on_device`, ``audio`` may lie on an accelerator, and what is returned lies there as well.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveContext:
    """What an objective is made for. Grows by fields, so that plugins keep working.

    ``width`` is that of the embeddings, ``options`` are the numbers that the spec names, in its
    order, and ``trials`` those of the train protocol. One that judges is made again to score, and
    there are no trials then: what it learns may not hang on them in number or shape.
    """

    width: int
    options: tuple[float, ...] = ()
    trials: Sequence[Trial] = ()


@runtime_checkable
class Objective(Protocol):
    """A loss on embeddings; it must be a ``torch.nn.Module``, whose parameters are learned."""

    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Sequence[Trial]) -> Tensor:
        """Return one loss for each utterance, ``(batch,)``; the recipe weighs the classes.

        ``embedded`` is ``(batch, width)`` in float32, ``bonafide`` ``(batch,)`` bool, ``trials``
        are those of the batch.
        """
        ...


@runtime_checkable
class JudgingObjective(Objective, Protocol):
    """An objective that can take the place of the model's own loss and score."""

    def score(self, embedded: Tensor) -> Tensor:
        """Score ``embedded`` ``(batch, width)``: ``(batch,)``, higher = more bona fide."""
        ...


class Metric(Protocol):
    """A number that judges scores."""

    def __call__(self, judged: Judged) -> float:
        """Return the metric as a fraction or cost, never a percentage."""
        ...


class Reporter(Protocol):
    """A way of writing tables down."""

    def __call__(self, tables: Sequence[ResultTable], stream: TextIO) -> None:
        """Write ``tables`` to ``stream``."""
        ...


class Tracker(Protocol):
    """Logs a training somewhere, beside ``epochs.csv``. The first process alone has one.

    What it raises puts it aside until the training is begun or resumed again; the training goes on.
    """

    def epoch(self, epoch: Epoch) -> None:
        """Log the numbers of ``epoch``: in order, each as soon as its checkpoint is kept.

        After a crash in the middle of this the same epoch may come again: it takes the place of
        what was logged of it.
        """
        ...

    def end(self, record: TrainingRecord) -> None:
        """Log what came of the training, and close what is open; this too may come again."""
        ...


class TrackerMaker(Protocol):
    """Gives the tracker of one training, anew whenever it is begun or resumed."""

    def __call__(self, folder: Path, terms: TrainingTerms) -> Tracker:
        """Return what logs the training in ``folder``, which is there, on ``terms``.

        Files of its own belong into a folder of its own below ``folder``. Raises `SpoofbenchError`
        for what the user must put right first, such as `MissingExtra`.
        """
        ...
