"""Text to speech by Festival: unit selection, diphones and HTS, by the voices that are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spoofbench_mini.attacks.sound import missing_program, speed, spoken
from spoofbench_mini.contracts import RATE, Made, Side, Unusable

FOLDER = Path("/usr/share/festival/voices")
_VOICES = {
    "english/kal_diphone": "en",
    "us/cmu_us_slt_arctic_hts": "en",
    "russian/msu_ru_nsh_clunits": "ru",
    "czech/czech_ph": "cs",
    "italian/lp_diphone": "it",
    "italian/pc_diphone": "it",
}
"""Where a voice lies and what it speaks; the Russian one is unit selection out of festvox-ru."""


class Festival:
    """Taylor, Black and Caley (1998), "The architecture of the Festival ... system"."""

    name: str = "festival"
    summary: str = "Festival: unit selection, diphones, HTS."
    side: Side = "unknown"
    neural: bool = False
    licence: str = "festival: BSD-like; voices: their own"
    highest_hz: float = RATE / 2

    def __init__(self, folder: Path = FOLDER) -> None:
        self._voices = {
            place.rpartition("/")[2]: language
            for place, language in _VOICES.items()
            if (folder / place).is_dir()
        }
        self.languages: tuple[str, ...] = tuple(dict.fromkeys(self._voices.values()))

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        command = missing_program("text2wave", "festival festvox-kallpc16k festvox-ru")
        return command or ("" if self._voices else "apt-get install festvox-kallpc16k")

    def speak(self, text: str, language: str, random: np.random.Generator) -> Made:
        """Return ``text`` in one of the installed voices that speak ``language``."""
        able = sorted(name for name, own in self._voices.items() if own == language)
        if not able:
            raise Unusable(f"Festival has no voice for {language}")
        voice, pace = str(random.choice(able)), speed(random)
        commands = f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {1 / pace:.2f}))"
        command = ["text2wave", "-eval", commands, "-", "-o"]
        made = spoken(command, _encoded(text, language))
        return Made(audio=made, steps=(f"Festival: voice {voice}, speed {pace}",))


def _encoded(text: str, language: str) -> bytes:
    """Return ``text`` as the voices of ``language`` expect it."""
    encoding = {"cs": "iso-8859-2", "ru": "utf-8"}.get(language, "iso-8859-1")
    return text.encode(encoding, errors="replace")
