"""Calls codecs as a sweep would, for the tests beside this file."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import butter, correlate, sosfiltfilt, stft

from spoofbench.contracts import Context
from spoofbench.specs import AugmentationSpec
from spoofbench_codecs.plugin import spoofbench_augmentations
from spoofbench_toy.randomness import random_for
from spoofbench_toy.script import write_script
from spoofbench_toy.talker import draw_talker, speak

Array = NDArray[np.float32]

SPECS = {spec.name: spec for spec in spoofbench_augmentations()}
CONDITIONS = [
    (name, level) for name, spec in SPECS.items() for level in (spec.levels or (math.nan,))
]
EASIEST = [(name, (spec.levels or (math.nan,))[0]) for name, spec in SPECS.items()]


class Outcome(NamedTuple):
    audio: Array
    notes: dict[str, float | str]


def context(spec: AugmentationSpec, rate: int = 16_000) -> Context:
    options = tuple(default for _, default in spec.options)
    generator = torch.Generator().manual_seed(0)
    return Context(rate=rate, random=generator, utterance="u", options=options)


def through(
    name: str, level: float, audio: Array, *, rate: int = 16_000, options: tuple[float, ...] = ()
) -> Outcome:
    """Send ``audio`` ``(time,)`` through a codec."""
    used = context(SPECS[name], rate)
    if options:
        used = replace(used, options=options)
    coded = SPECS[name].resolve()().apply(torch.from_numpy(audio.copy()), level, used)
    return Outcome(coded.numpy(), used.notes)


def speech(seconds: float, name: str = "codecs") -> Array:
    """Return a made-up talker ``(time,)`` at 16 kHz, its largest sample 0.5."""
    random = random_for(name)
    talker = draw_talker(random)
    spoken = speak(talker, write_script(seconds, talker.syllables_per_second, random), random)
    return (0.5 * spoken / np.abs(spoken).max()).astype(np.float32)


def noise(seconds: float, rate: int = 16_000) -> Array:
    drawn = np.random.default_rng(3).standard_normal(round(seconds * rate))
    return (0.1 * drawn).astype(np.float32)


def lag(sent: Array, received: Array) -> int:
    """Return by how many samples ``received`` is late, from the telephone band of both.

    Speech codecs have high-pass filters that turn the phase of what is below 200 Hz; in a low voice
    that is most of the energy, and moves the peak of the whole band.
    """
    band = butter(4, [300, 3400], "bandpass", fs=16_000, output="sos")
    correlation = correlate(sosfiltfilt(band, received), sosfiltfilt(band, sent), method="fft")
    return int(np.argmax(correlation)) - (len(sent) - 1)


def snr_db(sent: Array, received: Array) -> float:
    error = received.astype(float) - sent
    return float(10 * np.log10(np.sum(sent.astype(float) ** 2) / np.sum(error**2)))


def spectral_distance_db(sent: Array, received: Array) -> float:
    """Return the mean over frames of the root mean square difference of log power spectra."""
    powers = [np.abs(stft(a, 16_000, nperseg=512)[2]) ** 2 + 1e-7 for a in (sent, received)]
    difference_db = 10 * np.log10(powers[0] / powers[1])
    return float(np.mean(np.sqrt(np.mean(difference_db**2, axis=0))))


def power_db(audio: Array, low_hz: float, high_hz: float, rate: int = 16_000) -> float:
    """Return the power between two frequencies, in dB."""
    spectrum = np.abs(np.fft.rfft(audio.astype(float))) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1 / rate)
    return float(10 * np.log10(spectrum[(hertz >= low_hz) & (hertz < high_hz)].sum() + 1e-20))
