"""Text to speech by Flite: diphones and clustered units, in English."""

from __future__ import annotations

import numpy as np

from spoofbench_mini.attacks.sound import missing_program, speed, spoken
from spoofbench_mini.contracts import RATE, Made, Side

_VOICES = ("kal16", "awb", "rms", "slt")


class Flite:
    """Black and Lenzo (2001), "Flite: a small fast run-time synthesis engine"."""

    name: str = "flite"
    summary: str = "Flite: diphone (kal16) and statistical (awb, rms, slt) voices."
    side: Side = "known"
    neural: bool = False
    licence: str = "flite: BSD-like"
    highest_hz: float = RATE / 2
    languages: tuple[str, ...] = ("en",)

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        return missing_program("flite", "flite")

    def speak(self, text: str, language: str, random: np.random.Generator) -> Made:  # noqa: ARG002
        """Return ``text`` in one of the voices."""
        voice, pace = str(random.choice(_VOICES)), speed(random)
        stretch = f"duration_stretch={1 / pace:.2f}"
        made = spoken(["flite", "-voice", voice, "--setf", stretch, "-t", text, "-o"])
        return Made(audio=made, steps=(f"Flite: voice {voice}, speed {pace}",))
