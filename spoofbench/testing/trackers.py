"""The contract of trackers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spoofbench.contracts import TrackerMaker
from spoofbench.runs import ModelRecord
from spoofbench.specs import TrackerSpec
from spoofbench.testing.clauses import Broken, Check, state_untouched
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.recipe import Recipe
from spoofbench.training.trainings import PartRecord, TrainingRecord, TrainingTerms

TERMS = TrainingTerms(
    model=ModelRecord(name="toy", target="a:B", plugin="p", distribution="d", version="1"),
    train=PartRecord(protocol="toy-train", fingerprint="1" * 64),
    dev=PartRecord(protocol="toy-dev", fingerprint="2" * 64),
    recipe=Recipe(augment=("white@10",), rates={"front": 0.1}),
    seed=1,
    precision="fp32",
    device="cpu",
)
RECORD = TrainingRecord(
    terms=TERMS,
    best_epoch=2,
    best_dev_eer=0.125,
    seconds=12.5,
    sha256="0" * 64,
    arguments=("spoofbench", "train", "toy"),
    versions={"torch": "2"},
    finished="2026-01-01T00:00:00+00:00",
)
OWN = {
    "last.safetensors": b"last",
    "best.safetensors": b"best",
    "epochs.csv": b"epoch,loss\n",
    "terms.json": b"{}",
    "trackers.json": b"{}",
}
"""What a training keeps in its folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSubject:
    """A tracker's spec, and what makes it."""

    spec: TrackerSpec
    make: TrackerMaker


def epoch(number: int) -> Epoch:
    """Return what an epoch may give."""
    return Epoch(
        epoch=number,
        loss=0.7 / number,
        dev_eer=0.25 / number,
        learning_rate=1e-4,
        seconds=12.5,
        waiting=0.01,
        utterances_per_second=25.6,
        peak_mb=812.5,
    )


@contextmanager
def training_folder() -> Iterator[Path]:
    """Give a folder with the files that a training keeps, which are not to be touched."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "toy-train" / "toy-0123456789ab"
        folder.mkdir(parents=True)
        for file, content in OWN.items():
            (folder / file).write_bytes(content)
        yield folder


def a_training_is_logged_to_its_end(subject: TrackerSubject) -> None:
    """It logs a training from its terms over its epochs to its end."""
    with training_folder() as folder:
        tracker = subject.make(folder, TERMS)
        for number in (1, 2, 3):
            tracker.epoch(epoch(number))
        tracker.end(RECORD)


def a_training_that_goes_on_is_logged_on(subject: TrackerSubject) -> None:
    """Made anew for a training that goes on, it takes an epoch again, and those that follow."""
    with training_folder() as folder:
        subject.make(folder, TERMS).epoch(epoch(1))
        tracker = subject.make(folder, TERMS)
        for number in (1, 2):
            tracker.epoch(epoch(number))
        tracker.end(RECORD)
        subject.make(folder, TERMS).end(RECORD)


def a_training_without_epochs_is_logged(subject: TrackerSubject) -> None:
    """A model that is fitted at once has no epochs, only an end."""
    with training_folder() as folder:
        subject.make(folder, TERMS).end(RECORD)


def what_the_training_keeps_is_left_alone(subject: TrackerSubject) -> None:
    """The files of the training stay as they are, and nothing is put beside its folder."""
    with training_folder() as folder:
        tracker = subject.make(folder, TERMS)
        tracker.epoch(epoch(1))
        tracker.end(RECORD)
        changed = [
            name
            for name, content in OWN.items()
            if not (folder / name).is_file() or (folder / name).read_bytes() != content
        ]
        beside = [path.name for path in folder.parent.iterdir() if path != folder]
    if changed or beside:
        raise Broken(
            "the training's files untouched, and nothing beside its folder",
            ", ".join([*changed, *beside]),
            "Write into a folder of your own below the one that is given.",
        )


def the_process_is_left_alone(subject: TrackerSubject) -> None:
    """The process stays as it was: a training hangs on its random state."""
    with training_folder() as folder, state_untouched():
        tracker = subject.make(folder, TERMS)
        tracker.epoch(epoch(1))
        tracker.end(RECORD)


CLAUSES: tuple[Check, ...] = (
    a_training_is_logged_to_its_end,
    a_training_that_goes_on_is_logged_on,
    a_training_without_epochs_is_logged,
    what_the_training_keeps_is_left_alone,
    the_process_is_left_alone,
)
