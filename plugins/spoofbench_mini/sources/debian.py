"""Recordings of people in Debian's packages: installed, or fetched and unpacked without root.

Who speaks, and on what terms, was read in the packages' copyright files on Debian 12.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoofbench.errors import CorpusNotFound
from spoofbench.files import storage_errors
from spoofbench.settings import settings
from spoofbench_mini.contracts import Audio, Speech
from spoofbench_mini.sources import decoding
from spoofbench_mini.sources.folder import plain

INSTALLED = Path("/")
SECONDS = 1800
"""A download that takes longer has hung."""

Find = Callable[["Package", Path], Iterator[Speech]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package: where its recordings lie, on what terms, and how speakers are told from paths."""

    name: str
    package: str
    folder: str
    licence: str
    find: Find

    def prepare(self, note: Callable[[str], None]) -> str:
        """Fetch and unpack the package unless it is there; else return how to install it."""
        if self._root().joinpath(self.folder).is_dir():
            return ""
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            return f"apt-get install {self.package}   (on Debian or Ubuntu)"
        note(f"fetching Debian's package {self.package}")
        reason = self._fetch()
        return f"apt-get update && apt-get install {self.package}   ({reason})" if reason else ""

    def speeches(self) -> Sequence[Speech]:
        """List the recordings. Raises `CorpusNotFound` where the package has none."""
        found = sorted(self.find(self, self._root() / self.folder), key=lambda s: s.utterance)
        if not found:
            raise CorpusNotFound(
                f"{self.package} has no recordings in {self._root() / self.folder}",
                hint="this version of the package is laid out otherwise; leave it out of --speech",
            )
        return found

    def read(self, speech: Speech) -> Audio:
        """Decode one of them. Raises `Unusable`."""
        return decoding.read(speech.path)

    def _root(self) -> Path:
        if (INSTALLED / self.folder).is_dir():
            return INSTALLED
        return _unpacked(self.package)

    def _fetch(self) -> str:
        """Download the package, which apt checks against its signed lists, and unpack it.

        Returns why that failed, or nothing.
        """
        place = _unpacked(self.package)
        with storage_errors(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
            try:
                if reason := _run(["apt-get", "download", self.package], beside):
                    return reason
                (archive,) = beside.glob("*.deb")
                if reason := _run(["dpkg-deb", "--extract", archive.name, "content"], beside):
                    return reason
                (beside / "content").rename(place)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        return ""


def _unpacked(package: str) -> Path:
    return settings().cache_folder() / "debian" / package


def _run(command: Sequence[str], folder: Path) -> str:
    """Run ``command`` in ``folder``; return the last line that it complained with, if it failed."""
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end in {SECONDS} s"
    complaint = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else (complaint[-1] if complaint else "it failed")


def _speech(package: Package, path: Path, root: Path, speaker: str, **known: str) -> Speech:
    return Speech(
        source=package.name,
        speaker=speaker,
        utterance=plain(path.relative_to(root).as_posix()),
        path=path,
        licence=package.licence,
        **known,
    )


_VOICE_TALENTS = {
    "en_US_f_Allison": ("allison", "en"),
    "es_MX_f_Allison": ("allison", "es"),
    "fr_CA_f_June": ("june", "fr"),
    "it_IT_m_Carlo": ("carlo", "it"),
    "ru_RU_f_IvrvoiceRU": ("ivrvoice-ru", "ru"),
}
"""Who reads Asterisk's prompts; the English and the Spanish ones are read by one person."""
_NO_SPEECH = re.compile(r"beep|tone|silence|ascending|descending|confbridge-(join|leave)")


def _prompts(package: Package, root: Path) -> Iterator[Speech]:
    for path in root.rglob("*.g722"):
        talent = path.relative_to(root).parts[0]
        known = _VOICE_TALENTS.get(talent)
        if known and not _NO_SPEECH.search(path.relative_to(root).as_posix()):
            speaker, language = known
            yield _speech(package, path, root, speaker, language=language)


_UTTERANCE = re.compile(r'\(\s*(\w+)\s+"(.*)"\s*\)')


def _festival_recordings(package: Package, root: Path) -> Iterator[Speech]:
    """Read the recordings that a unit-selection voice was made of; ``+`` marks a stress."""
    lines = (root / "etc" / "txt.done.data").read_text(encoding="utf-8").splitlines()
    texts = {said[1]: said[2] for line in lines if (said := _UTTERANCE.search(line))}
    for path in (root / "wav").glob("*.wav"):
        text = texts.get(path.stem, "").replace("+", "")
        yield _speech(package, path, root, "msu-ru-nsh", language="ru", text=text)


_FISH = re.compile(r"-(m|v)-[^/]*\.ogg$")


def _dialogue(package: Package, root: Path) -> Iterator[Speech]:
    """Read what the two fish say: the small one (m) and the big one (v)."""
    language = package.name.rpartition("-")[2]
    for path in root.glob(f"*/{language}/*.ogg"):
        if fish := _FISH.search(path.name):
            speaker = f"fillets-{language}-{fish[1]}"
            yield _speech(package, path, root, speaker, language=language)


def _letters(package: Package, root: Path) -> Iterator[Speech]:
    """Read what is long enough of letters and syllables; a language is one contributor's."""
    for path in root.glob("*/*/*.ogg"):
        language = path.relative_to(root).parts[0]
        speaker = f"klettres-{plain(language.lower())}"
        yield _speech(package, path, root, speaker, language=language[:2])


def _asterisk(language: str, licence: str) -> Package:
    return Package(
        name=f"asterisk-{language}",
        package=f"asterisk-core-sounds-{language}-g722",
        folder="usr/share/asterisk/sounds",
        licence=licence,
        find=_prompts,
    )


def _fillets(language: str) -> Package:
    return Package(
        name=f"fillets-{language}",
        package=f"fillets-ng-data-{language}",
        folder="usr/share/games/fillets-ng/sound",
        licence="GPL-2",
        find=_dialogue,
    )


PACKAGES = (
    _asterisk("en", "CC-BY-SA-3.0"),
    _asterisk("es", "CC-BY-SA-3.0"),
    _asterisk("fr", "CC-BY-SA-3.0"),
    _asterisk("it", "CC-BY-3.0"),
    _asterisk("ru", "CC-BY-3.0"),
    Package(
        name="festvox-ru",
        package="festvox-ru",
        folder="usr/share/festival/voices/russian/msu_ru_nsh_clunits",
        licence="BSD-like",
        find=_festival_recordings,
    ),
    _fillets("cs"),
    _fillets("nl"),
    Package(
        name="klettres",
        package="klettres-data",
        folder="usr/share/klettres",
        licence="GPL-2+",
        find=_letters,
    ),
)

RUNNING_SPEECH = tuple(package for package in PACKAGES if package.name != "klettres")
"""Those in which people say more than a letter or a syllable."""
