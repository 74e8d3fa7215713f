"""The last step, the same for both classes: a room, its tone, a level, sixteen bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from spoofbench_toy.frames import RATE, Array

_BRIGHTNESS = 0.9
"""First-order emphasis of high frequencies, like a close, bright microphone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Where and how an utterance is recorded.

    ``lead_seconds`` and ``trail_seconds`` of room tone stand before and after it. ``level_db`` is
    the RMS of the whole in dB below full scale, ``tone_db`` that of the room tone below the voice.
    ``reverberation_seconds`` is the time to fall by 60 dB, ``wet_db`` the level of the reflections.
    """

    lead_seconds: float
    trail_seconds: float
    level_db: float
    tone_db: float
    tone_pole: float
    reverberation_seconds: float
    wet_db: float


def draw_session(random: np.random.Generator) -> Session:
    """Draw a session; knows nothing of talkers or attacks."""
    return Session(
        lead_seconds=float(random.uniform(0.01, 0.06)),
        trail_seconds=float(random.uniform(0.01, 0.06)),
        level_db=float(random.uniform(-32, -28)),
        tone_db=float(random.uniform(-46, -38)),
        tone_pole=float(random.uniform(0.6, 0.95)),
        reverberation_seconds=float(random.uniform(0.12, 0.3)),
        wet_db=float(random.uniform(-24, -14)),
    )


def record(voice: Array, session: Session, random: np.random.Generator) -> NDArray[np.int16]:
    """Record ``voice`` ``(time,)`` in ``session``: the same length and both silences, 16 bits."""
    lead = int(session.lead_seconds * RATE)
    trail = int(session.trail_seconds * RATE)
    dry = np.zeros(lead + len(voice) + trail)
    dry[lead : lead + len(voice)] = voice
    dry[1:] -= _BRIGHTNESS * dry[:-1]
    dry /= np.sqrt(np.mean(dry**2)) + 1e-9
    heard = fftconvolve(dry, _room(session, random))[: len(dry)]
    tone = lfilter([1.0], [1.0, -session.tone_pole], random.standard_normal(len(dry) + 512))[512:]
    heard += tone / np.sqrt(np.mean(tone**2)) * 10 ** (session.tone_db / 20)
    level = 10 ** (session.level_db / 20) / np.sqrt(np.mean(heard**2))
    samples: NDArray[np.int16] = np.clip(np.round(heard * level * 32768), -32768, 32767).astype(
        np.int16
    )
    return samples


def _room(session: Session, random: np.random.Generator) -> Array:
    """Return an impulse response: the direct sound, then noise that decays exponentially.

    Moorer (1979): the late part of a room's response is well described by decaying noise.
    """
    samples = int(session.reverberation_seconds * RATE)
    time = np.arange(samples) / RATE
    tail = random.standard_normal(samples) * np.exp(-6.91 * time / session.reverberation_seconds)
    tail[: int(0.003 * RATE)] = 0
    response: Array = tail / np.sqrt(np.sum(tail**2)) * 10 ** (session.wet_db / 20)
    response[0] = 1
    return response
