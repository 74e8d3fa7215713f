"""What a codec of this plugin is made of: something that encodes, decodes and counts bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidCondition

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a codec is set: its level (0 if it has none) and further numbers."""

    level: float
    options: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coded:
    """What came of encoding and decoding.

    ``audio`` ``(time,)`` still has the codec's delay and may be longer than what went in.
    ``payload`` is in bytes, containers and headers not counted.
    """

    audio: Array
    payload: int


class Coder(Protocol):
    """An encoder and its decoder. It is hashable and holds no state from call to call."""

    @property
    def name(self) -> str:
        """The name of the codec, for errors."""
        ...

    @property
    def rate(self) -> int:
        """The sample rate that the codec works at, in samples per second."""
        ...

    def __hash__(self) -> int: ...

    def require(self) -> None:
        """Raise `MissingExtra` or `InvalidCondition` where encoder or decoder is missing."""
        ...

    def code(self, audio: Array, setting: Setting) -> Coded:
        """Encode ``audio`` ``(time,)``, in -1..1 at `rate`, and decode it, with fresh codecs.

        Raises `InvalidCondition` for a setting that the codec does not have.
        """
        ...


def check_level(name: str, level: float, levels: tuple[float, ...]) -> None:
    """Raise `InvalidCondition` unless ``level`` is one of ``levels``; empty allows any."""
    if levels and level not in levels:
        known = ", ".join(f"{known:g}" for known in levels)
        raise InvalidCondition(
            f"'{name}@{level:g}': {name} has no such bit rate", hint=f"it has {known} kbit/s"
        )


def to_int16(audio: Array) -> NDArray[np.int16]:
    """Round ``audio`` ``(time,)`` in -1..1 to 16 bits, 1 being 32768; what is above is clipped."""
    rounded: NDArray[np.int16] = np.clip(np.rint(audio * 32768.0), -32768, 32767).astype(np.int16)
    return rounded


def from_int16(audio: NDArray[np.int16]) -> Array:
    """Return 16-bit ``audio`` ``(time,)`` as float in -1..1."""
    return audio.astype(np.float32) / np.float32(32768.0)
