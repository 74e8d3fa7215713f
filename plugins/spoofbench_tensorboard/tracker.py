"""A training's epochs as event files for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from spoofbench.errors import MissingExtra
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.trainings import TrainingRecord, TrainingTerms

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"


class TensorBoard:
    """Writes terms, epochs and the end to event files, one each, below the training's folder.

    What comes again replaces its file: nothing is there twice. Raises `MissingExtra` without
    TensorBoard.
    """

    def __init__(self, folder: Path, terms: TrainingTerms) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "--tracker tensorboard needs TensorBoard, which is not installed",
                hint="pip install 'spoofbench[tensorboard]'",
            ) from error
        self._writer = SummaryWriter
        self._folder = folder / FOLDER
        self._write_text("terms", terms)

    def epoch(self, epoch: Epoch) -> None:
        """Write the numbers of ``epoch``, called as in ``epochs.csv``."""
        with self._file(f"epoch-{epoch.epoch}") as writer:
            for name, value in epoch.model_dump(exclude={"epoch"}).items():
                writer.add_scalar(name, value, epoch.epoch)

    def end(self, record: TrainingRecord) -> None:
        """Write what stands in ``training.json``."""
        self._write_text("training", record)

    def _write_text(self, name: str, table: BaseModel) -> None:
        with self._file(name) as writer:
            writer.add_text(name, f"```json\n{table.model_dump_json(indent=2)}\n```")

    @contextmanager
    def _file(self, name: str) -> Iterator[SummaryWriter]:
        """Give a writer to the event file ``name``, anew."""
        for earlier in self._folder.glob(f"*.{name}"):
            earlier.unlink()
        with self._writer(str(self._folder), filename_suffix=f".{name}") as writer:
            yield writer
