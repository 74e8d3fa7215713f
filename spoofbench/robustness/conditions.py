"""Conditions: what is done to a trial's audio, as people write it: ``opus@16 + babble@10``.

A condition is a chain of steps. A step is the name of an augmentation, what it works with in
parentheses where it needs that, then its level and further numbers: ``NAME(SOURCE)@LEVEL@OPTION``.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from spoofbench.errors import InvalidCondition
from spoofbench.plugins import Catalogue, Offer
from spoofbench.runs import CLEAN
from spoofbench.specs import AugmentationSpec

ApplyTo = Literal["both", "bonafide", "spoof"]
APPLY_TO: tuple[ApplyTo, ...] = ("both", "bonafide", "spoof")

_STEP = re.compile(r"(?P<name>[a-z0-9:-]+)(\((?P<source>[^()]*)\))?(?P<numbers>(@[^@\s]+)*)")
AND = re.compile(r"\s\+\s")
"""What joins the steps of a chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One augmentation at one level, which is NaN for an augmentation without a level."""

    spec: AugmentationSpec
    distribution: str
    level: float
    options: tuple[float, ...] = ()
    source: str = ""

    @property
    def identity(self) -> str:
        """What decides the audio beside what the step says: whose code, and its version."""
        return f"{self.spec.name} {self.spec.version} ({self.distribution})"

    def __str__(self) -> str:
        """Write the step as it is read, options that are the default left out."""
        source = f"({self.source})" if self.source else ""
        numbers = [] if math.isnan(self.level) else [self.level]
        if self.options != tuple(default for _, default in self.spec.options):
            numbers += self.options
        return f"{self.spec.name}{source}" + "".join(f"@{number:g}" for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What is done to the audio of trials: ``steps`` in order, none for clean."""

    steps: tuple[Step, ...] = ()
    apply_to: ApplyTo = "both"

    def __str__(self) -> str:
        """Write the condition as it is read; to whom it applies is said where it is not all."""
        chain = " + ".join(map(str, self.steps)) or CLEAN
        return chain if self.apply_to == "both" else f"{chain} [{self.apply_to} only]"

    def concerns(self, *, bonafide: bool) -> bool:
        """Say whether trials of this class are changed."""
        return self.apply_to == "both" or (self.apply_to == "bonafide") == bonafide

    def seed(self, seed: int, utterance: str) -> int:
        """Return the seed of one trial: the same for every model, batch, worker and order.

        It depends on the run's ``seed``, the condition's steps and the utterance.
        """
        chain = " + ".join(map(str, self.steps))
        text = f"{seed}\n{chain}\n{utterance}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def parse(text: str, catalogue: Catalogue, *, apply_to: ApplyTo = "both") -> Condition:
    """Read a condition, such as ``babble@10`` or ``band-limit@3400 + g711-alaw + babble@10``.

    Raises `InvalidCondition` for what does not read as one or a level out of range, `UnknownName`
    for an augmentation that no plugin offers.
    """
    if text.strip() == CLEAN:
        return Condition()
    steps = tuple(_step(part.strip(), catalogue) for part in AND.split(text.strip()))
    return Condition(steps=steps, apply_to=apply_to)


def _step(text: str, catalogue: Catalogue) -> Step:
    found = _STEP.fullmatch(text)
    if found is None:
        raise InvalidCondition(
            f"'{text}' is not a step of a condition",
            hint="it reads NAME@LEVEL, such as babble@10; steps are joined by ' + '",
        )
    offer: Offer[AugmentationSpec] = catalogue.augmentations.get(found["name"])
    spec, source = offer.spec, found["source"] or ""
    if bool(spec.source) != bool(source):
        raise InvalidCondition(
            f"'{text}': {spec.name} needs {spec.source} in parentheses"
            if spec.source
            else f"'{text}': {spec.name} takes nothing in parentheses",
            hint=f"write it as in {example(spec)}",
        )
    numbers = [_number(part, text) for part in found["numbers"].split("@")[1:]]
    level, options = _numbers(numbers, spec, text)
    return Step(
        spec=spec,
        distribution=offer.plugin.distribution,
        level=level,
        options=options,
        source=source,
    )


def _numbers(
    numbers: list[float], spec: AugmentationSpec, text: str
) -> tuple[float, tuple[float, ...]]:
    """Return the level and the options, those that are not given by default."""
    allowed = len(spec.options) + bool(spec.levels)
    if len(numbers) > allowed or (spec.levels and not numbers):
        wants = " ".join([f"a level in {spec.unit}"] * bool(spec.levels) or ["no level"])
        more = "".join(f", then {name} (else {default:g})" for name, default in spec.options)
        raise InvalidCondition(
            f"'{text}': {spec.name} takes {wants}{more}", hint=f"such as {example(spec)}"
        )
    level = numbers.pop(0) if spec.levels else math.nan
    if spec.levels and not spec.lowest <= level <= spec.highest:
        raise InvalidCondition(
            f"'{text}': the level of {spec.name} is between {spec.lowest:g} and {spec.highest:g} "
            f"{spec.unit}",
            hint=f"usual levels: {', '.join(f'{usual:g}' for usual in spec.levels)}",
        )
    return level, (*numbers, *(default for _, default in spec.options[len(numbers) :]))


def _number(text: str, step: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) and (".." in text or "|" in text):
        raise InvalidCondition(
            f"'{step}': '{text}' is drawn from in training; here a number is wanted",
            hint="name each level: --noise white --snr 20,10, or --chain white@20 --chain white@10",
        )
    if not math.isfinite(number):
        raise InvalidCondition(f"'{step}': '{text}' is not a number")
    return number


def example(spec: AugmentationSpec) -> str:
    """Return a condition with this augmentation, as one writes it."""
    source = f"({spec.source.upper().split()[-1]})" if spec.source else ""
    level = f"@{spec.levels[len(spec.levels) // 2]:g}" if spec.levels else ""
    return f"{spec.name}{source}{level}"


def usual(spec: AugmentationSpec, source: str = "") -> Iterator[str]:
    """Give the conditions of an augmentation at its usual levels."""
    behind = f"({source})" if source else ""
    levels = [f"@{level:g}" for level in spec.levels] or [""]
    return (f"{spec.name}{behind}{level}" for level in levels)
