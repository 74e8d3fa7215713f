"""Text to speech by eSpeak NG: formants, no recorded voice at all."""

from __future__ import annotations

import numpy as np

from spoofbench_mini.attacks.sound import missing_program, speed, spoken
from spoofbench_mini.contracts import RATE, Made, Side

_VOICES = ("", "+m1", "+m3", "+m7", "+f1", "+f2", "+f4")
_WORDS_PER_MINUTE = 160


class EspeakNg:
    """Formant synthesis in many languages."""

    name: str = "espeak-ng"
    summary: str = "eSpeak NG: formant synthesis."
    side: Side = "known"
    neural: bool = False
    licence: str = "espeak-ng: GPL-3.0-or-later"
    highest_hz: float = RATE / 2
    languages: tuple[str, ...] = ("en", "cs", "es", "fr", "it", "nl", "ru")

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        return missing_program("espeak-ng", "espeak-ng")

    def speak(self, text: str, language: str, random: np.random.Generator) -> Made:
        """Return ``text`` in one of the variants of the language's voice."""
        voice = f"{language}{random.choice(_VOICES)}"
        rate, pitch = round(_WORDS_PER_MINUTE * speed(random)), int(random.integers(30, 70))
        options = ["-v", voice, "-s", str(rate), "-p", str(pitch)]
        made = spoken(["espeak-ng", *options, "--stdin", "-w"], text.encode())
        steps = (f"eSpeak NG: voice {voice}, {rate} words/min, pitch {pitch}",)
        return Made(audio=made, steps=steps)
