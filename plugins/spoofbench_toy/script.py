"""What is said: a sequence of syllables as targets of formants, voicing, frication and accent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from spoofbench_toy.frames import RATE, Array
from spoofbench_toy.tract import HOP

# F1, F2, F3 in Hz of ten vowels: the means of the men in Peterson and Barney (1952), table II.
_VOWELS_HZ = np.array(
    [
        (270, 2290, 3010),
        (390, 1990, 2550),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (440, 1020, 2240),
        (300, 870, 2240),
        (640, 1190, 2390),
        (490, 1350, 1690),
    ],
    dtype=np.float64,
)
# Where F1, F2, F3 head for at a closure of the lips, of the tongue's tip, and of its back.
_LOCI_HZ = np.array([(250, 800, 2200), (250, 1800, 2700), (250, 2200, 2500)], dtype=np.float64)
_FRICATIVES_HZ = np.array([2600.0, 3400.0, 5200.0, 6200.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Positions of the mouth, `tract.HOP` samples apart.

    ``formants_hz`` ``(frames, 3)`` is for a vocal tract of average length; ``voicing`` and
    ``frication`` ``(frames,)`` are amplitudes from 0 to 1, ``frication_hz`` ``(frames,)`` is where
    the hiss lies, ``accent`` ``(frames,)`` is the melody in semitones.
    """

    formants_hz: Array
    voicing: Array
    frication: Array
    frication_hz: Array
    accent: Array

    @property
    def samples(self) -> int:
        """How long it takes, in samples."""
        return len(self.voicing) * HOP


def write_script(
    seconds: float, syllables_per_second: float, random: np.random.Generator
) -> Script:
    """Make up syllables until ``seconds`` are full."""
    frames = max(int(seconds * RATE / HOP), 8)
    formants = np.empty((frames, 3))
    voicing, frication, accent = np.zeros(frames), np.zeros(frames), np.zeros(frames)
    frication_hz = np.full(frames, _FRICATIVES_HZ[0])
    start = 0
    while start < frames:
        length = RATE / HOP / syllables_per_second * random.uniform(0.7, 1.4)
        onset = start + max(int(length * random.uniform(0.2, 0.4)), 3) if start else 2
        end = start + max(int(length), 8)
        formants[start:onset] = _LOCI_HZ[random.integers(len(_LOCI_HZ))]
        formants[onset:end] = _VOWELS_HZ[random.integers(len(_VOWELS_HZ))]
        manner = random.random()
        if start == 0:  # the voice sets in at once
            voicing[start:onset] = 0.5
        elif manner < 0.35:  # a fricative
            frication[start:onset] = random.uniform(0.3, 1.0)
            frication_hz[start:onset] = random.choice(_FRICATIVES_HZ)
        elif manner < 0.6:  # a stop: silence, then a short burst
            frication[onset - 1 : onset] = random.uniform(0.5, 1.0)
            frication_hz[start:onset] = random.choice(_FRICATIVES_HZ)
        else:  # a nasal or an approximant: voiced throughout
            voicing[start:onset] = 0.35
        voicing[onset:end] = random.uniform(0.7, 1.0)
        accent[start:end] = random.normal(0.0, 1.6)
        start = end
        if random.random() < 0.08:  # a pause
            pause = start + int(random.uniform(0.06, 0.16) * RATE / HOP)
            formants[start:pause] = formants[min(start, frames) - 1]
            start = pause
    declination = np.linspace(1.5, -2.0, frames)
    return Script(
        formants_hz=gaussian_filter1d(formants, 2.2, axis=0, mode="nearest"),
        voicing=gaussian_filter1d(voicing, 1.0, mode="nearest"),
        frication=gaussian_filter1d(frication, 0.7, mode="nearest"),
        frication_hz=frication_hz,
        accent=gaussian_filter1d(accent, 5.0, mode="nearest") + declination,
    )
