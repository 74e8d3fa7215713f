"""The attacks by name."""

from __future__ import annotations

from functools import cache

from spoofbench.errors import UnknownName
from spoofbench_mini.attacks.codec2 import Codec2
from spoofbench_mini.attacks.espeak import EspeakNg
from spoofbench_mini.attacks.festival import Festival
from spoofbench_mini.attacks.flite import Flite
from spoofbench_mini.attacks.griffin_lim import GriffinLim
from spoofbench_mini.attacks.hifigan import HifiGan
from spoofbench_mini.attacks.kokoro import Kokoro
from spoofbench_mini.attacks.piper import Piper
from spoofbench_mini.attacks.world import World, WorldF0
from spoofbench_mini.contracts import Attack


@cache
def _all() -> dict[str, Attack]:
    attacks: tuple[Attack, ...] = (
        World(),
        GriffinLim(),
        EspeakNg(),
        Flite(),
        WorldF0(),
        HifiGan(),
        Codec2(),
        Piper(),
        Kokoro(),
        Festival(),
    )
    return {attack.name: attack for attack in attacks}


def names() -> tuple[str, ...]:
    """Return the names of all attacks, those that training meets first."""
    return tuple(_all())


def attack(name: str) -> Attack:
    """Return the attack called ``name``. Raises `UnknownName`."""
    if name not in _all():
        raise UnknownName(
            f"--attacks {name}: there is no such attack", hint=f"attacks: {', '.join(names())}"
        )
    return _all()[name]
