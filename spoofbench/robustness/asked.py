"""From what a user asks for on the command line to the conditions of a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spoofbench.errors import InvalidCondition
from spoofbench.plugins import Catalogue
from spoofbench.robustness.conditions import ApplyTo, Condition, parse, usual
from spoofbench.robustness.sweep import read, with_clean
from spoofbench.specs import AugmentationSpec

DEFAULT_SWEEP = "core"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of ``spoofbench robustness`` that name conditions, as they were given."""

    noise: str = ""
    snr: str = ""
    codec: str = ""
    overlap: str = ""
    reverb: str = ""
    channel: str = ""
    time: str = ""
    chains: tuple[str, ...] = ()
    sweep: str = ""
    apply_to: ApplyTo = "both"


def conditions(asked: Asked, catalogue: Catalogue) -> list[Condition]:
    """Return what was asked for, clean first; the sweep `DEFAULT_SWEEP` if nothing was.

    Raises `InvalidCondition` and `UnknownName`.
    """
    if asked.snr and not asked.noise:
        raise InvalidCondition("--snr says how loud --noise is, and there is no --noise")
    texts = [*_texts(asked, catalogue), *asked.chains]
    made = [parse(text, catalogue, apply_to=asked.apply_to) for text in texts]
    sweep = asked.sweep or ("" if made else DEFAULT_SWEEP)
    if sweep:
        made += read(sweep, catalogue, apply_to=asked.apply_to)
    return with_clean(made)


def _texts(asked: Asked, catalogue: Catalogue) -> Iterator[str]:
    for name in _parts(asked.noise):
        if "@" in name.partition("(")[0]:
            raise InvalidCondition(
                f"--noise {name}: levels are said by --snr", hint="or give the whole with --chain"
            )
        offered = name in catalogue.augmentations.names()
        named = f"recordings({name})" if not offered and Path(name).is_dir() else name
        spec = _spec(named, "noise", catalogue)
        for level in _parts(asked.snr) or [f"{level:g}" for level in spec.levels]:
            yield f"{named}@{level}"
    for level in _parts(asked.overlap):
        yield f"overlap@{level}"
    for part in _parts(asked.reverb):
        folder = Path(part).is_dir() and not _is_number(part)
        yield f"room-recordings({part})" if folder else f"room@{part}"
    for option, text in (("codec", asked.codec), ("channel", asked.channel), ("time", asked.time)):
        for part in _parts(text):
            spec = _spec(part, option, catalogue)
            yield from [part] if "@" in part or not spec.levels else usual(spec)


def _spec(text: str, family: str, catalogue: Catalogue) -> AugmentationSpec:
    """Return what ``text`` begins with. Raises `InvalidCondition` if it is of another family."""
    name = text.partition("@")[0].partition("(")[0]
    spec = catalogue.augmentations.get(name).spec
    if spec.family != family:
        others = sorted(
            offer.spec.name for offer in catalogue.augmentations if offer.spec.family == family
        )
        raise InvalidCondition(
            f"--{family} {text}: {spec.name} is of the family '{spec.family}'",
            hint=f"--{family} takes {', '.join(others)}; --chain takes anything",
        )
    return spec


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
