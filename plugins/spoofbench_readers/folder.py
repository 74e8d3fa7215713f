"""Folders of recordings: ``bonafide/`` and ``spoof/``, with a subfolder for each attack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from spoofbench.errors import CorpusNotFound, InvalidKeys
from spoofbench.protocols import Data
from spoofbench.trials import KEY_SPELLINGS, NO_ATTACK, UNNAMED, Trial
from spoofbench_readers.names import names_of

READ = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff", ".aifc", ".au"})
"""Endings of recordings that can be decoded, in lower case."""

NOT_READ = frozenset({".m4a", ".aac", ".mp4", ".wma", ".webm", ".amr", ".3gp", ".ape", ".mka"})
"""Endings of recordings that cannot: to leave them out in silence would falsify a result."""


def read_trials(data: Data, root: Path) -> Sequence[Trial]:
    """Make a trial of each recording below ``root``, sorted by its path, bona fide first.

    The class is the name of the folder at the top, in any known spelling; a spoof's attack is the
    next folder. Names that begin with a dot, and files that are no audio, are passed over. Nobody
    knows the speakers.

    Raises `CorpusNotFound` without the folder, `InvalidKeys` without one for each class, or with
    recordings that cannot be decoded.
    """
    del data  # everything stands in the folder
    classes = _classes(root)
    paths = [
        (path, bonafide)
        for folder, bonafide in sorted(classes.items(), key=lambda one: (not one[1], one[0]))
        for path in sorted(_recordings(root / folder, PurePosixPath(folder)))
    ]
    names = names_of([str(path) for path, _ in paths])
    return [
        Trial(
            utterance=name,
            speaker="",
            attack=NO_ATTACK if bonafide else _attack(path),
            bonafide=bonafide,
            audio=str(path),
        )
        for name, (path, bonafide) in zip(names, paths, strict=True)
    ]


def _classes(root: Path) -> dict[str, bool]:
    """Return the folders at the top by name, and whether what is in them is bona fide."""
    try:
        folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    except OSError as error:
        raise CorpusNotFound(f"the folder {root} cannot be read: {error}") from error
    found = {name: KEY_SPELLINGS[name.lower()] for name in folders if name.lower() in KEY_SPELLINGS}
    if set(found.values()) != {True, False}:
        raise InvalidKeys(
            f"{root} needs a folder bonafide and a folder spoof, it has: "
            f"{', '.join(folders) or 'none'}",
            hint=f"known spellings: {', '.join(KEY_SPELLINGS)}; or list the files in a CSV, and "
            "give csv:FILE",
        )
    return found


def _check_spelling(entry: Path) -> None:
    """Raise `InvalidKeys` for a name that no line of a score file can hold."""
    name = entry.name
    cut = "\t" in name or len(name.splitlines()) != 1 or name != name.lstrip()
    if cut or any("\ud800" <= letter <= "\udfff" for letter in name):  # bytes that are no UTF-8
        raise InvalidKeys(
            f"{entry.parent}: a score file cannot spell the name {name!r}",
            hint="rename it, in letters of UTF-8 and without tabs, line ends and blanks in front",
        )


def _attack(path: PurePosixPath) -> str:
    return path.parts[1] if len(path.parts) > 2 else UNNAMED


def _recordings(
    folder: Path, below: PurePosixPath, above: frozenset[Path] = frozenset()
) -> Iterator[PurePosixPath]:
    """Give the recordings in ``folder`` as paths from the top, at any depth, links followed."""
    place = folder.resolve()
    if place in above:
        raise InvalidKeys(f"{folder} is a link to a folder that holds it", hint="remove the link")
    for entry in folder.iterdir():
        ending = entry.suffix.lower()
        if entry.name.startswith("."):
            continue
        if entry.is_dir() or ending in READ:
            _check_spelling(entry)
        if entry.is_dir():
            yield from _recordings(entry, below / entry.name, above | {place})
        elif ending in NOT_READ:
            raise InvalidKeys(
                f"{entry}: recordings in the format {ending} cannot be read",
                hint="convert them to FLAC or WAV",
            )
        elif ending in READ:
            yield below / entry.name
