"""How much decoded audio may be held: one bound and one count for a process and its workers."""

from __future__ import annotations

import multiprocessing
from typing import NamedTuple

_CAPACITY, _HELD, _HITS, _READS = range(4)


class Tally(NamedTuple):
    """What was held, in bytes, and how many of how many readings found what they wanted held."""

    held: int
    hits: int
    reads: int

    def since(self, before: Tally) -> Tally:
        """Return what is held now, and the readings since ``before``."""
        return Tally(self.held, self.hits - before.hits, self.reads - before.reads)

    @property
    def hit_share(self) -> float:
        """Share of the readings that found what they wanted; zero where nothing was read."""
        return self.hits / self.reads if self.reads else 0.0


class Budget:
    """A bound in bytes for each process that holds audio, and a count over all of them.

    It lies in memory that a process shares with the workers it starts: what one of them changes or
    counts, all see.
    """

    def __init__(self, capacity: int) -> None:
        self._numbers = multiprocessing.Array("q", [capacity, 0, 0, 0])

    @property
    def capacity(self) -> int:
        """Bytes that each process may hold; a cache heeds a change when it is next read."""
        return int(self._numbers[_CAPACITY])

    @capacity.setter
    def capacity(self, capacity: int) -> None:
        self._numbers[_CAPACITY] = capacity

    def count(self, *, hit: bool) -> None:
        """Count a reading."""
        with self._numbers.get_lock():
            self._numbers[_READS] += 1
            self._numbers[_HITS] += hit

    def hold(self, change: int) -> None:
        """Count bytes that a process holds more than before, or fewer."""
        with self._numbers.get_lock():
            self._numbers[_HELD] += change

    def tally(self) -> Tally:
        """Return the count of all processes so far."""
        with self._numbers.get_lock():
            return Tally(*self._numbers[_HELD:])
