"""The attacks: how each spoof is made from a talker's own way of speaking.

An attack is a delivery (what is wrong with how the talker says it) and a process (what is wrong
with the waveform). T01 to T04 are in train and dev; T05 to T10 are in eval only, and two of
them (T08, T09) are of a kind that neither train nor dev has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import firwin

from spoofbench_toy.frames import RATE, Array, Spectra, from_mel, istft, mel, mel_bands, stft
from spoofbench_toy.glottis import place_pulses
from spoofbench_toy.lpc import all_pole_response
from spoofbench_toy.pitch import track
from spoofbench_toy.talker import Delivery
from spoofbench_toy.tract import HOP, shape

Process = Callable[[Array, np.random.Generator], Array]
"""Takes a waveform ``(time,)`` and gives one of the same length."""

_SIZE, _HOP = 512, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A named way of making spoofs, with one line about it.

    ``image`` is the amplitude of the mirror image above 4 kHz that making it at half the rate
    leaves: the up-sampling layers of neural vocoders do (Pons et al., 2021). It grades how hard
    the attack is for a model that has seen little.
    """

    name: str
    summary: str
    delivery: Delivery
    process: Process
    image: float

    def make(self, voice: Array, random: np.random.Generator) -> Array:
        """Turn ``voice`` ``(time,)``, spoken with `delivery`, into a spoof of the same length."""
        return add_image(self.process(voice, random), self.image)


def untouched(audio: Array, random: np.random.Generator) -> Array:  # noqa: ARG001 (a Process)
    """Return ``audio``: the attack is in the delivery."""
    return audio


def lose_phase(audio: Array, random: np.random.Generator, *, iterations: int) -> Array:
    """Keep the magnitudes of the spectrum, draw its phases, and mend them a few times.

    The iterations are those of Griffin and Lim (1984).
    """
    return _from_magnitudes(np.abs(stft(audio, _SIZE, _HOP)), iterations, len(audio), random)


def invert_mel(audio: Array, random: np.random.Generator, *, bands: int, iterations: int) -> Array:
    """Pass through ``bands`` mel magnitudes: fine structure and phase are guessed."""
    magnitudes = np.abs(stft(audio, _SIZE, _HOP))
    means = mel(magnitudes, bands) / mel_bands(bands, _SIZE).sum(axis=1)
    magnitudes = from_mel(means, magnitudes.shape[1])
    return _from_magnitudes(magnitudes, iterations, len(audio), random)


def resynthesise(
    audio: Array, random: np.random.Generator, *, order: int, buzz: float, jitter: float
) -> Array:
    """Excite the all-pole filters of ``audio`` with one-sample pulses at its F0, and with noise.

    Atal and Hanauer (1971). ``buzz`` from 0 to 1 is the share of power of the pulses where the
    voice is periodic; the rest, and all elsewhere, is noise.
    """
    pitch = track(audio)
    frames = np.arange(len(audio)) // HOP
    pulses = place_pulses(pitch.f0_hz, HOP, jitter=jitter, shimmer=0.0, random=random)
    pulse_train = np.zeros(len(audio))
    at = (pulses.onsets * RATE).astype(int)
    inside = at < len(audio)
    pulse_train[at[inside]] = np.sqrt(pulses.periods[inside] * RATE)
    share = buzz * np.clip((pitch.strength[frames] - 0.4) / 0.2, 0, 1)
    noise = random.standard_normal(len(audio))
    excitation = np.sqrt(share) * pulse_train + np.sqrt(1 - share) * noise
    return shape(excitation, all_pole_response(audio, order))


def limit_band(audio: Array, random: np.random.Generator) -> Array:  # noqa: ARG001 (a Process)
    """Cut off what is above 4 kHz, as a synthesiser that works at half the rate does."""
    return _below_half(audio)


def add_image(audio: Array, amplitude: float) -> Array:
    """Add what is below 4 kHz once more above it, upside down, at ``amplitude``."""
    image = _below_half(audio) * (-1.0) ** np.arange(len(audio))
    return audio + amplitude * image


