"""What utterances are called that only have a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath


def names_of(paths: Sequence[str]) -> list[str]:
    """Return the paths without their endings.

    Those that are then no longer unique keep them, and so do those that would end in a blank, which
    a score file could not show.
    """
    short = [str(PurePosixPath(path).with_suffix("")) for path in paths]
    count = Counter(short)
    pairs = zip(short, paths, strict=True)
    return [name if count[name] == 1 and name == name.strip() else path for name, path in pairs]
