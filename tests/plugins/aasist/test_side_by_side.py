"""Utterances beside one another: in order, in no more threads than before, and no trace left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from spoofbench.devices import denormals_flushed, flushes_denormals
from spoofbench_aasist.side_by_side import side_by_side


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def threads_of_a_new_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def test_results_come_in_order():
    assert side_by_side(lambda number: number * number, 9) == [n * n for n in range(9)]


def test_they_run_at_the_same_time():
    """Each waits until all four are there: one after the other they would wait for ever."""
    barrier = threading.Barrier(4, timeout=30)
    side_by_side(lambda number: barrier.wait(), 4)


@pytest.mark.parametrize(("count", "each"), [(1, 4), (2, 2), (3, 1), (4, 1), (9, 1)])
def test_no_more_threads_compute_than_torch_may_use(count: int, each: int):
    found = side_by_side(lambda number: torch.get_num_threads(), count)
    assert found == [each] * count


def test_the_number_of_threads_is_as_before_here_and_in_threads_to_come():
    side_by_side(lambda number: None, 8)
    assert torch.get_num_threads() == 4
    assert threads_of_a_new_thread() == 4


def test_one_alone_stays_in_its_thread():
    assert side_by_side(lambda number: threading.get_ident(), 1) == [threading.get_ident()]


def test_the_calling_thread_is_one_of_them():
    barrier = threading.Barrier(4, timeout=30)

    def who(number: int) -> int:
        barrier.wait()
        return threading.get_ident()

    found = side_by_side(who, 4)
    assert len(set(found)) == 4
    assert threading.get_ident() in found


@pytest.mark.parametrize("failing", [0, 3])
def test_a_failure_in_any_thread_is_raised(failing: int):
    barrier = threading.Barrier(4, timeout=30)

    def work(number: int) -> None:
        barrier.wait()
        if number == failing:
            raise ValueError("no such utterance")

    with pytest.raises(ValueError, match="no such utterance"):
        side_by_side(work, 4)
    assert torch.get_num_threads() == 4


def test_the_first_failure_is_raised_and_what_is_not_begun_is_left():
    begun: list[int] = []
    failed = threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            failed.set()
            raise ValueError("no such utterance")
        failed.wait(30)

    with pytest.raises(ValueError, match="no such utterance"):
        side_by_side(work, 400)
    assert len(begun) < 400
    assert threads_of_a_new_thread() == 4


def test_settings_of_the_thread_hold_for_all():
    def seen(number: int) -> tuple[bool, bool, bool]:
        return flushes_denormals(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    with torch.no_grad():
        assert set(side_by_side(seen, 4)) == {(False, False, False)}
    with denormals_flushed(), torch.inference_mode():
        assert set(side_by_side(seen, 4)) == {(True, False, True)}
