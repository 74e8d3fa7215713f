"""From what ``--speech`` says to sources: ``debian``, ``debian:PACKAGE``, ``librispeech``, DIR."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spoofbench.errors import UnknownName
from spoofbench_mini.contracts import SpeechSource
from spoofbench_mini.sources.debian import PACKAGES, RUNNING_SPEECH
from spoofbench_mini.sources.folder import Folder, plain
from spoofbench_mini.sources.librispeech import LibriSpeech

DEBIAN = "debian"


def sources(name: str) -> Sequence[SpeechSource]:
    """Return the sources that ``name`` stands for: a folder, if it is no name of ours.

    Raises `UnknownName` for a package that is not known to hold speech.
    """
    if name == DEBIAN:
        return RUNNING_SPEECH
    if name == "librispeech":
        return (LibriSpeech(),)
    kind, colon, package = name.partition(":")
    if colon and kind == DEBIAN:
        found = [known for known in PACKAGES if package in (known.name, known.package)]
        if not found:
            raise UnknownName(
                f"--speech {name}: no speech is known in that package",
                hint=f"packages: {', '.join(known.package for known in PACKAGES)}",
            )
        return found
    folder = Path(name).resolve()
    return (Folder(name=plain(folder.name) or "speech", folder=folder),)
