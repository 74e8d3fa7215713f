"""Utterances beside one another in threads, instead of the threads within each operation.

An operation on a tile is so short that handing it to threads costs a third of what they gain. So
each thread takes an utterance of its own, and computes it with its share of the threads that torch
may use: no more run than before. What an utterance gives does not hang on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from spoofbench.devices import flushes_denormals

Result = TypeVar("Result")


def side_by_side(work: Callable[[int], Result], count: int) -> list[Result]:
    """Return what ``work`` returns for each of ``count`` utterances, given by number.

    It is called without gradients and autocast, from several threads at once.
    """
    allowed = torch.get_num_threads()
    threads = min(allowed, count)
    if threads <= 1:
        return [work(number) for number in range(count)]
    flushing, inferring = flushes_denormals(), torch.is_inference_mode_enabled()

    def begin() -> None:
        torch.set_num_threads(allowed // threads)
        torch.set_flush_denormal(flushing)  # a setting of each thread, as gradients are

    def alone(number: int) -> Result:
        with torch.inference_mode(inferring), torch.no_grad():
            return work(number)

    pool = ThreadPoolExecutor(threads, initializer=begin)
    try:
        return list(pool.map(alone, range(count)))
    finally:
        pool.shutdown(cancel_futures=True)  # of what is not begun, where one has failed
        torch.set_num_threads(allowed)  # for threads to come: they begin with what was set last
