"""Telling trackers what comes of a training: every epoch, whatever interrupts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from traceback import format_exception_only

from pydantic import TypeAdapter

from spoofbench.contracts import Tracker
from spoofbench.errors import BrokenPlugin, InvalidRun, SpoofbenchError
from spoofbench.files import storage_errors, write_text
from spoofbench.plugins import Offer
from spoofbench.specs import TrackerSpec
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.trainings import TrainingRecord, TrainingTerms

TOLD = "trackers.json"
"""How many epochs each tracker has logged."""

Made = Mapping[str, Tracker]
"""Trackers by name."""


def make(offers: Sequence[Offer[TrackerSpec]], folder: Path, terms: TrainingTerms) -> Made:
    """Make the trackers on offer for the training in ``folder``, by name.

    Raises what they say the user must put right, and `BrokenPlugin` for anything else.
    """
    made: dict[str, Tracker] = {}
    if offers:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    for offer in offers:
        maker = offer.spec.resolve()
        try:
            made[offer.spec.name] = maker(folder, terms)
        except SpoofbenchError:
            raise
        except Exception as error:  # a plugin may fail in any way
            raise BrokenPlugin(
                f"the tracker '{offer.spec.name}' of {offer.plugin} could not be made: "
                f"{type(error).__name__}: {error}",
                hint=f"leave out --tracker {offer.spec.name}, or put right what it needs",
            ) from error
    return made


class Tracking:
    """Tells trackers the epochs that they have not logged yet, and the end.

    It keeps beside the checkpoints how far each has come, so that a training that goes on tells
    what a crash has cut off, and one that gains a tracker tells it all. A tracker that raises is
    put aside with a note.
    """

    def __init__(self, made: Made, folder: Path, note: Callable[[str], None]) -> None:
        self._trackers = dict(made)
        self._file = folder / TOLD
        self._note = note
        self._told = _read(self._file) if made else {}

    def tell(self, history: Sequence[Epoch]) -> None:
        """Tell each tracker what it has not logged of ``history``."""
        for name, tracker in list(self._trackers.items()):
            told = self._told.get(name, 0)
            begun_anew = told > len(history)  # checkpoints come first
            for epoch in history if begun_anew else history[told:]:
                if not self._does(name, partial(tracker.epoch, epoch)):
                    break
                self._told[name] = epoch.epoch
                write_text(self._file, json.dumps(self._told) + "\n")

    def end(self, record: TrainingRecord) -> None:
        """Tell each tracker what came of the training."""
        for name, tracker in list(self._trackers.items()):
            self._does(name, partial(tracker.end, record))

    def _does(self, name: str, what: Callable[[], None]) -> bool:
        """Let the tracker ``name`` do ``what``, or put it aside; say whether it was done."""
        try:
            what()
        except Exception as error:  # a log is never worth the training
            del self._trackers[name]
            (*_, said) = format_exception_only(error)
            self._note(
                f"the tracker '{name}' is put aside, the training goes on: {said.strip()}; "
                "epochs.csv has every epoch"
            )
            return False
        return True


def _read(file: Path) -> dict[str, int]:
    try:
        return TypeAdapter(dict[str, int]).validate_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InvalidRun(
            f"{file} cannot be read: {error}", hint="remove it, and every epoch is logged again"
        ) from error
