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
        try:
            if line.strip():
                trials.append(_trial(line, data, others))
        except InvalidKeys as error:
            raise InvalidKeys(f"{file}, line {number}: {error}", hint=error.hint) from None
    return trials


def _trial(line: str, data: Data, others: Sequence[str]) -> Trial:
    values = line.split()
    if len(values) != len(data.columns):
        raise InvalidKeys(
            f"{len(values)} columns where there should be {len(data.columns)} "
            f"({' '.join(data.columns)})",
            hint="take the key file from the corpus again",
        )
    columns = dict(zip(data.columns, values, strict=True))
    key = columns["key"]
    if key not in BONAFIDE:
        raise InvalidKeys(f"the key is '{key}'", hint="known keys: bonafide, spoof")
    bonafide = BONAFIDE[key]
    attack = columns.get("attack", NO_ATTACK if bonafide else "spoof")
    if bonafide != (attack == NO_ATTACK):
        raise InvalidKeys(
            f"the key is '{key}' and the attack is '{attack}'",
            hint="bona fide trials have the attack '-', spoofs another",
        )
    if "/" in line or "\\" in line:
        raise InvalidKeys("a slash in a name", hint="names may not be paths")
    return Trial(
        utterance=columns["utterance"],
        speaker=columns.get("speaker", ""),
        attack=attack,
        bonafide=bonafide,
        audio=data.audio.format_map(columns),
        columns={name: columns[name] for name in others} if others else _NOTHING,
    )
