"""Copy-synthesis by the WORLD vocoder, with the F0 as it is or another."""

from __future__ import annotations

import importlib
import warnings
from importlib.util import find_spec
from types import ModuleType

import numpy as np

from spoofbench_mini.contracts import RATE, Audio, Made, Side, Unusable


class World:
    """Morise et al. (2016), "WORLD: a vocoder-based high-quality speech synthesis system"."""

    name: str = "world"
    summary: str = "WORLD vocoder: F0, spectral envelope, aperiodicity."
    side: Side = "known"
    neural: bool = False
    licence: str = "pyworld: MIT; WORLD: modified BSD"
    highest_hz: float = RATE / 2

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        return "" if find_spec("pyworld") else "pip install 'spoofbench[mini]'"

    def copy(self, audio: Audio, random: np.random.Generator) -> Made:  # noqa: ARG002
        """Return ``audio`` analysed and synthesised."""
        steps = ("WORLD: F0 by DIO and StoneMask, CheapTrick, D4C",)
        return Made(audio=_through_world(audio, 1.0), steps=steps)


class WorldF0:
    """WORLD with the F0 shifted by 3 to 5 semitones up or down, as in a simple conversion."""

    name: str = "world-f0"
    summary: str = "WORLD vocoder with the F0 shifted by 3 to 5 semitones."
    side: Side = "unknown"
    neural: bool = False
    licence: str = World.licence
    highest_hz: float = RATE / 2

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        return World().missing()

    def copy(self, audio: Audio, random: np.random.Generator) -> Made:
        """Return ``audio`` at another pitch."""
        semitones = round(float(random.uniform(3, 5) * random.choice((-1, 1))), 2)
        made = _through_world(audio, 2 ** (semitones / 12))
        return Made(audio=made, steps=(f"WORLD: F0 shifted by {semitones:+.2f} semitones",))


def _pyworld() -> ModuleType:
    """Import pyworld, which asks setuptools for its version in a way that setuptools warns of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "pkg_resources", UserWarning)
        return importlib.import_module("pyworld")


def _through_world(audio: Audio, shift: float) -> Audio:
    pyworld = _pyworld()
    samples = np.ascontiguousarray(audio, dtype=np.float64)
    rough, times = pyworld.dio(samples, RATE)
    f0 = pyworld.stonemask(samples, rough, times, RATE)
    if not f0.any():
        raise Unusable("WORLD found no voice in it")
    envelope = pyworld.cheaptrick(samples, f0, times, RATE)
    aperiodicity = pyworld.d4c(samples, f0, times, RATE)
    made: Audio = pyworld.synthesize(f0 * shift, envelope, aperiodicity, RATE)
    return made[: len(audio)]
