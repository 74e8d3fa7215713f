"""A folder with one subfolder a speaker, such as LibriSpeech or anybody's own recordings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoofbench.errors import CorpusNotFound
from spoofbench_mini.contracts import Audio, Speech
from spoofbench_mini.sources import decoding

_TRANSCRIPTS = "*.trans.txt"
"""LibriSpeech's transcripts: the name of a recording and what is said in it, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Recordings below ``folder``, whose subfolders are speakers; they may have folders again."""

    name: str
    folder: Path
    licence: str = "that of the folder's owner"
    language: str = ""

    def prepare(self, note: Callable[[str], None]) -> str:  # noqa: ARG002
        """Return nothing: a folder needs no installing."""
        return ""

    def speeches(self) -> Sequence[Speech]:
        """List the recordings; raises `CorpusNotFound` if the folder has no speakers."""
        if not self.folder.is_dir():
            raise CorpusNotFound(
                f"--speech {self.folder}: there is no such folder",
                hint="name a folder with one subfolder a speaker",
            )
        found = sorted(self._found(), key=lambda speech: speech.utterance)
        if not found:
            raise CorpusNotFound(
                f"--speech {self.folder}: no subfolder has recordings",
                hint=f"one subfolder a speaker, with {', '.join(decoding.ENDINGS)} in it",
            )
        return found

    def read(self, speech: Speech) -> Audio:
        """Decode one of them. Raises `Unusable`."""
        return decoding.read(speech.path)

    def _found(self) -> Iterator[Speech]:
        for speaker in sorted(path for path in self.folder.iterdir() if path.is_dir()):
            texts = _texts(speaker)
            for path in sorted(speaker.rglob("*")):
                if path.suffix.lower() in decoding.ENDINGS and not path.name.startswith("."):
                    yield Speech(
                        source=self.name,
                        speaker=f"{self.name}-{plain(speaker.name)}",
                        utterance=plain(path.relative_to(self.folder).as_posix()),
                        path=path,
                        licence=self.licence,
                        language=self.language,
                        text=texts.get(path.stem, ""),
                    )


def plain(name: str) -> str:
    """Return ``name`` in the letters that a key file may hold in one of its columns."""
    return re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)


def _texts(speaker: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for file in sorted(speaker.rglob(_TRANSCRIPTS)):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, text = line.partition(" ")
            texts[name] = text.strip().lower()
    return texts
