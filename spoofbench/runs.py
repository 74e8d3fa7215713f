"""Run folders: ``run.json`` says on what terms ``scores.tsv`` was made."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spoofbench import fingerprint
from spoofbench.errors import InvalidRun
from spoofbench.files import storage_errors, write_text
from spoofbench.protocols import Protocol

RECORD = "run.json"
SCORES = "scores.tsv"
MEASURED = "measured.tsv"
CLEAN = "clean"
"""The condition in which nothing is done to the audio."""
PACKAGES = ("spoofbench", "torch", "torchaudio", "numpy", "scipy", "soundfile", "soxr")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelRecord(_Part):
    """Which code judged: the name, and the plugin with its distribution and version."""

    name: str
    target: str
    plugin: str
    distribution: str
    version: str


class WeightsRecord(_Part):
    """Which weights: where they came from, and their checksum."""

    source: str
    """``official``, ``trained``, ``file``, or ``none`` for a model without parameters."""
    sha256: str = ""


class ConditionRecord(_Part):
    """What was done to the audio: the condition as it is written, and all that decides it."""

    text: str
    seed: int
    augmentations: tuple[str, ...]
    """Each augmentation with its distribution and version, and the checksum of its source."""


class Terms(_Part):
    """Everything that decides a run's scores. Two runs on the same terms are one run."""

    model: ModelRecord
    weights: WeightsRecord
    fingerprint: str
    samples: int | None
    """Input length of the model, None for whole utterances."""
    precision: str
    device: str
    """Kind of device: cpu, cuda, ..."""
    condition: ConditionRecord | None = None
    """What was done to the audio; None for audio as it is."""

    def identity(self) -> str:
        """Return 12 hexadecimal digits that stand for these terms; where weights lie is no term."""
        table = self.model_dump() | {"weights": self.weights.sha256}
        if self.condition is None:
            del table["condition"]
        return fingerprint.digits(table)


class RunRecord(_Part):
    """What ``run.json`` holds."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    label: str
    """What tables call this run."""
    terms: Terms | None
    """None for scores that another program made."""
    protocol: Protocol
    fingerprint: str
    corpus: str
    """The folder that the trials, and the audio, were read from."""
    training: str = ""
    """What the training of the weights, made here, is but for its seed; empty for other weights."""
    seed: int | None = None
    """Seed of that training."""
    chosen_by_eval: str = ""
    """The eval protocol that chose the weights, if one did."""
    limit: int | None = None
    trials: int
    batch_size: int | None = None
    processes: int = 1
    threads: int | None = None
    """Threads of each process; another number can change the last bits of scores."""
    seconds: float | None = None
    """Wall time of the scoring, this call only."""
    scored: int = 0
    """Trials that this call scored; the rest were there before."""
    device_name: str = ""
    arguments: tuple[str, ...] = ()
    """The command line as given."""
    versions: Mapping[str, str]
    finished: str
    """When the run was completed, in UTC."""

    @property
    def condition(self) -> str:
        """What was done to the audio, `CLEAN` if nothing was."""
        done = self.terms.condition if self.terms is not None else None
        return CLEAN if done is None else done.text

    @property
    def title(self) -> str:
        """What tables call this run, with what was done to its audio."""
        return self.label if self.condition == CLEAN else f"{self.label} [{self.condition}]"


def folder_for(out: Path, protocol: Protocol, terms: Terms) -> Path:
    """Return the folder, below ``out``, of the run on these terms."""
    return out / protocol.name / f"{terms.model.name}-{terms.identity()}"


def write(record: RunRecord, folder: Path) -> None:
    """Write ``run.json`` into ``folder``: the last thing that is done to a run."""
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / RECORD, record.model_dump_json(indent=2, by_alias=True) + "\n")


def read(folder: Path) -> RunRecord:
    """Read ``run.json``. Raises `InvalidRun` if it is not there or not whole."""
    file = folder / RECORD
    try:
        return RunRecord.model_validate_json(file.read_text(encoding="utf-8"), by_alias=True)
    except FileNotFoundError:
        unfinished = folder.is_dir() and any(folder.glob("scores.part-*.tsv"))
        raise InvalidRun(
            f"{folder} is not a finished run: it has no {RECORD}",
            hint="give the same command again to finish it"
            if unfinished
            else "a run folder holds run.json and scores.tsv",
        ) from None
    except (OSError, ValidationError, ValueError) as error:
        raise InvalidRun(f"{file}: {error}", hint="remove the folder and run again") from error


def is_finished(folder: Path) -> bool:
    """Say whether ``folder`` holds a run that was completed."""
    return (folder / RECORD).is_file() and (folder / SCORES).is_file()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def now() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def arguments() -> tuple[str, ...]:
    """Return the command line of this process, without the program's folder."""
    return (Path(sys.argv[0]).name, *sys.argv[1:])


def below(folder: Path) -> list[Path]:
    """Return ``folder`` if it is a run, else the finished runs anywhere below it.

    Raises `InvalidRun` if there are none.
    """
    if (folder / RECORD).is_file():
        return [folder]
    found = sorted(record.parent for record in folder.rglob(RECORD))
    if not found:
        read(folder)
    return found
