"""Source-filter talkers, the stand-in for bona fide speech. No human voice is in them.

Fant (1960): a voice is a source (glottal pulses, breath, hiss) and a filter (the vocal tract).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from spoofbench_toy.frames import RATE, Array
from spoofbench_toy.glottis import flow_derivative, openness, place_pulses
from spoofbench_toy.script import Script
from spoofbench_toy.tract import HOP, resonances, shape

_BANDWIDTHS_HZ = np.array([70.0, 100.0, 140.0, 220.0, 300.0])
_HIGH_FORMANTS_HZ = (3500.0, 4500.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talker:
    """Who speaks.

    ``tract`` scales all formants (1 = average, above = shorter vocal tract). ``jitter`` and
    ``shimmer`` are standard deviations of the periods and amplitudes of pulses, as fractions.
    ``tilt`` from 0 to 1 darkens the source, ``breath`` is the amplitude of aspiration.
    """

    f0_hz: float
    tract: float
    high_formants: float
    jitter: float
    shimmer: float
    open_quotient: float
    tilt: float
    breath: float
    syllables_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How it is said: what a talker does of itself, each a factor; 1 is natural, 0 is none of it.

    ``melody`` scales accents and drift, ``irregularity`` jitter and shimmer, ``breath`` the noise
    in the source. ``step_semitones`` above 0 rounds the melody to a staircase.
    """

    melody: float = 1.0
    irregularity: float = 1.0
    breath: float = 1.0
    step_semitones: float = 0.0


def draw_talker(random: np.random.Generator) -> Talker:
    """Draw a talker; high voices tend to come with short vocal tracts, as in people."""
    height = random.uniform(-1, 1)
    return Talker(
        f0_hz=float(150 * 2 ** (0.55 * height + random.uniform(-0.2, 0.2))),
        tract=float(1.04 + 0.09 * height + random.uniform(-0.06, 0.06)),
        high_formants=float(random.uniform(0.93, 1.07)),
        jitter=float(random.uniform(0.008, 0.02)),
        shimmer=float(random.uniform(0.06, 0.14)),
        open_quotient=float(random.uniform(0.5, 0.75)),
        tilt=float(random.uniform(0.2, 0.5)),
        breath=float(random.uniform(0.08, 0.16)),
        syllables_per_second=float(random.uniform(3.2, 5.0)),
    )


def speak(
    talker: Talker,
    script: Script,
    random: np.random.Generator,
    delivery: Delivery = Delivery(),
) -> Array:
    """Let ``talker`` say ``script``: dry audio ``(script.samples,)``, RMS 1 where it is voiced."""
    samples = script.samples
    pulses = place_pulses(
        melody(talker, script, random, delivery),
        HOP,
        jitter=talker.jitter * delivery.irregularity,
        shimmer=talker.shimmer * delivery.irregularity,
        random=random,
    )
    voiced = flow_derivative(pulses, samples, talker.open_quotient)
    voiced = lfilter([1 - talker.tilt], [1, -talker.tilt], voiced)
    noise = random.standard_normal((2, samples))
    gate = 0.25 + openness(pulses, samples, talker.open_quotient)
    voicing = _by_sample(script.voicing, samples)
    excitation = voicing * (voiced + delivery.breath * talker.breath * gate * noise[0])

    formants = np.empty((len(script.voicing), 5))
    formants[:, :3] = script.formants_hz * talker.tract
    formants[:, 3:] = np.array(_HIGH_FORMANTS_HZ) * talker.tract * talker.high_formants
    mouth = resonances(formants, np.broadcast_to(_BANDWIDTHS_HZ, formants.shape))
    hiss = resonances(
        np.minimum(script.frication_hz[:, None] * talker.tract, 0.46 * RATE),
        np.full((len(formants), 1), 1400.0),
    )
    speech = shape(excitation, mouth)
    speech /= np.sqrt(np.mean(speech[voicing > 0.5] ** 2)) + 1e-9
    frication = shape(_by_sample(script.frication, samples) * noise[1], hiss)
    result: Array = speech + 0.06 * frication
    return result


def melody(
    talker: Talker, script: Script, random: np.random.Generator, delivery: Delivery
) -> Array:
    """Return F0 in Hz ``(frames,)``: accents, and the slow drift of a living voice."""
    drift = gaussian_filter1d(random.standard_normal(len(script.accent)), 3.0, mode="nearest")
    semitones = delivery.melody * (script.accent + 0.6 * drift)
    if delivery.step_semitones > 0:
        semitones = delivery.step_semitones * np.round(semitones / delivery.step_semitones)
    f0_hz: Array = talker.f0_hz * 2 ** (semitones / 12)
    return f0_hz


def _by_sample(by_frame: Array, samples: int) -> Array:
    """Draw lines between the values ``(frames,)`` that are `HOP` samples apart: ``(samples,)``."""
    interpolated: Array = np.interp(np.arange(samples), np.arange(len(by_frame)) * HOP, by_frame)
    return interpolated
