"""Whether a recording can stand for a person's speech: not silence, not music, not broken."""

from __future__ import annotations

import numpy as np

from spoofbench.robustness.speech_level import active_level
from spoofbench_mini.contracts import RATE, Audio, Unusable

QUIETEST_DB = -60.0
LEAST_ACTIVE = 0.2
"""So much of the time somebody must speak."""
LEAST_PAUSES = 0.12
"""So many frames must be quieter than half the mean around them.

Of the prompts and dialogues that this corpus is made of, all had 0.14 or more; of Debian's music on
hold, three pieces of five had a median below 0.05 over stretches of 10 s, the others 0.14 and 0.31.
"""

_FRAME = RATE // 50
_SECOND = 50
_CLIPPED = 0.999
_MOST_CLIPPED = 0.01


def check(audio: Audio) -> None:
    """Raise `Unusable`, with the reason, unless ``audio`` sounds like somebody who speaks.

    Speech pauses between syllables and words, most music does not: the share of quiet frames is the
    "percentage of low-energy frames" of Scheirer and Slaney (1997), "Construction and evaluation of
    a robust multifeature speech/music discriminator".
    """
    speech = active_level(audio, RATE)
    if speech is None or speech.level_db < QUIETEST_DB or speech.activity < LEAST_ACTIVE:
        raise Unusable("silence, or hardly any speech")
    if np.mean(np.abs(audio) > _CLIPPED) > _MOST_CLIPPED:
        raise Unusable("clipped")
    if pauses(audio) < LEAST_PAUSES:
        raise Unusable("no pauses: music or noise, not speech")


def pauses(audio: Audio) -> float:
    """Return the share of 20 ms frames whose RMS is below half the mean of the second around."""
    frames = audio[: len(audio) // _FRAME * _FRAME].reshape(-1, _FRAME)
    rms = np.sqrt(np.square(frames).mean(axis=1))
    length = min(_SECOND, len(rms))
    window = np.ones(length)
    around = np.convolve(rms, window, "same") / np.convolve(np.ones(len(rms)), window, "same")
    return float(np.mean(rms < 0.5 * around))
