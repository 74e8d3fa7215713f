"""What the code behind a spec must do, as protocol classes.

Importing this loads neither torch nor numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO, runtime_checkable

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from spoofbench.metrics.judged import Judged
    from spoofbench.protocols import Data
    from spoofbench.tables import ResultTable
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
class Context:
    """What an augmentation may use beside the audio. Grows by fields, so that plugins keep working.

    ``rate`` is in samples per second, ``random`` belongs to this trial and condition alone.
    """

    rate: int
    random: Generator
    utterance: str


class Augmentation(Protocol):
    """A transform of audio that has a level."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` transformed at ``level``: same length, same dtype."""
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
