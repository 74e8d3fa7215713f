"""What a source of speech and an attack must do; whoever adds one writes a class like these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples per second of the corpus."""

Audio = NDArray[np.float64]
"""A waveform ``(time,)`` at `RATE`, full scale at 1."""

WIDEST_HZ = 7000.0
"""Where the band of the corpus ends; G.722, which some of the speech comes in, ends there."""

Side = Literal["known", "unknown"]
"""Whether an attack is met in train and dev, or in eval alone."""


class Unusable(Exception):
    """One recording or one text gave nothing that can be used; the build goes on without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One recorded utterance of a person.

    ``speaker`` is unique over all sources: one who is in two of them has one name. ``utterance`` is
    unique within the source. ``language`` is an ISO 639-1 code and ``text`` what is said; both are
    empty where the source does not tell.
    """

    source: str
    speaker: str
    utterance: str
    path: Path
    licence: str
    language: str = ""
    text: str = ""


class SpeechSource(Protocol):
    """Recordings of people, each of one speaker who is known."""

    @property
    def name(self) -> str:
        """What the manifest calls the source."""
        ...

    def prepare(self, note: Callable[[str], None]) -> str:
        """Fetch what may be fetched, telling ``note``; return nothing if the source is usable.

        Otherwise the one command that makes it so.
        """
        ...

    def speeches(self) -> Sequence[Speech]:
        """List the recordings, sorted by utterance; open none. Raises `CorpusNotFound`."""
        ...

    def read(self, speech: Speech) -> Audio:
        """Decode one of them, to one channel at `RATE`. Raises `Unusable`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What an attack made, and the steps by which, for the manifest."""

    audio: Audio
    steps: tuple[str, ...]


@runtime_checkable
class CopySynthesis(Protocol):
    """An attack that takes speech apart and puts it together again."""

    name: str
    summary: str
    side: Side
    neural: bool
    licence: str
    highest_hz: float
    """Where the band that it can render ends."""

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        ...

    def copy(self, audio: Audio, random: np.random.Generator) -> Made:
        """Return ``audio`` re-synthesised. Raises `Unusable`."""
        ...


@runtime_checkable
class TextToSpeech(Protocol):
    """An attack that speaks a text."""

    name: str
    summary: str
    side: Side
    neural: bool
    licence: str
    highest_hz: float
    """Where the band that it can render ends."""
    languages: tuple[str, ...]
    """ISO 639-1 codes of the languages that it speaks."""

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        ...

    def speak(self, text: str, language: str, random: np.random.Generator) -> Made:
        """Return ``text`` spoken, in a voice that ``random`` draws. Raises `Unusable`."""
        ...


Attack = CopySynthesis | TextToSpeech
