"""Key files with one trial a line: ``speaker utterance - attack key``, or in any other order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from spoofbench.errors import CorpusNotFound, InvalidKeys
from spoofbench.protocols import Data
from spoofbench.trials import NO_ATTACK, Trial

BONAFIDE = {"bonafide": True, "spoof": False}
"""How ASVspoof spells the two classes."""

_NOTHING: Mapping[str, str] = {}
_OWN = frozenset({"utterance", "speaker", "attack", "key", "-"})


def read_trials(data: Data, root: Path) -> Sequence[Trial]:
    """Read one trial from each line of the key file, in its order.

    Raises `CorpusNotFound` without the file, `InvalidKeys` for a line with the wrong number of
    columns, an unknown key, or an attack that contradicts its key.
    """
    file = root / data.keys
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusNotFound(f"the key file {file} cannot be read: {error}") from error
    others = [name for name in data.columns if name not in _OWN]
    trials = []
    for number, line in enumerate(lines, start=1):
        if not (values := line.split()):
            continue
        columns = dict(zip(data.columns, values, strict=False))
        bonafide = BONAFIDE.get(columns.get("key", ""))
        attack = columns.get("attack", NO_ATTACK if bonafide else "spoof")
        if (
            bonafide is None
            or len(values) != len(data.columns)
            or bonafide != (attack == NO_ATTACK)
            or "/" in line
            or "\\" in line
        ):
            raise _fault(line, data, f"{file}, line {number}")
        trials.append(
            Trial(
                utterance=columns["utterance"],
                speaker=columns.get("speaker", ""),
                attack=attack,
                bonafide=bonafide,
                audio=data.audio.format_map(columns),
                columns={name: columns[name] for name in others} if others else _NOTHING,
            )
        )
    return trials


def _fault(line: str, data: Data, where: str) -> InvalidKeys:
    """Say what is wrong with ``line``."""
    values = line.split()
    if len(values) != len(data.columns):
        return InvalidKeys(
            f"{where}: {len(values)} columns where there should be {len(data.columns)} "
            f"({' '.join(data.columns)})",
            hint="take the key file from the corpus again",
        )
    columns = dict(zip(data.columns, values, strict=True))
    if columns["key"] not in BONAFIDE:
        return InvalidKeys(
            f"{where}: the key is '{columns['key']}'", hint=f"known keys: {', '.join(BONAFIDE)}"
        )
    if "/" in line or "\\" in line:
        return InvalidKeys(f"{where}: a slash in a name", hint="names may not be paths")
    return InvalidKeys(
        f"{where}: the key is '{columns['key']}' and the attack is '{columns['attack']}'",
        hint="bona fide trials have the attack '-', spoofs another",
    )
