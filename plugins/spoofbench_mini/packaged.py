"""Files of weights inside installed packages whose code is not to be run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def packaged_file(package: str, name: str) -> Path | None:
    """Return the file ``name`` inside an installed ``package``, None where it is not there."""
    found = find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (file := Path(folder) / name).is_file():
            return file
    return None
