"""Training folders: ``training.json`` says on what terms ``best.safetensors`` was made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spoofbench.errors import InvalidRun
from spoofbench.files import write_text
from spoofbench.runs import ModelRecord
from spoofbench.training.recipe import Recipe

RECORD = "training.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartRecord(_Part):
    """A protocol, and the fingerprint of its trials."""

    protocol: str
    fingerprint: str


class TrainingTerms(_Part):
    """Everything that decides what weights come of a training."""

    model: ModelRecord
    train: PartRecord
    dev: PartRecord
    recipe: Recipe
    start: str = ""
    """sha256 of the weights that it started from."""
    seed: int
    precision: str
    device: str

    def identity(self) -> str:
        """Return 12 hexadecimal digits that stand for these terms."""
        table = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(table.encode()).hexdigest()[:12]


class TrainingRecord(_Part):
    """What ``training.json`` holds. It is written when the last epoch is done."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    terms: TrainingTerms
    best_epoch: int
    best_dev_eer: float
    """A fraction."""
    seconds: float
    """Spent on all epochs, dev scoring not included."""
    sha256: str
    """Of ``best.safetensors``."""
    arguments: tuple[str, ...]
    versions: Mapping[str, str]
    finished: str


def folder_for(out: Path, terms: TrainingTerms) -> Path:
    """Return the folder, below ``out``, of the training on these terms."""
    return out / terms.train.protocol / f"{terms.model.name}-{terms.identity()}"


def write(record: TrainingRecord, folder: Path) -> None:
    """Write ``training.json`` into ``folder``."""
    write_text(folder / RECORD, record.model_dump_json(indent=2, by_alias=True) + "\n")


def read(folder: Path) -> TrainingRecord | None:
    """Read ``training.json``; return None for a training that is not finished, or not begun.

    Raises `InvalidRun` for one that is damaged.
    """
    file = folder / RECORD
    try:
        return TrainingRecord.model_validate_json(file.read_text(encoding="utf-8"), by_alias=True)
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, ValueError) as error:
        raise InvalidRun(f"{file}: {error}", hint="remove the folder and train again") from error


def finished(out: Path, model: str, train: str) -> list[tuple[Path, TrainingRecord]]:
    """Return the finished trainings of ``model`` on the protocol ``train`` below ``out``."""
    folders = sorted((out / train).glob(f"{model}-*/{RECORD}"))
    read_again = ((file.parent, read(file.parent)) for file in folders)
    return [
        (folder, record)
        for folder, record in read_again
        if record is not None and record.terms.model.name == model
    ]
