"""Other speakers for tests of what mixes them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
from torch import Generator

from spoofbench.contracts import Talk
from spoofbench.errors import InvalidCondition

OWN = "own"
"""The speaker of the trial, whom a pool must never give."""


def talk(
    speaker: str,
    *,
    rate: int = 16_000,
    seconds: float = 2.0,
    hertz: float = 440.0,
    amplitude: float = 0.1,
    bonafide: bool = True,
    number: int = 0,
) -> Talk:
    """Return a steady tone, whose active level is known: ``amplitude`` / sqrt(2)."""
    time = np.arange(int(seconds * rate)) / rate
    audio = amplitude * np.sin(2 * np.pi * hertz * time)
    return Talk(
        audio=torch.from_numpy(audio).float(),
        utterance=f"{speaker}-{'b' if bonafide else 's'}{number}",
        speaker=speaker,
        bonafide=bonafide,
    )


@cache
def _tones(rate: int) -> tuple[Talk, ...]:
    names = [OWN, *(f"speaker-{number}" for number in range(12))]
    return tuple(
        talk(
            name,
            rate=rate,
            seconds=1.0 + 0.3 * place,
            hertz=200.0 + 100 * place,
            amplitude=0.02 * (place + 1),
            bonafide=bonafide,
        )
        for place, name in enumerate(names)
        for bonafide in (True, False)
    )


class FakePool:
    """A `contracts.Pool` of twelve tones, bona fide and spoofed, or of the talks that are given.

    The own speaker has speech too, which must never come out. What was given is kept in ``drawn``.
    """

    def __init__(self, talks: Sequence[Talk] = (), *, rate: int = 16_000) -> None:
        self.drawn: list[Talk] = []
        self.talks = tuple(talks) or _tones(rate)

    def draw(self, count: int, random: Generator, *, bonafide: bool = True) -> Sequence[Talk]:
        others = self._others(bonafide)
        if len(others) < count:
            raise InvalidCondition(f"{count} other speakers are needed, there are {len(others)}")
        places = torch.randperm(len(others), generator=random)[:count].tolist()
        given = [self._one_of(list(others.values())[place], random) for place in places]
        self.drawn += given
        return given

    def speakers(self, *, bonafide: bool = True) -> int:
        return len(self._others(bonafide))

    def _others(self, bonafide: bool) -> Mapping[str, list[Talk]]:
        others: dict[str, list[Talk]] = {}
        for one in self.talks:
            if one.speaker != OWN and one.bonafide == bonafide:
                others.setdefault(one.speaker, []).append(one)
        return others

    @staticmethod
    def _one_of(talks: Sequence[Talk], random: Generator) -> Talk:
        return talks[int(torch.randint(len(talks), (), generator=random))]
