"""An end to what may never end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN = 0.5
"""Seconds after which what caught the first interruption is interrupted again."""


class TookTooLong(BaseException):
    """Raised in the midst of what runs past its deadline. No `Exception`: few catch it."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Interrupt what runs in this context for longer than ``seconds`` with `TookTooLong`.

    It works in the main thread, where the system has timers (not on Windows), and on code that
    comes back to Python now and then: sleeping, waiting for a network or a lock, or a loop. An
    alarm that was set before goes on where it was.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TookTooLong(f"not done after {seconds:g} s")

    handler = signal.signal(signal.SIGALRM, interrupt)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    started = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            passed = time.monotonic() - started
            signal.setitimer(signal.ITIMER_REAL, max(left - passed, 1e-3), interval)
