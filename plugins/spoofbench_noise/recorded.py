"""Noise from a folder of recordings: music, noises, babble of one's own."""

from __future__ import annotations

from cachetools import LRUCache
from torch import Tensor

from spoofbench import Context
from spoofbench.robustness.recordings import Recordings
from spoofbench_noise.mixing import with_noise

FOLDERS = 4
"""So many folders at most are remembered, with what was decoded of them."""


class Recorded:
    """Pieces of the recordings in a folder, each from a random place."""

    def __init__(self) -> None:
        self._folders: LRUCache[tuple[str, int], Recordings] = LRUCache(FOLDERS)

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with a recording at ``level`` dB SNR; note which.

        Raises `InvalidCondition` if the folder has no recordings, or silent or broken ones.
        """
        piece = self._recordings(context.source, context.rate).piece(context.random, len(audio))
        made = with_noise(audio, piece.audio.numpy(), level, context)
        if "snr_db" in context.notes:
            context.notes["recording"] = piece.name
        return made

    def fingerprint(self, source: str, rate: int) -> str:
        """Return what tells this folder ``source`` from others and from itself as it was.

        Raises `InvalidCondition` if it cannot be used at ``rate`` samples per second, before
        anything is scored.
        """
        recordings = self._recordings(source, rate)
        recordings.check()
        return recordings.fingerprint

    def _recordings(self, folder: str, rate: int) -> Recordings:
        if (folder, rate) not in self._folders:
            self._folders[folder, rate] = Recordings(folder, rate)
        return self._folders[folder, rate]
