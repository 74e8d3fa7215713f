"""Channels that change amplitudes: ``clip``, ``gain`` and ``quantise``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoofbench import Context
from spoofbench.errors import InvalidCondition

FRAME_S = 0.02
"""The frames of which `speaking` tells speech from pauses, in seconds."""
SPEECH_DB = 40.0
"""How far below the loudest frame speech may be."""


class Clip:
    """Cuts the loudest samples of speech to one height."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with ``level`` percent of its speech clipped.

        The height is the quantile of the magnitudes of speech that so many exceed. The share that
        reaches it goes into ``context.notes``. Nothing is made louder afterwards.
        """
        magnitude = audio.abs().numpy()
        speech = magnitude[speaking(magnitude, context.rate)]
        if not speech.any():
            context.notes["undefined"] = "silence"
            return audio.clone()
        kept = len(speech) - round(level / 100 * len(speech))
        height = float(np.partition(speech, max(kept - 1, 0))[max(kept - 1, 0)])
        clipped = (speech > height) | ((speech == height) & (level > 0))
        context.notes["clipped_percent"] = 100 * float(clipped.mean())
        return audio.clamp(-height, height)


def speaking(audio: NDArray[np.float32], rate: int) -> NDArray[np.bool_]:
    """Say of each sample ``(time,)`` whether its frame is near enough to the loudest one.

    Frames are `FRAME_S` long, the last one what is left; near is within `SPEECH_DB`.
    """
    starts = np.arange(0, len(audio), round(FRAME_S * rate))
    lengths = np.diff(starts, append=len(audio))
    power = np.add.reduceat(np.square(audio, dtype=np.float64), starts) / lengths
    near: NDArray[np.bool_] = power >= power.max() * 10 ** (-SPEECH_DB / 10)
    return np.repeat(near, lengths)


class Gain:
    """Makes speech softer or louder."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:  # noqa: ARG002
        """Return ``audio`` ``(time,)`` times 10^(``level`` / 20); nothing is clipped."""
        factor: float = 10 ** (level / 20)
        return torch.mul(audio, factor)

    def apply_batch(
        self,
        audio: Tensor,
        levels: Tensor,
        contexts: Sequence[Context],  # noqa: ARG002
    ) -> Tensor:
        """Return ``audio`` ``(batch, time)``, each row as `apply` does it."""
        factors = torch.tensor([10 ** (level / 20) for level in levels.tolist()])
        return audio * factors.to(audio)[:, None]


class Quantise:
    """Rounds speech to the steps of a converter."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` in steps of 2^(1 - ``level``), clipped at full scale.

        Raises `InvalidCondition` unless ``level`` is whole.
        """
        if level != round(level):
            raise InvalidCondition(f"quantise@{level:g}: bits are whole")
        half = 2.0 ** (level - 1)
        clean = audio.double()
        coarse = torch.div(torch.clamp(torch.round(clean * half), -half, half - 1), half)
        power, noise = float((clean**2).sum()), float(((coarse - clean) ** 2).sum())
        if power > 0 and noise > 0:
            context.notes["snr_db"] = 10 * math.log10(power / noise)
        return coarse.to(audio.dtype)
