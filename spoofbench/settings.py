"""What the user has set: the only module that reads the environment or the settings file.

| variable | meaning |
| --- | --- |
| ``SPOOFBENCH_SETTINGS`` | the settings file, if not in the user's configuration folder |
| ``SPOOFBENCH_DATA`` | a folder with a subfolder (or link) for each corpus, named like it |
| ``SPOOFBENCH_CACHE`` | where downloads and generated corpora are kept |
| ``SPOOFBENCH_BLOCK`` | names of plugins that must not be loaded, separated by commas |
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spoofbench.errors import InvalidSettings, StorageError


class Settings(BaseModel):
    """The settings in effect: the file's, with the environment's on top."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpora: Mapping[str, Path] = Field(default_factory=dict)
    """Where each corpus lies."""
    block: tuple[str, ...] = ()
    """Entry-point names of plugins that must not be loaded."""
    cache: Path | None = None
    """Where downloads and generated corpora are kept."""
    data: Path | None = Field(default=None, exclude=True)
    """``SPOOFBENCH_DATA``, a folder with one subfolder for each corpus."""

    def cache_folder(self) -> Path:
        """Return the folder for what can be fetched or made again."""
        if self.cache is not None:
            return self.cache
        import platformdirs

        return platformdirs.user_cache_path("spoofbench")


def settings_file() -> Path:
    """Return the path of the settings file, whether or not it is there."""
    if named := os.environ.get("SPOOFBENCH_SETTINGS"):
        return Path(named)
    import platformdirs

    return platformdirs.user_config_path("spoofbench") / "settings.toml"


@cache
def settings() -> Settings:
    """Read the settings once per process. Raises `InvalidSettings` for a file that is wrong."""
    file = settings_file()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        table = {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"{file}: {error}", hint="mend the file, or move it away") from error
    if blocked := os.environ.get("SPOOFBENCH_BLOCK"):
        table["block"] = [*table.get("block", []), *(b.strip() for b in blocked.split(","))]
    if folder := os.environ.get("SPOOFBENCH_CACHE"):
        table["cache"] = folder
    if folder := os.environ.get("SPOOFBENCH_DATA"):
        table["data"] = folder
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(name for name in Settings.model_fields if name != "data")
        raise InvalidSettings(
            f"{file}: {where}: {first['msg']}", hint=f"the settings are: {known}"
        ) from error


def remember_corpus(corpus: str, folder: Path) -> Path:
    """Write into the settings file that ``corpus`` lies in ``folder``; return that file's path.

    Comments and other settings in the file are kept.
    """
    import tomlkit

    from spoofbench.files import write_text

    settings()  # a file that is wrong must be mended before it is written to
    file = settings_file()
    document = tomlkit.parse(file.read_text(encoding="utf-8") if file.exists() else "")
    document.setdefault("corpora", tomlkit.table())[corpus] = str(folder.resolve())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{file.parent}: {error.strerror}") from error
    write_text(file, tomlkit.dumps(document))
    settings.cache_clear()
    return file
