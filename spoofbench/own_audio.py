"""Protocols for one's own audio: ``csv:FILE`` and ``folder:DIR`` in the place of a name."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from spoofbench.errors import CorpusNotFound, InvalidKeys
from spoofbench.protocols import CROSSED, OWN_AUDIO, PATH, Data, Delimiter, Protocol, Report
from spoofbench.trials import KEY_SPELLINGS

METRICS = ("eer", "min-dcf", "auc")
TRAIN, DEV = "la-train", "la-dev"
"""What a model is trained on, and chosen by, where no weights are named."""

DELIMITERS: dict[str, Delimiter] = {"\t": "tab", ",": ",", ";": ";"}

HEADINGS = {
    PATH: (
        *("path", "file", "filename", "file_name", "filepath", "file_path", "audio", "audio_path"),
        *("audio_file", "wav", "wav_path", "flac"),
    ),
    "utterance": ("utterance", "utterance_id", "utt", "utt_id", "trial", "trial_id", "id"),
    "key": ("key", "label", "labels", "class", "cm-label", "cm_label", "target", "type"),
    "speaker": ("speaker", "speaker_id", "spk", "spk_id"),
    "attack": ("attack", "attack_id", "attack_label", "system"),
}
"""What columns are called, in lower case; of several that are there, the first one counts."""


def protocol_for(name: str) -> Protocol:
    """Return the protocol that ``csv:FILE`` or ``folder:DIR`` stands for; no audio is looked at.

    Raises `CorpusNotFound` for a file or folder that is not there, `InvalidKeys` for a CSV whose
    first line does not name the columns.
    """
    kind, _, given = name.partition(":")
    place = Path(given).expanduser().resolve()
    if not given or not (place.is_file() if f"{kind}:" == OWN_AUDIO[0] else place.is_dir()):
        raise CorpusNotFound(
            f"'{name}': {given or 'nothing'} is not a {'file' if kind == 'csv' else 'folder'}",
            hint="csv:FILE names a table of recordings, folder:DIR a folder with bonafide/ and "
            "spoof/ in it",
        )
    data = _of_csv(place) if kind == "csv" else _of_folder(place)
    attacks = kind == "csv" or _has_attacks(place)
    return Protocol(
        name=f"{kind}-{(place.stem if kind == 'csv' else place.name) or 'root'}",
        schema=1,
        title=f"Own audio, {place.name}",
        role="eval",
        train=TRAIN,
        dev=DEV,
        data=data,
        report=Report(
            metrics=METRICS, by=("attack",) if attacks and "attack" in data.columns else ()
        ),
    )


def _of_folder(place: Path) -> Data:
    return Data(
        reader="folder",
        corpus=f"folder:{place}",
        keys=".",
        columns=(PATH, "attack", "key"),
        audio=f"{{{PATH}}}",
    )


def _has_attacks(place: Path) -> bool:
    """Say whether a folder of spoofs has subfolders."""
    spoofs = [at for at in place.iterdir() if KEY_SPELLINGS.get(at.name.lower()) is False]
    return any(below.is_dir() for at in spoofs if at.is_dir() for below in at.iterdir())


def _of_csv(file: Path) -> Data:
    """Find out from the first line what stands in each column."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            line = stream.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusNotFound(f"{file} cannot be read: {error}") from error
    delimiter = max(DELIMITERS, key=line.count)
    try:
        headings = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise InvalidKeys(
            f"{file}, line 1: no list of columns: {error}",
            hint="the first line names the columns: path,key or path,key,speaker,attack,...",
        ) from error
    return Data(
        reader="table",
        corpus=f"csv:{file}",
        keys=str(file),
        columns=_columns(headings, f"{file}, line 1"),
        delimiter=DELIMITERS[delimiter],
        audio=f"{{{PATH}}}",
    )


def _columns(headings: Sequence[str], where: str) -> tuple[str, ...]:
    """Return what stands in the columns, in the words of protocol files."""
    lower = [heading.lower() for heading in headings]
    columns = [heading.replace(CROSSED, "_") or "-" for heading in headings]
    found = {
        meaning: next((lower.index(word) for word in words if word in lower), None)
        for meaning, words in HEADINGS.items()
    }
    if found[PATH] is None:  # a list whose utterances are files
        found[PATH], found["utterance"] = found["utterance"], None
    for meaning in (PATH, "key"):
        if found[meaning] is None:
            raise InvalidKeys(
                f"{where}: no column is called {meaning}: {', '.join(headings) or 'it is empty'}",
                hint="the first line names the columns: path,key or path,key,speaker,attack,...",
            )
    for meaning, place in found.items():
        if place is not None:
            columns[place] = meaning
    repeated = {name for name in columns if name != "-" and columns.count(name) > 1}
    if repeated:
        raise InvalidKeys(f"{where}: several columns are called {', '.join(sorted(repeated))}")
    return tuple(columns)
