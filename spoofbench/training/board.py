"""A training's epochs for TensorBoard, beside ``epochs.csv``."""

from __future__ import annotations

from pathlib import Path

from spoofbench.errors import MissingExtra
from spoofbench.training.checkpoints import Epoch

FOLDER = "tensorboard"


class Board:
    """Writes each epoch's numbers to ``FOLDER`` below a training's folder.

    Raises `MissingExtra` without TensorBoard.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "--tensorboard needs TensorBoard, which is not installed",
                hint="pip install 'spoofbench[tensorboard]'",
            ) from error
        self._writer = SummaryWriter  # opened for each epoch: a killed training loses none
        self._folder = folder / FOLDER

    def add(self, epoch: Epoch) -> None:
        """Write the numbers of ``epoch``, called as in ``epochs.csv``."""
        with self._writer(str(self._folder)) as writer:
            for name, value in epoch.model_dump(exclude={"epoch"}).items():
                writer.add_scalar(name, value, epoch.epoch)
