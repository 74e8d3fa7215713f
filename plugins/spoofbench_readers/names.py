"""What utterances are called that only have a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath


def names_of(paths: Sequence[str]) -> list[str]:
    """Return the paths without their endings; those that are then no longer unique keep them."""
    short = [str(PurePosixPath(path).with_suffix("")) for path in paths]
    count = Counter(short)
    return [name if count[name] == 1 else path for name, path in zip(short, paths, strict=True)]
