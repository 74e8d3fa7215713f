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
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from spoofbench import tomlfile
from spoofbench.errors import InvalidSettings, StorageError


class SettingsFile(BaseModel):
    """What the settings file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpora: Mapping[str, Path] = Field(default_factory=dict)
    """Where each corpus lies."""
    block: tuple[str, ...] = ()
    """Entry-point names of plugins that must not be loaded."""
    cache: Path | None = None
    """Where downloads and generated corpora are kept."""


class Settings(SettingsFile):
    """The settings in effect: the file's, with the environment's on top."""

    data: Path | None = None
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
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{file}: {error}", hint="mend the file, or move it away") from error
    table = tomlfile.parse(text, where=str(file), error=InvalidSettings)
    said = tomlfile.validate(SettingsFile, table, text=text, where=str(file), error=InvalidSettings)
    return _with_environment(said)


def _with_environment(said: SettingsFile) -> Settings:
    blocked = (name.strip() for name in os.environ.get("SPOOFBENCH_BLOCK", "").split(","))
    cache_folder = os.environ.get("SPOOFBENCH_CACHE")
    data = os.environ.get("SPOOFBENCH_DATA")
    return Settings(
        corpora=said.corpora,
        block=(*said.block, *filter(None, blocked)),
        cache=Path(cache_folder) if cache_folder else said.cache,
        data=Path(data) if data else None,
    )


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


def child_environment() -> dict[str, str]:
    """Return a copy of the environment, for a process that is to have another."""
    return dict(os.environ)
