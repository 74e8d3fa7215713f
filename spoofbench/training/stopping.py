"""Being told to stop: by SIGTERM, or by SIGUSR1, which a scheduler sends before time is up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from spoofbench.errors import Stopped

NAMES = ("SIGTERM", "SIGUSR1")


class Told:
    """What signal has come, if one has."""

    number: int | None = None

    def error(self, folder: object) -> Stopped:
        """Return what ends the training, whose checkpoint lies in ``folder``."""
        name = signal.Signals(self.number or signal.SIGTERM).name
        return Stopped(
            f"stopped by {name}; what was learned is kept in {folder}",
            hint="give the same command again to go on",
            number=self.number or signal.SIGTERM,
        )


@contextmanager
def listening() -> Iterator[Told]:
    """Take note of the signals of `NAMES` that come in this context, instead of ending.

    It works in the main thread; elsewhere signals do what they did before.
    """
    told = Told()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        told.number = number

    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
