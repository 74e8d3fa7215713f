"""From a file to float32 mono at one rate, brought to length, and kept in a bounded cache."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import cast

import numpy as np
import soundfile
import soxr
from cachetools import LRUCache
from numpy.typing import NDArray

from spoofbench.allocator import give_back
from spoofbench.budget import Budget
from spoofbench.errors import InvalidAudio
from spoofbench.store import Store

Audio = NDArray[np.float32]
"""A waveform ``(time,)``, full scale at -1 and 1."""

DECODER = f"1 libsndfile {soundfile.__libsndfile_version__} soxr {soxr.__libsoxr_version__}"
"""What decides the samples of a file; the first number grows when `read` gives others."""

_SIZES = re.compile(r"^ *(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)
"""What libsndfile says of a WAV, AIFF or AU file whose header announces another size."""
_STREAMED = 0x7FFF_0000
"""Sizes from here up are announced by programs that write to a pipe and do not know better."""


def read(file: Path, rate: int) -> Audio:
    """Decode ``file`` into mono at ``rate`` samples per second: ``(time,)``.

    Channels are averaged. Another rate is converted by soxr at its high quality.

    Raises `InvalidAudio`, naming the file, if it cannot be decoded, is empty, ends before its
    header says, or holds values that are not finite.
    """
    try:
        with soundfile.SoundFile(file) as source:
            announced, native_rate = source.frames, source.samplerate
            cut_off = _bytes_cut_off(source.extra_info)
            samples = source.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError) as error:  # TypeError: without a header
        raise InvalidAudio(f"{file}: cannot be decoded: {_reason(file, error)}") from error
    if cut_off:
        raise InvalidAudio(
            f"{file}: ends {cut_off:,} bytes before its header says",
            hint="the file was cut: copy it again",
        )
    if announced == 0 or not len(samples):
        raise InvalidAudio(f"{file}: holds no samples")
    if len(samples) < announced:
        raise InvalidAudio(
            f"{file}: ends after {len(samples):,} of the {announced:,} samples in its header",
            hint="the file was cut: copy it again",
        )
    if not np.isfinite(samples).all():
        raise InvalidAudio(f"{file}: holds samples that are not finite numbers")
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    if native_rate != rate:
        mono = soxr.resample(mono, native_rate, rate, quality="HQ")
        if not len(mono):
            raise InvalidAudio(f"{file}: too short to be converted to {rate:,} Hz")
    return cast(Audio, np.ascontiguousarray(mono, dtype=np.float32))


def length(file: Path, rate: int) -> int:
    """Return how many samples ``file`` has at ``rate``, as its header says; nothing is decoded.

    Raises `InvalidAudio`, naming the file, where it has no header that can be read.
    """
    try:
        header = soundfile.info(file)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise InvalidAudio(f"{file}: cannot be decoded: {_reason(file, error)}") from error
    return round(int(header.frames) * rate / int(header.samplerate))


def first(audio: Audio, samples: int) -> Audio:
    """Return the first ``samples`` of ``audio`` ``(time,)``, repeated from its start if shorter."""
    if len(audio) >= samples:
        return audio[:samples]
    return np.tile(audio, -(-samples // len(audio)))[:samples]


def random_crop(audio: Audio, samples: int, random: np.random.Generator) -> Audio:
    """Return ``samples`` of ``audio`` ``(time,)`` from a random place, repeated if shorter.

    Every place is equally likely, the last one included.
    """
    start = int(random.integers(max(len(audio) - samples, 0) + 1))
    return first(audio[start:], samples)


class AudioCache:
    """Decoded waveforms of at most ``capacity`` bytes; the least recently used is dropped first.

    Each worker process fills a copy of its own; all share `budget`, which bounds each copy and
    counts over all. With a ``store``, waveforms are kept there and none here.
    """

    def __init__(self, root: Path, rate: int, capacity: int, store: Store | None = None) -> None:
        self.root = root
        self.rate = rate
        self.budget = Budget(capacity)
        self.store = store
        self._cache: LRUCache[str, Audio] = LRUCache(math.inf, getsizeof=_bytes)  # see `_shrink`

    @property
    def size(self) -> int:
        """Bytes held now in this process."""
        return int(self._cache.currsize)

    def read(self, file: str) -> Audio:
        """Return the waveform of ``file``, a path below the root, ``(time,)``; decode if not held.

        The array is shared and cannot be written to.
        """
        self.heed()
        if self.store is not None:
            audio, found = self.store.read(self.root / file, self.rate, read, decoder=DECODER)
            self.budget.count(hit=found)
            return audio
        held = self._cache.get(file)
        self.budget.count(hit=held is not None)
        if held is not None:
            return held
        audio = read(self.root / file, self.rate)
        audio.flags.writeable = False
        if (room := self.budget.capacity - audio.nbytes) >= 0:
            self._shrink(room)
            self._cache[file] = audio
            self.budget.hold(audio.nbytes)
        return audio

    def heed(self) -> None:
        """Drop what this process holds beyond the budget, if that has become smaller."""
        if self.size > (capacity := self.budget.capacity):
            self._shrink(capacity)
            give_back()

    def _shrink(self, most: int) -> None:
        while self.size > most:
            _, dropped = self._cache.popitem()
            self.budget.hold(-dropped.nbytes)


def _bytes(audio: Audio) -> int:
    return int(audio.nbytes)


def _bytes_cut_off(log: str) -> int:
    """Return how many bytes of audio are missing at the end; libsndfile takes it in silence."""
    sizes = _SIZES.search(log)
    announced, found = map(int, sizes.groups()) if sizes else (0, 0)
    return max(announced - found, 0) if announced < _STREAMED else 0


def _reason(file: Path, error: Exception) -> str:
    if not file.exists():
        return "there is no such file"
    return str(getattr(error, "error_string", error))