def repeat_frames(
    audio: Array, random: np.random.Generator, *, frame_seconds: float, share: float
) -> Array:
    """Replace a ``share`` of the frames by the frame before, as concealment of lost packets does.

    There is no cross-fade: the seams click.
    """
    size = int(frame_seconds * RATE)
    repeated = audio.copy()
    for start in range(size, len(audio) - size, size):
        if random.random() < share:
            repeated[start : start + size] = repeated[start - size : start]
    return repeated


def smooth_envelope(
    audio: Array,
    random: np.random.Generator,  # noqa: ARG001 (a Process)
    *,
    frames: int,
    bands: int,
) -> Array:
    """Average the spectral envelope over ``frames``: the over-smoothing of statistical synthesis.

    Toda and Tokuda (2007) describe what it sounds like. Phase and fine structure are kept.
    """
    spectra = stft(audio, _SIZE, _HOP)
    log_mel = np.log(mel(np.abs(spectra), bands) + 1e-3)
    change = uniform_filter1d(log_mel, frames, axis=0, mode="nearest") - log_mel
    gain = np.exp(from_mel(change, spectra.shape[1]))
    return istft(spectra * gain, _SIZE, _HOP, len(audio))


def _below_half(audio: Array) -> Array:
    low: Array = np.convolve(audio, firwin(129, RATE / 4, fs=RATE), mode="same")
    return low


def _from_magnitudes(
    magnitudes: Array, iterations: int, samples: int, random: np.random.Generator
) -> Array:
    """Find a waveform ``(samples,)`` for ``magnitudes`` ``(frames, bins)`` from random phases."""
    spectra: Spectra = magnitudes * np.exp(2j * np.pi * random.random(magnitudes.shape))
    for _ in range(iterations):
        rebuilt = stft(istft(spectra, _SIZE, _HOP, samples), _SIZE, _HOP)
        spectra = magnitudes * rebuilt / (np.abs(rebuilt) + 1e-9)
    return istft(spectra, _SIZE, _HOP, samples)


_NATURAL = Delivery()

KNOWN = (
    Attack(
        name="T01",
        summary="mel inversion, phases left at random",
        delivery=_NATURAL,
        process=partial(invert_mel, bands=60, iterations=0),
        image=0.08,
    ),
    Attack(
        name="T02",
        summary="LPC re-synthesis with pulses",
        delivery=_NATURAL,
        process=partial(resynthesise, order=18, buzz=1.0, jitter=0.0),
        image=0.08,
    ),
    Attack(
        name="T03",
        summary="monotone pitch, perfectly regular, without breath",
        delivery=Delivery(melody=0.0, irregularity=0.0, breath=0.0),
        process=untouched,
        image=0.04,
    ),
    Attack(
        name="T04",
        summary="band limit at 4 kHz, with an image above",
        delivery=_NATURAL,
        process=limit_band,
        image=0.1,
    ),
)
"""In train and dev."""

UNKNOWN = (
    Attack(
        name="T05",
        summary="phase loss, mended by two iterations",
        delivery=_NATURAL,
        process=partial(lose_phase, iterations=2),
        image=0.015,
    ),
    Attack(
        name="T06",
        summary="LPC re-synthesis with noise",
        delivery=_NATURAL,
        process=partial(resynthesise, order=18, buzz=0.5, jitter=0.01),
        image=0.012,
    ),
    Attack(
        name="T07",
        summary="pitch in steps of two semitones, nearly regular, little breath",
        delivery=Delivery(irregularity=0.2, breath=0.2, step_semitones=2.0),
        process=untouched,
        image=0.007,
    ),
    Attack(
        name="T08",
        summary="frame repetition",
        delivery=_NATURAL,
        process=partial(repeat_frames, frame_seconds=0.02, share=0.4),
        image=0.004,
    ),
    Attack(
        name="T09",
        summary="over-smoothed spectral envelope",
        delivery=_NATURAL,
        process=partial(smooth_envelope, frames=25, bands=40),
        image=0.006,
    ),
    Attack(
        name="T10",
        summary="band limit at 4 kHz, with a faint image above",
        delivery=_NATURAL,
        process=limit_band,
        image=0.01,
    ),
)
"""In eval."""
