"""``room@RT60``: speech in one of twenty simulated rooms."""

from __future__ import annotations

import numpy as np
import torch
from cachetools import LRUCache
from torch import Tensor

from spoofbench import Context
from spoofbench_rooms import images
from spoofbench_rooms.decay import rt60
from spoofbench_rooms.reverberate import Response, reverberate

_HELD = 200
"""Responses that are kept, a few hundred kilobytes each at most."""


class Room:
    """Puts speech into a room whose walls absorb so much that its RT60 is the level, in seconds."""

    def __init__(self) -> None:
        self._responses: LRUCache[tuple[int, float, int], Response] = LRUCache(_HELD)

    def ready(self) -> None:
        """Raise `MissingExtra` where pyroomacoustics is not installed."""
        images.library()

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` in a room that ``context.random`` draws.

        Length, RMS level and the place of the direct sound stay. Raises `MissingExtra` without
        pyroomacoustics.
        """
        number = int(torch.randint(images.ROOMS, (), generator=context.random))
        response = self._response(number, level, context.rate)
        made = reverberate(audio, response, context.notes)
        context.notes["room"] = str(number)
        return made

    def _response(self, number: int, rt60_s: float, rate: int) -> Response:
        key = (number, rt60_s, rate)
        if (held := self._responses.get(key)) is not None:
            return held
        # A generator of the room's own: what a room sounds like does not depend on the trial.
        random = np.random.default_rng([number, images.ROOMS, 1])
        samples = images.response(images.geometry(number), rt60_s, rate, random)
        response = Response(samples=samples, direct=0, rt60_s=rt60(samples, rate))
        self._responses[key] = response
        return response
