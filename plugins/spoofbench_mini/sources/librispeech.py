"""LibriSpeech dev-clean: 40 readers of English books, fetched by torchaudio."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoofbench.settings import settings
from spoofbench.torchaudio_import import torchaudio
from spoofbench_mini.contracts import Audio, Speech
from spoofbench_mini.sources.folder import Folder

PART = "dev-clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibriSpeech:
    """Panayotov et al. (2015), "LibriSpeech: an ASR corpus based on public domain audio books"."""

    name: str = "librispeech"

    def prepare(self, note: Callable[[str], None]) -> str:
        """Download the part unless it is there; torchaudio checks its checksum."""
        folder = _cache()
        if not self._readers().is_dir():
            note(f"fetching LibriSpeech {PART} (337 MB, CC-BY-4.0) into {folder}")
            folder.parent.mkdir(parents=True, exist_ok=True)
            beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
            try:
                torchaudio().datasets.LIBRISPEECH(beside, url=PART, download=True)
                beside.rename(folder)
            except (OSError, RuntimeError) as error:
                return (
                    f"unpack its {PART} and name the folder: --speech LibriSpeech/{PART}"
                    f"   (it could not be fetched: {error})"
                )
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        return ""

    def speeches(self) -> Sequence[Speech]:
        """List the recordings; a subfolder is a reader."""
        return self._folder().speeches()

    def read(self, speech: Speech) -> Audio:
        """Decode one of them. Raises `Unusable`."""
        return self._folder().read(speech)

    def _folder(self) -> Folder:
        return Folder(name=self.name, folder=self._readers(), licence="CC-BY-4.0", language="en")

    def _readers(self) -> Path:
        return _cache() / "LibriSpeech" / PART


def _cache() -> Path:
    return settings().cache_folder() / "librispeech"
