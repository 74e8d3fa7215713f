"""Conditions whose numbers are drawn anew for each utterance: ``white@5..20 + mp3@32|64``.

Training takes them; a sweep says what happens at a level, and takes numbers only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spoofbench.errors import InvalidCondition
from spoofbench.plugins import Catalogue
from spoofbench.robustness.conditions import AND, Condition, Step, parse

_STEP = re.compile(r"(?P<named>[^(@]*(\([^()]*\))?)(?P<numbers>.*)")
_INSIDE = 0.618
"""How far up a range a condition is tried out, beside its ends: no whole number, as a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What a number may be: any from the first to the last, or one of ``values``."""

    values: tuple[float, ...]
    is_range: bool = False

    def draw(self, random: np.random.Generator) -> float:
        """Return one, each as likely."""
        if self.is_range:
            low, high = self.values
            return float(random.uniform(low, high))
        return self.values[int(random.integers(len(self.values)))]

    def probes(self) -> tuple[float, ...]:
        """Return what should be tried before anything is drawn: the ends come first."""
        if not self.is_range:
            return self.values
        low, high = self.values
        return low, high, low + _INSIDE * (high - low)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomCondition:
    """A condition before its numbers are drawn.

    ``probes`` are what may come of it at worst; the steps of the first have all that is not drawn.
    ``numbers`` has for each step what its level and its options may be, as far as they are written.
    """

    text: str
    probes: tuple[Condition, ...]
    numbers: tuple[tuple[Numbers, ...], ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, at some level."""
        return self.probes[0].steps

    def drawn(self, random: np.random.Generator) -> Condition:
        """Return the condition with numbers that ``random`` draws, in the order of the text."""
        if len(self.probes) == 1:
            return self.probes[0]
        pairs = zip(self.steps, self.numbers, strict=True)
        return Condition(steps=tuple(_drawn(step, numbers, random) for step, numbers in pairs))


def parse_ranges(text: str, catalogue: Catalogue) -> RandomCondition:
    """Read a condition that may say ``LOW..HIGH`` or ``A|B|C`` where others say a number.

    Raises `InvalidCondition` for what does not read as one, or a number out of its bounds;
    `UnknownName` for an augmentation that no plugin offers.
    """
    named, numbers = [], []
    for part in AND.split(text.strip()):
        step = _STEP.fullmatch(part.strip())
        written = step["numbers"].split("@")[1:] if step else []
        named.append(step["named"] if step else part)
        numbers.append(tuple(_numbers(number, text) for number in written))
    if all(len(own.values) == 1 for step in numbers for own in step):
        return RandomCondition(text=text, probes=(parse(text, catalogue),), numbers=tuple(numbers))
    count = max(len(own.probes()) for step in numbers for own in step)
    probes = [
        " + ".join(
            name + "".join(f"@{_nth(own.probes(), place)!r}" for own in step)
            for name, step in zip(named, numbers, strict=True)
        )
        for place in range(count)
    ]
    return RandomCondition(
        text=text,
        probes=tuple(parse(probe, catalogue) for probe in probes),
        numbers=tuple(numbers),
    )


def _drawn(step: Step, numbers: Sequence[Numbers], random: np.random.Generator) -> Step:
    drawn = [own.draw(random) for own in numbers]
    level = drawn.pop(0) if step.spec.levels else step.level
    return replace(step, level=level, options=(*drawn, *step.options[len(drawn) :]))


def _nth(values: Sequence[float], place: int) -> float:
    return values[min(place, len(values) - 1)]


def _numbers(written: str, text: str) -> Numbers:
    """Read ``LOW..HIGH``, ``A|B|C`` or a number."""
    parts = written.split("..")
    try:
        if len(parts) == 1:
            return Numbers(values=tuple(float(value) for value in written.split("|")))
        low, high = map(float, parts)
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        raise InvalidCondition(
            f"'{text}': '{written}' is neither a number, nor a range, nor a choice",
            hint="a range reads LOW..HIGH, as in white@5..20; a choice A|B|C, as in mp3@32|64",
        )
    return Numbers(values=(low, high), is_range=True)
