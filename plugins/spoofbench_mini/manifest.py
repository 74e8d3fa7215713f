"""The files beside the audio: keys, manifest, checksums, and what is to be known of the corpus."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from spoofbench import fingerprint, runs
from spoofbench.corpora import CHECKSUMS
from spoofbench.files import write_text
from spoofbench_mini.contracts import RATE, Attack
from spoofbench_mini.making import Outcome
from spoofbench_mini.parts import PARTS
from spoofbench_mini.plan import Item

MANIFEST = "manifest.csv"
README = "README.txt"
KEYS = "mini_cm_protocols"

_COLUMNS = (
    "utterance",
    "part",
    "key",
    "attack",
    "kind",
    "neural",
    "pair",
    "speaker",
    "source",
    "recording",
    "recording licence",
    "attack licence",
    "language",
    "text",
    "seconds",
    "sha256",
    "steps",
)


def write_keys(items: Sequence[Item], folder: Path) -> None:
    """Write the key file of each part: speaker, utterance, source, kind, attack, key."""
    for part in PARTS:
        lines = [
            f"{item.speech.speaker} {item.utterance} {item.speech.source} {item.kind} "
            f"{item.attack} {item.key}"
            for item in items
            if item.part == part.name
        ]
        write_text(folder / KEYS / part.key_file, _lines(lines))


def write_manifest(
    items: Sequence[Item],
    outcomes: Mapping[str, Outcome],
    attacks: Mapping[str, Attack],
    folder: Path,
) -> None:
    """Write where each file comes from, on what terms, and how it was made."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(_COLUMNS)
    for item in items:
        outcome = outcomes[item.utterance]
        attack = attacks.get(item.attack)
        spoken = item.kind == "tts"
        table.writerow(
            (
                item.utterance,
                item.part,
                item.key,
                item.attack,
                item.kind,
                "" if attack is None else "yes" if attack.neural else "no",
                item.pair,
                item.speech.speaker,
                item.speech.source,
                "-" if spoken else item.speech.utterance,
                "-" if spoken else item.speech.licence,
                "-" if attack is None else attack.licence,
                item.language if spoken else item.speech.language,
                item.text if spoken else item.speech.text,
                f"{outcome.samples / RATE:.3f}",
                outcome.sha256,
                " | ".join(outcome.steps),
            )
        )
    write_text(folder / MANIFEST, stream.getvalue())


def write_readme(said: Iterable[str], folder: Path) -> None:
    """Write what the corpus is, how it was built, and with which versions."""
    versions = ", ".join(f"{name} {version}" for name, version in runs.versions().items())
    head = (
        "mini: human speech, and spoofs of it, built on this machine by spoofbench.",
        f"{MANIFEST} says of each file where it comes from, its licence and every step.",
        "",
    )
    write_text(folder / README, _lines([*head, *said, f"versions: {versions}"]))


def write_checksums(folder: Path) -> None:
    """Write the checksum of every file of the corpus, as ``sha256sum --check`` reads them."""
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != CHECKSUMS
    )
    lines = [f"{fingerprint.sha256(folder / name)}  {name}" for name in found]
    write_text(folder / CHECKSUMS, _lines(lines))


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
