"""Active speech level: how loud speech is while somebody speaks, whatever the pauses.

Method B of ITU-T Recommendation P.56 (12/2011), "Objective measurement of active speech level".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

TIME_CONSTANT_SECONDS = 0.03
"""T: of both stages of the envelope."""
HANGOVER_SECONDS = 0.2
"""H: so long speech counts as active after the envelope fell below the threshold."""
MARGIN_DB = 15.9
"""M: so far below the active level lies the threshold of what counts as speech."""

_ENVELOPE_HZ = 1000
_SMALLEST_RMS = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveLevel:
    """How loud speech is while it is there, and for which share of the time that is.

    ``level_db`` is in dB relative to a constant of 1 (a sine of full scale has -3.01 dB);
    ``activity`` is from 0 to 1.
    """

    level_db: float
    activity: float


def active_level(audio: Tensor | NDArray[np.floating], rate: int) -> ActiveLevel | None:
    """Return the active speech level of ``audio`` ``(time,)`` at ``rate`` samples per second.

    None for silence. The threshold is found exactly, where the Recommendation interpolates between
    thresholds that are up to 6 dB apart; so a gain moves the level by itself, to the last digit.
    The envelope is followed in steps of a millisecond. Where it never comes up to the threshold,
    as in speech shorter than the time constant, all is taken for active: the level is the RMS
    level.
    """
    samples: NDArray[np.floating] = np.asarray(audio)
    energy = _energy(samples)
    if energy <= len(samples) * _SMALLEST_RMS**2:
        return None
    step = max(1, rate // _ENVELOPE_HZ)
    # Somewhere in the hangover before it, the envelope was at least so high: (steps,), ascending.
    reached = np.sort(_held(_envelope(samples, step, rate), round(HANGOVER_SECONDS * rate / step)))
    active = np.arange(len(reached), 0, -1) * step  # samples that are active at these thresholds
    active = np.minimum(active, len(samples))
    with np.errstate(divide="ignore"):
        thresholds_db = 20 * np.log10(reached)
    levels_db = 10 * np.log10(energy / active)
    far_enough = thresholds_db >= levels_db - MARGIN_DB
    first = int(np.argmax(far_enough)) if far_enough.any() else 0
    return ActiveLevel(
        level_db=float(levels_db[first]), activity=float(active[first] / len(samples))
    )


def rms_db(audio: Tensor | NDArray[np.floating]) -> float:
    """Return the RMS level of ``audio`` ``(time,)`` in dB relative to 1; -inf for silence."""
    samples: NDArray[np.floating] = np.asarray(audio)
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(_energy(samples) / max(len(samples), 1)))


def _energy(samples: NDArray[np.floating]) -> float:
    """Return the sum of squares, added up in an order that no number of threads changes."""
    return float(np.sum(np.square(samples, dtype=np.float64)))


def _envelope(samples: NDArray[np.floating], step: int, rate: int) -> NDArray[np.float64]:
    """Return the magnitude, smoothed twice by a first-order low-pass, every ``step`` samples."""
    from scipy.signal import lfilter

    padded = np.zeros(-(-len(samples) // step) * step)
    np.abs(samples, out=padded[: len(samples)])
    magnitude = padded.reshape(-1, step).mean(axis=1)
    kept = np.exp(-step / (rate * TIME_CONSTANT_SECONDS))
    once = lfilter([1 - kept], [1, -kept], magnitude)
    twice: NDArray[np.float64] = lfilter([1 - kept], [1, -kept], once)
    return twice


def _held(envelope: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Return the highest value among each of ``envelope`` ``(steps,)`` and those before it."""
    from scipy.ndimage import maximum_filter1d

    held: NDArray[np.float64] = maximum_filter1d(
        envelope, steps + 1, mode="constant", origin=steps // 2
    )
    return held
