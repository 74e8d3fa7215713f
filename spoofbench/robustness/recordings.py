"""Folders of recordings: noises, music, room responses, in whatever layout they come."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import get_worker_info

from spoofbench.audio import Audio, AudioCache
from spoofbench.errors import InvalidAudio, InvalidCondition

SUFFIXES = frozenset(
    ".aif .aifc .aiff .au .caf .flac .mp3 .oga .ogg .opus .w64 .wav".split()  # noqa: SIM905
)
"""How the names of recordings end, in any case; other files are passed over."""
CACHE_BYTES = 128 * 2**20
"""What may be held decoded of a folder, by all worker processes together."""
SILENT_PEAK = 1e-5
"""A recording that never rises above this, 100 dB below full scale, is silent."""
DRAWS = 50
"""So many silent pieces in a row are an error."""
CROSS_FADE_SECONDS = 0.01


class Piece(NamedTuple):
    """A stretch of a recording: ``audio`` ``(samples,)``, and the name of the file in its folder.

    The name has forward slashes on every system.
    """

    audio: Tensor
    name: str


class Recordings:
    """The recordings below ``folder``, at any depth, as mono at ``rate`` samples per second.

    MUSAN and ESC-50 can be given as they are unpacked. Names that start with a dot are passed
    over. Raises `InvalidCondition` if there is no such folder or no recording in it.
    """

    def __init__(self, folder: str, rate: int) -> None:
        self.folder = Path(folder).expanduser()
        self.rate = rate
        if not self.folder.is_dir():
            raise InvalidCondition(
                f"{folder}: there is no such folder of recordings",
                hint="give the folder that holds the recordings, such as musan/noise",
            )
        self.names = tuple(sorted(_found(self.folder)))
        if not self.names:
            raise InvalidCondition(
                f"{folder}: no recordings in it",
                hint=f"recordings end in {', '.join(sorted(SUFFIXES))}",
            )
        self._cache = AudioCache(self.folder, rate, CACHE_BYTES)

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of all names and sizes, in hexadecimal: another one is another folder."""
        digest = hashlib.sha256()
        for name in self.names:
            digest.update(f"{name}\t{(self.folder / name).stat().st_size}\n".encode())
        return digest.hexdigest()

    def check(self) -> None:
        """Raise `InvalidCondition` if nothing can be heard in any recording, or one is broken.

        Reads files up to the first that can be heard.
        """
        if not any(_audible(self._read(name)) for name in self.names):
            raise self._silent(f"all {len(self.names):,} recordings in it are silent")

    def segment(self, random: Generator, samples: int) -> Tensor:
        """Return ``(samples,)`` of a random recording from a random place; see `piece`."""
        return self.piece(random, samples).audio

    def piece(self, random: Generator, samples: int) -> Piece:
        """Return ``samples`` of a random recording from a random place, and its name.

        A recording that is shorter is `looped`. Silent pieces are drawn again. Raises
        `InvalidCondition` if `DRAWS` pieces in a row are silent, or a recording cannot be read.
        """
        for _ in range(DRAWS):
            name = self._drawn(random)
            audio = from_random_place(self._read(name), samples, self.rate, random)
            if _audible(audio):
                return Piece(torch.from_numpy(audio), name)
        raise self._silent(f"{DRAWS} random pieces in a row were silent")

    def draw(self, random: Generator) -> tuple[Tensor, str]:
        """Return a random recording that can be heard, whole ``(time,)``, and its name.

        Raises `InvalidCondition` if `DRAWS` in a row are silent, or one cannot be read.
        """
        for _ in range(DRAWS):
            name = self._drawn(random)
            audio = self._read(name)
            if _audible(audio):
                return torch.from_numpy(audio.copy()), name
        raise self._silent(f"{DRAWS} random recordings in a row were silent")

    def _drawn(self, random: Generator) -> str:
        return self.names[int(torch.randint(len(self.names), (), generator=random))]

    def _read(self, name: str) -> Audio:
        worker = get_worker_info()
        self._cache.budget.capacity = CACHE_BYTES // (worker.num_workers if worker else 1)
        try:
            return self._cache.read(name)
        except InvalidAudio as error:
            raise InvalidCondition(
                str(error), hint=f"take it out of {self.folder}, or replace it"
            ) from error

    def _silent(self, found: str) -> InvalidCondition:
        return InvalidCondition(
            f"{self.folder}: {found}", hint="give a folder of recordings that can be heard"
        )


def from_random_place(audio: Audio, samples: int, rate: int, random: Generator) -> Audio:
    """Return ``samples`` of ``audio`` ``(time,)`` from a random place; `looped` if it is shorter.

    Every place is equally likely. The array is new.
    """
    if len(audio) >= samples:
        start = int(torch.randint(len(audio) - samples + 1, (), generator=random))
        return audio[start : start + samples].copy()
    circle = looped(audio, rate)
    start = int(torch.randint(len(circle), (), generator=random))
    return np.resize(np.roll(circle, -start), samples)


def looped(audio: Audio, rate: int) -> Audio:
    """Return one round of ``audio`` ``(time,)`` as it can be repeated without a click.

    Its end is faded into its start over 10 ms, a quarter of it at most, at equal power, so that
    noise stays as loud; the round is so much shorter than ``audio``.
    """
    fade = min(int(CROSS_FADE_SECONDS * rate), len(audio) // 4)
    if fade == 0:
        return audio
    angle = (np.arange(fade, dtype=np.float32) + 0.5) / fade * np.float32(np.pi / 2)
    circle = audio[: len(audio) - fade].copy()
    circle[:fade] = circle[:fade] * np.sin(angle) + audio[len(audio) - fade :] * np.cos(angle)
    return circle


def _found(folder: Path) -> Iterator[str]:
    """Give the recordings below ``folder``; links to folders are not followed."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield (Path(parent) / name).relative_to(folder).as_posix()


def _audible(audio: Audio) -> bool:
    return bool(np.abs(audio).max(initial=0) > SILENT_PEAK)
