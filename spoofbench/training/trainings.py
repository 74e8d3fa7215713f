"""Training folders: ``training.json`` says on what terms ``best.safetensors`` was made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spoofbench import fingerprint
from spoofbench.errors import InvalidRun
from spoofbench.files import storage_errors, write_text
from spoofbench.runs import ModelRecord
from spoofbench.training.recipe import Recipe

RECORD = "training.json"
TERMS = "terms.json"
"""What a training that is not finished was begun on."""


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
    teacher: str = ""
    """sha256 of the teacher's weights or score file."""
    seed: int
    precision: str
    device: str
    compiler: str = ""
    """What compiled the loss, which then rounds otherwise; none if not given."""
    micro_batch: int | None = None
    """Utterances whose gradients are computed at once, which a batch norm sees; None for all."""
    processes: int = 1
    """How many share a batch, each with a batch norm and a dropout of its own."""

    def identity(self) -> str:
        """Return 12 hexadecimal digits that stand for these terms."""
        return fingerprint.digits(self.model_dump(mode="json"))

    def but_for_seed(self) -> str:
        """Return 12 hexadecimal digits that stand for these terms whatever the seed."""
        return fingerprint.digits(self.model_dump(mode="json", exclude={"seed"}))


class TrainingRecord(_Part):
    """What ``training.json`` holds. It is written when the last epoch is done."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    terms: TrainingTerms
    best_epoch: int
    best_dev_eer: float
    """A fraction."""
    seconds: float
    """Spent on all epochs, dev scoring not included."""
    seconds_per_step: float = 0.0
    """Mean over all epochs; 0 for a model that is fitted at once."""
    utterances_per_second: float = 0.0
    peak_mb: float = 0.0
    """The most memory taken, of the device or the first process."""
    threads: int | None = None
    """Threads of each process at the end; another number can change the last bits."""
    device_name: str = ""
    sha256: str
    """Of ``best.safetensors``."""
    arguments: tuple[str, ...]
    versions: Mapping[str, str]
    finished: str


def folder_for(out: Path, terms: TrainingTerms) -> Path:
    """Return the folder, below ``out``, of the training on these terms."""
    return out / terms.train.protocol / f"{terms.model.name}-{terms.identity()}"


def begin(terms: TrainingTerms, folder: Path) -> None:
    """Write into ``folder`` on what terms its training begins."""
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / TERMS, terms.model_dump_json(indent=2) + "\n")


def refuse_changed(out: Path, terms: TrainingTerms) -> None:
    """Raise `InvalidRun` where a training of the same terms was begun on other trials.

    The corpus has changed since: going on would begin anew, beside what was learned.
    """
    own = folder_for(out, terms)
    for file in sorted((out / terms.train.protocol).glob(f"{terms.model.name}-*/{TERMS}")):
        try:
            begun = TrainingTerms.model_validate_json(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            if file.parent == own:
                raise InvalidRun(f"{file}: {error}", hint="remove its folder") from error
            continue
        now = begun.model_copy(update={"train": terms.train, "dev": terms.dev})
        if now != terms or begun == terms or begun.dev.protocol != terms.dev.protocol:
            continue
        changes = [
            f"{part.protocol} was {was.fingerprint[:12]}, is {part.fingerprint[:12]}"
            for was, part in ((begun.train, terms.train), (begun.dev, terms.dev))
            if was != part
        ]
        raise InvalidRun(
            f"this training was begun on other trials, in {file.parent}: {'; '.join(changes)}",
            hint="the corpus, or --limit, has changed: put it back to go on, or remove that folder "
            "to begin anew",
        )


def write(record: TrainingRecord, folder: Path) -> None:
    """Write ``training.json`` into ``folder``: the training is finished."""
    write_text(folder / RECORD, record.model_dump_json(indent=2, by_alias=True) + "\n")
    (folder / TERMS).unlink(missing_ok=True)


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
