"""Computed speech in which somebody speaks and pauses, in place of recordings of people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

from spoofbench_mini.contracts import RATE, Audio, Made, Side, Speech, Unusable


def voice(
    *, pitch: float = 120.0, tract: float = 1.0, seconds: float = 2.5, seed: int = 0
) -> Audio:
    """Return syllables: pulses at ``pitch`` Hz through resonances that ``tract`` shifts."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    f0 = pitch * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time + random.uniform(0, 6)))
    pulses = np.diff(np.floor(np.cumsum(f0) / RATE), prepend=0.0)
    glottis = signal.lfilter([1.0], np.poly([0.96, 0.9]), pulses)
    source = glottis + 0.003 * random.standard_normal(len(time))
    made = source
    for hertz, width in ((600, 90), (1400, 120), (2600, 200), (4500, 500)):
        numerator, denominator = signal.iirpeak(min(hertz * tract, 7500), hertz / width, fs=RATE)
        made = made + 4 * signal.lfilter(numerator, denominator, source)
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time + random.uniform(0, 6)) + 0.3, 0, 1)
    spoken: Audio = made * syllables
    return 0.2 * spoken / np.abs(spoken).max()


def write_folder(folder: Path, *, speakers: int = 6, each: int = 9) -> Path:
    """Write recordings of ``speakers`` into a folder with a subfolder for each; return it."""
    for speaker in range(speakers):
        own = folder / f"speaker{speaker}"
        own.mkdir(parents=True)
        for number in range(each):
            made = voice(
                pitch=90 + 22 * speaker,
                tract=0.85 + 0.06 * speaker,
                seconds=2.0 + 0.1 * number,
                seed=100 * speaker + number,
            )
            soundfile.write(own / f"u{number}.flac", made, RATE)
    return folder


class Recorded:
    """A source of computed voices; what ``broken`` names raises, what ``others`` names is that."""

    name = "recorded"

    def __init__(self, speeches: list[Speech], others: dict[str, Audio] | None = None) -> None:
        self._speeches = speeches
        self._others = others or {}
        self.reads: list[str] = []

    def prepare(self, note: object) -> str:
        return ""

    def speeches(self) -> list[Speech]:
        return self._speeches

    def read(self, speech: Speech) -> Audio:
        self.reads.append(speech.utterance)
        if speech.utterance in self._others:
            return self._others[speech.utterance]
        return voice(seed=len(speech.utterance))


class Copy:
    """Copy-synthesis that turns the waveform round; it fails as ``reason`` says, if it does."""

    name = "turned"
    summary = "turned round"
    side: Side = "known"
    neural = False
    licence = "none"
    highest_hz = 8000.0

    def __init__(self, reason: str = "") -> None:
        self._reason = reason

    def missing(self) -> str:
        return ""

    def copy(self, audio: Audio, random: np.random.Generator) -> Made:
        if self._reason:
            raise Unusable(self._reason)
        return Made(audio=audio[::-1], steps=("turned round",))
