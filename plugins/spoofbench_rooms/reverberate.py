"""Speech in a room: convolution that keeps length, place in time and level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor, from_numpy

from spoofbench_rooms.decay import Array, rt60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """An impulse response ``(time,)`` whose direct sound is sample ``direct``.

    ``rt60_s`` is its T30, NaN if that cannot be measured.
    """

    samples: Array
    direct: int
    rt60_s: float


def measured(samples: Array, rate: int) -> Response:
    """Say of ``samples`` ``(time,)`` where the direct sound is, the largest one, and the RT60."""
    direct = int(np.argmax(np.abs(samples)))
    return Response(samples=samples, direct=direct, rt60_s=rt60(samples[direct:], rate))


def reverberate(audio: Tensor, response: Response, notes: dict[str, float | str]) -> Tensor:
    """Return ``audio`` ``(time,)`` as it sounds in the room, of the same length and RMS level.

    The direct sound keeps its place in time; what rings on after the end is cut. Silence stays as
    it is. What was measured goes into ``notes``.
    """
    from scipy.signal import oaconvolve

    dry = audio.numpy().astype(np.float64)
    level = math.sqrt(np.mean(np.square(dry))) if len(dry) else 0.0
    if level == 0:
        notes["undefined"] = "silence"
        return audio.clone()
    end = response.direct + len(dry)  # what comes later is not heard before the trial's end
    wet = oaconvolve(dry, response.samples[:end])[response.direct : end]
    reached = math.sqrt(np.mean(np.square(wet)))
    if reached > 0:
        wet = wet * (level / reached)
    if not math.isnan(response.rt60_s):
        notes["rt60_s"] = response.rt60_s
    return from_numpy(wet.astype(np.float32))
