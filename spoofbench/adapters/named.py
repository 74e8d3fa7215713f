"""From ``onnx:FILE,samples=64600,logit=1`` to something that is judged like any model."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spoofbench.adapters.calls import Call, Options
from spoofbench.errors import InvalidSettings, UnknownName
from spoofbench.fingerprint import sha256
from spoofbench.plugins import Offer, Plugin
from spoofbench.specs import ModelSpec

_OPTION = re.compile(r"(rate|samples|logit|sign)=(.*)")
_SIGNS = {"+": 1, "1": 1, "+1": 1, "-": -1, "-1": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec(ModelSpec):
    """The spec of what was named on the command line; ``make`` gives the model."""

    make: Callable[[], Any]

    def resolve(self) -> Any:
        """Return what makes the model: there is nothing to import."""
        return self.make


def _onnx(place: str, options: Options) -> Any:
    from spoofbench.adapters.files import onnx

    return Call(onnx(_file(place)), options)


def _torchscript(place: str, options: Options) -> Any:
    from spoofbench.adapters.files import torchscript

    return Call(torchscript(_file(place)), options)


def _python(place: str, options: Options) -> Any:
    from spoofbench.adapters.python import function

    return Call(function(place), options)


def _command(place: str, options: Options) -> Any:
    from spoofbench.adapters.programs import Program

    return Call(Program(shlex.split(place), rate=options.rate), options)


KINDS: Mapping[str, Callable[[str, Options], Any]] = {
    "onnx": _onnx,
    "torchscript": _torchscript,
    "python": _python,
    "command": _command,
}
"""What a name may begin with, before a colon."""


def is_adapter(name: str) -> bool:
    """Say whether ``name`` names a detector that needs no plugin."""
    return name.partition(":")[0] in KINDS and ":" in name


def offer_named(name: str) -> Offer[ModelSpec]:
    """Return what ``name`` stands for, as a plugin would offer it.

    A name is the kind, a colon, the place, and options behind commas: ``rate`` in samples per
    second, ``samples`` (the input length; utterances stay whole without), ``logit`` (which column
    of the output is the score) and ``sign`` (``-`` where higher means spoof). Raises
    `InvalidSettings` for options that are none, `UnknownName` for a file that is not there.
    """
    kind, _, rest = name.partition(":")
    place, options = _parsed(name, rest)
    make = KINDS[kind]
    return Offer(
        spec=AdapterSpec(
            name=_slug(kind, place),
            target="spoofbench.adapters.named:offer_named",
            summary=f"{kind}:{place}",
            sample_rate=options.rate,
            samples=options.samples,
            make=lambda: make(place, options),
        ),
        plugin=Plugin(
            name=kind, distribution="spoofbench.adapters", version=_identity(place, options)
        ),
    )


def _parsed(name: str, rest: str) -> tuple[str, Options]:
    """Return the place and the options of ``rest``; options stand at its end."""
    words = rest.split(",")
    said: dict[str, str] = {}
    while len(words) > 1 and (option := _OPTION.fullmatch(words[-1].strip())):
        said[option[1]] = option[2]
        words.pop()
    place = ",".join(words)
    if not place:
        raise InvalidSettings(f"{name}: nothing stands behind the colon")
    if "sign" in said and said["sign"] not in _SIGNS:
        raise InvalidSettings(f"{name}: sign={said['sign']}", hint="sign=- or sign=+")
    try:
        options = Options(
            rate=int(said.get("rate", "16000")),
            samples=int(said["samples"]) if "samples" in said else None,
            logit=int(said["logit"]) if "logit" in said else None,
            sign=_SIGNS[said.get("sign", "+")],
        )
    except ValueError as error:
        raise InvalidSettings(
            f"{name}: {error}", hint="rate, samples and logit are whole numbers"
        ) from error
    if options.rate < 1 or (options.samples is not None and options.samples < 1):
        raise InvalidSettings(f"{name}: rate and samples are above 0")
    return place, options


def _file(place: str) -> Path:
    file = Path(place)
    if not file.is_file():
        raise UnknownName(f"{place}: there is no such file")
    return file


def _slug(kind: str, place: str) -> str:
    """Return a name for run folders and tables."""
    stem = Path(place.split()[0].rpartition(":")[0] or place.split()[0]).stem
    words = re.findall(r"[a-z0-9]+", f"{stem} {place.rpartition(':')[2]}".lower())
    return "-".join([kind, *dict.fromkeys(w for w in words if w not in ("py", kind))][:6])


def _identity(place: str, options: Options) -> str:
    """Return what tells one detector from another under one name: its bytes and its options."""
    digest = hashlib.sha256(repr((place, options)).encode())
    for word in (place, place.rpartition(":")[0], *place.split()):
        if word and Path(word).is_file():
            digest.update(sha256(Path(word)).encode())
    return digest.hexdigest()[:12]
