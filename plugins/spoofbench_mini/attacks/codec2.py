"""Copy-synthesis by Codec 2, a parametric speech coder for radio."""

from __future__ import annotations

import numpy as np

from spoofbench_mini.attacks.sound import at_rate, missing_program, output
from spoofbench_mini.contracts import RATE, Audio, Made, Side

_RATE = 8000
_MODES = ("3200", "2400", "1300")


class Codec2:
    """A sinusoidal coder: pitch, envelope and voicing of each frame, and no waveform."""

    name: str = "codec2"
    summary: str = "Codec 2 at 1.3 to 3.2 kbit/s: a parametric coder."
    side: Side = "unknown"
    neural: bool = False
    licence: str = "codec2: LGPL-2.1"
    highest_hz: float = 3400.0

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        return missing_program("c2enc", "codec2")

    def copy(self, audio: Audio, random: np.random.Generator) -> Made:
        """Return ``audio`` coded and decoded at one of the rates."""
        mode = str(random.choice(_MODES))
        narrow = at_rate(audio, RATE, to=_RATE)
        loud = narrow * 0.5 / max(float(np.abs(narrow).max()), 1e-9)
        samples = np.rint(loud * 32767).astype("<i2")
        bits = output(["c2enc", mode, "-", "-"], samples.tobytes())
        decoded = np.frombuffer(output(["c2dec", mode, "-", "-"], bits), dtype="<i2") / 32768
        made = at_rate(decoded, _RATE)[: len(audio)]
        return Made(audio=made, steps=(f"Codec 2 at {mode} bit/s",))
