"""Prosody of one waveform ``(time,)`` at 16 kHz, measured by Praat through Parselmouth.

Praat is what phoneticians measure jitter, shimmer and harmonicity with; its own settings are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from spoofbench.errors import MissingExtra

RATE = 16_000
LOWEST_HZ, HIGHEST_HZ = 75.0, 500.0
"""What a voice's fundamental frequency may be."""
_STEP = 0.01
_REFERENCE_HZ = 100.0
_PERIODS = (0.0001, 0.02, 1.3)
"""Praat's shortest and longest period in seconds, and largest ratio of two that follow."""
_LARGEST_AMPLITUDE_RATIO = 1.6
_UNDEFINED_DB = -200.0
"""What Praat gives as the harmonicity of frames without a voice."""

NAMES = (
    "f0_mean",
    "f0_deviation",
    "f0_range",
    "f0_change",
    "voiced_share",
    "jitter_local",
    "jitter_rap",
    "jitter_ppq5",
    "shimmer_local",
    "shimmer_apq3",
    "shimmer_apq5",
    "harmonicity",
    "level_deviation",
    "level_range",
    "level_change",
)
"""What is measured, in order. F0 is in semitones above 100 Hz, levels and harmonicity in dB."""


def measures(audio: Tensor) -> Tensor:
    """Return the `NAMES` of ``audio`` ``(time,)``; NaN is what is not defined, as F0 of silence.

    Raises `MissingExtra` without Parselmouth.
    """
    try:
        import parselmouth
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "prosody is measured by Praat through Parselmouth, which is not installed",
            hint="pip install 'spoofbench[prosody]'",
        ) from error
    sound = parselmouth.Sound(audio.double().numpy(), sampling_frequency=RATE)
    if not audio.any():
        return torch.full((len(NAMES),), torch.nan)
    pitch = sound.to_pitch(time_step=_STEP, pitch_floor=LOWEST_HZ, pitch_ceiling=HIGHEST_HZ)
    found = [*_melody(pitch.selected_array["frequency"]), *_steadiness(sound, pitch)]
    return torch.tensor([*found, *_loudness(sound)], dtype=torch.float32)


def _melody(frequency: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    voiced = frequency > 0
    if not voiced.any():
        return [np.nan, np.nan, np.nan, np.nan, 0.0]
    semitones = 12 * np.log2(np.where(voiced, frequency, _REFERENCE_HZ) / _REFERENCE_HZ)
    own = semitones[voiced]
    follows = voiced[1:] & voiced[:-1]
    steps = np.abs(np.diff(semitones))[follows]
    return [
        own.mean(),
        own.std(),
        np.subtract(*np.quantile(own, [0.95, 0.05])),
        steps.mean() if len(steps) else np.nan,
        voiced.mean(),
    ]


def _steadiness(sound: Any, pitch: Any) -> list[float]:
    from parselmouth.praat import call

    pulses = call([sound, pitch], "To PointProcess (cc)")
    jitter = [
        call(pulses, f"Get jitter ({kind})", 0, 0, *_PERIODS) for kind in ("local", "rap", "ppq5")
    ]
    shimmer = [
        call(
            *([sound, pulses], f"Get shimmer ({kind})", 0, 0, *_PERIODS),
            _LARGEST_AMPLITUDE_RATIO,
        )
        for kind in ("local", "apq3", "apq5")
    ]
    harmonicity = sound.to_harmonicity().values
    voiced = harmonicity[harmonicity > _UNDEFINED_DB]
    return [*jitter, *shimmer, voiced.mean() if len(voiced) else np.nan]


def _loudness(sound: Any) -> list[float]:
    levels = sound.to_intensity(minimum_pitch=LOWEST_HZ, time_step=_STEP).values[0]
    spread = np.subtract(*np.quantile(levels, [0.95, 0.05]))
    changes = np.abs(np.diff(levels))
    return [levels.std(), spread, changes.mean() if len(changes) else np.nan]
