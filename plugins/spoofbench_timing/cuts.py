"""Shorter trials: ``trim-silence`` and ``duration``."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from spoofbench import Context

FRAME_S = 0.01
"""The frames in which silence is looked for, in seconds."""


class TrimSilence:
    """Cuts silence off both ends."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` from its first frame to its last that is loud enough.

        That is a power less than ``level`` dB below the loudest frame's, which is always kept. The
        seconds cut go into ``context.notes``. A silent trial stays whole.
        """
        frame = round(FRAME_S * context.rate)
        starts = np.arange(0, len(audio), frame)
        power = np.add.reduceat(np.square(audio.numpy(), dtype=np.float64), starts)
        power /= np.diff(starts, append=len(audio))
        if not power.any():
            context.notes["undefined"] = "silence"
            return audio.clone()
        (loud,) = np.nonzero(power > power.max() * 10 ** (-level / 10))
        kept = audio[int(starts[loud[0]]) : int(starts[loud[-1]]) + frame].clone()
        context.notes["cut_s"] = (len(audio) - len(kept)) / context.rate
        return kept


class Duration:
    """Keeps the beginning."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return the first ``level`` seconds of ``audio`` ``(time,)``, whole if it is shorter.

        The seconds cut go into ``context.notes``.
        """
        kept = audio[: max(round(level * context.rate), 1)].clone()
        context.notes["cut_s"] = (len(audio) - len(kept)) / context.rate
        return kept
