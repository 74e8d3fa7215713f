"""``room-recordings(DIR)``: speech in a room whose impulse response was measured."""

from __future__ import annotations

import numpy as np
from cachetools import LRUCache
from torch import Tensor

from spoofbench import Context
from spoofbench.robustness.recordings import Recordings
from spoofbench_rooms.reverberate import measured, reverberate

_HELD = 4
"""Folders that are kept open."""


class RoomRecordings:
    """Convolves speech with an impulse response from a folder."""

    def __init__(self) -> None:
        self._folders: LRUCache[tuple[str, int], Recordings] = LRUCache(_HELD)

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:  # noqa: ARG002
        """Return ``audio`` ``(time,)`` in a room that ``context.random`` draws from the folder.

        The folder is ``context.source``. Length, RMS level and the place of the direct sound, the
        response's largest sample, stay. Raises what `Recordings` raises.
        """
        response, name = self._recordings(context).draw(context.random)
        samples = response.numpy().astype(np.float64)
        made = reverberate(audio, measured(samples, context.rate), context.notes)
        context.notes["response"] = name
        return made

    def fingerprint(self, source: str, rate: int) -> str:
        """Return what stands for the responses in the folder ``source``; raise as `apply` does."""
        recordings = Recordings(source, rate)
        recordings.check()
        return recordings.fingerprint

    def _recordings(self, context: Context) -> Recordings:
        key = (context.source, context.rate)
        if (held := self._folders.get(key)) is None:
            held = self._folders[key] = Recordings(context.source, context.rate)
        return held
