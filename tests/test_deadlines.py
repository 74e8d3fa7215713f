"""What never ends is ended, and what was running before goes on."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import pytest

from spoofbench.deadlines import TookTooLong, deadline

SOON = 0.05


def test_what_sleeps_is_interrupted() -> None:
    started = time.monotonic()
    with pytest.raises(TookTooLong, match=r"0\.05 s"), deadline(SOON):
        time.sleep(30)
    assert time.monotonic() - started < 5


def test_a_handler_that_catches_everything_ordinary_does_not_keep_it_alive() -> None:
    def stubborn() -> None:
        while True:
            with contextlib.suppress(Exception):
                time.sleep(30)

    with pytest.raises(TookTooLong), deadline(SOON):
        stubborn()


def test_one_that_catches_even_this_is_interrupted_again() -> None:
    caught = 0

    def very_stubborn() -> None:
        nonlocal caught
        while caught < 2:
            try:
                time.sleep(30)
            except TookTooLong:
                caught += 1

    with deadline(SOON):
        very_stubborn()
    assert caught == 2


def test_what_is_done_in_time_is_left_alone() -> None:
    with deadline(SOON):
        pass
    time.sleep(2 * SOON)


def test_an_alarm_that_was_set_before_goes_on() -> None:
    rung = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with deadline(10):
            pass
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.3
        with deadline(10):
            time.sleep(0.4)
        time.sleep(0.05)
        assert rung == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left, interval)


def test_in_another_thread_there_is_no_deadline_and_no_error() -> None:
    seen = []

    def work() -> None:
        with deadline(SOON):
            time.sleep(3 * SOON)
        seen.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
