"""Watching memory: what is given up, and in which order, before the system ends the process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spoofbench.allocator import give_back
from spoofbench.audio import AudioCache
from spoofbench.training.memory import Gauge, Left, growth

LEAST = 1 << 24
"""A cache that would hold less is given up: it saves nothing worth having."""

MARGIN = 1.25
"""By how much a few samples are taken to say too little of many: allocators leave gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known before a step, in bytes.

    ``need`` is what the step takes beyond what is taken now, ``held`` what caches hold;
    ``settled`` says that they hold no more than they may. ``micro_batch`` is how many utterances
    are computed at once.
    """

    left: int
    reserve: int
    need: int
    held: int
    micro_batch: int
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Shrink:
    """Let caches hold ``to`` bytes at most."""

    to: int


@dataclass(frozen=True, slots=True)
class Halve:
    """Compute ``to`` utterances at once."""

    to: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """Go on; ``short`` where memory is short and nothing is left to give up."""

    short: bool = False


def decide(now: Situation) -> Shrink | Halve | Nothing:
    """Return what to do so that a step leaves the reserve alone.

    The cache shrinks first, and early, when less than twice the reserve would be left: by what is
    missing, and by half at least, so that it does not happen at every step. Workers shrink theirs
    when they next read, so there is time for that. When less than the reserve would be left, the
    micro-batch is halved.
    """
    room = now.left - now.need
    if room >= 2 * now.reserve:
        return Nothing()
    if now.held and now.settled:
        to = min(now.held // 2, now.held - (2 * now.reserve - room))
        return Shrink(to if to >= LEAST else 0)
    if room >= now.reserve:
        return Nothing()
    if now.micro_batch > 1:
        return Halve(-(-now.micro_batch // 2))
    return Nothing(short=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many utterances to compute at once, and why fewer than were asked for."""

    count: int
    why: str


class Watch:
    """Watches one memory for a training, and makes room in it.

    ``caches`` are those in that memory, each copied into ``workers`` processes. ``per_sample`` is
    what a sample of a micro-batch is thought to take at most, until a step has shown it. ``note``
    is told what is done, and why.
    """

    def __init__(
        self,
        gauge: Gauge,
        caches: Sequence[AudioCache],
        *,
        workers: int,
        per_sample: float,
        note: Callable[[str], None],
    ) -> None:
        self.gauge = gauge
        self.caches = caches
        self.per_sample = per_sample
        self._workers = max(workers, 1)
        self._is_own = not workers
        self._note = note
        self._has_said = False
        self._used = self._samples = 0
        self._peak = gauge.peak()

    def measure(self, step: Callable[[], int]) -> None:
        """Let ``step`` compute some samples, and take note of what each of them took.

        ``step`` returns how many. It is done twice, so that what is set up once is there.
        """
        for _ in range(2):
            give_back()  # else the second would take what the first has freed
            with growth(self.gauge) as grown:
                samples = step()
        self.per_sample = MARGIN * grown.bytes / samples
        self._peak = self.gauge.peak()

    def fits(self, samples: int) -> bool:
        """Say whether ``samples`` can be computed at once, and leave memory aplenty."""
        left = self.gauge.left()
        return left.bytes - self.per_sample * samples >= 2 * left.reserve

    def make_room(self, active: Sequence[AudioCache], *, samples: int = 0, count: int = 1) -> Room:
        """Make room for a step that computes ``count`` utterances of ``samples`` at once.

        What was freed goes back to the system before anything is given up. Caches that are
        ``active`` now shrink soon, the others when they are next read.
        """
        why, has_given_back = "", False
        while True:
            left = self.gauge.left()
            need = round(self.per_sample * samples * count)
            held = [cache.budget.tally().held for cache in active]
            bounds = [cache.budget.capacity * self._workers for cache in active]
            decision = decide(
                Situation(
                    left=left.bytes,
                    reserve=left.reserve,
                    need=need,
                    held=sum(held),
                    micro_batch=count,
                    settled=all(own <= bound for own, bound in zip(held, bounds, strict=True)),
                )
            )
            if isinstance(decision, Nothing) and not decision.short:
                break
            if not has_given_back:
                has_given_back = True
                give_back()
                continue
            if isinstance(decision, Nothing):
                break
            why = why or _short(left, need)
            if isinstance(decision, Halve):
                count = decision.to
            else:
                self._shrink(active, decision.to, sum(held), why)
        if decision.short and not self._has_said:
            self._has_said = True
            self._note(f"{_short(left, need)}, and there is nothing to give up")
        self._used, self._samples = self.gauge.used(), samples * count
        return Room(count=count, why=why)

    def learn(self) -> None:
        """Take note of what a step took, now that it is done.

        That is known where it reached a new peak; where it did not, it took no more than would have
        reached the old one.
        """
        peak = self.gauge.peak()
        most = max(peak - self._used, 0) / max(self._samples, 1)
        self.per_sample = most if peak > self._peak else min(self.per_sample, most)
        self._peak = peak

    def _shrink(self, active: Sequence[AudioCache], to: int, held: int, why: str) -> None:
        self._note(f"{why}: the cache of decoded audio shrinks from {_size(held)} to {_size(to)}")
        for cache in self.caches:
            own = cache.budget.tally().held // self._workers
            bound = own if cache in active else cache.budget.capacity
            cache.budget.capacity = bound * to // held
            if self._is_own:
                cache.heed()


def _short(left: Left, need: int) -> str:
    step = f", and a step takes {_size(need)}" if need else ""
    return (
        f"memory is short ({_size(left.bytes)} of {_size(left.total)} {left.where} are left{step})"
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count, 0) / 1e6:.0f} MB"
