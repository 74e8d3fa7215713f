"""Utterances beside one another in threads, instead of the threads within each operation.

An operation on a tile is so short that handing it to threads costs a third of what they gain. So
each thread takes an utterance of its own, and computes it with its share of the threads that torch
may use: no more run than before. What an utterance gives does not hang on how many there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from spoofbench.devices import flushes_denormals

Result = TypeVar("Result")


def side_by_side(work: Callable[[int], Result], count: int) -> list[Result]:
    """Return what ``work`` returns for each of ``count`` utterances, given by number.

    It is called without gradients and autocast, from several threads at once. The calling thread is
    one of them: malloc keeps memory for each thread, and this one has some already.
    """
    allowed = torch.get_num_threads()
    threads = min(allowed, count)
    if threads <= 1:
        return [work(number) for number in range(count)]
    flushing, inferring = flushes_denormals(), torch.is_inference_mode_enabled()
    numbers, found = deque(range(count)), dict[int, Result]()

    def take_part() -> None:
        torch.set_num_threads(allowed // threads)
        torch.set_flush_denormal(flushing)  # a setting of each thread, as gradients are
        try:
            with torch.inference_mode(inferring), torch.no_grad():
                while (number := _next_of(numbers)) is not None:
                    found[number] = work(number)
        finally:
            numbers.clear()  # of what is not begun, where one has failed

    try:
        with ThreadPoolExecutor(threads - 1) as pool:
            others = [pool.submit(take_part) for _ in range(threads - 1)]
            take_part()
        for other in others:
            other.result()
    finally:
        torch.set_num_threads(allowed)  # for threads to come: they begin with what was set last
    return [found[number] for number in range(count)]


def _next_of(numbers: deque[int]) -> int | None:
    """Take the next number, if one is left; another thread may have been faster."""
    try:
        return numbers.popleft()
    except IndexError:
        return None
