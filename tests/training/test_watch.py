"""What is given up when memory is short, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from spoofbench.audio import AudioCache
from spoofbench.training.memory import Left
from spoofbench.training.watch import LEAST, Halve, Nothing, Shrink, Situation, Watch, decide

MB = 1 << 20


def situation(**changes: object) -> Situation:
    """A thousand megabytes are left, of which 300 are needed and 100 reserved."""
    usual = {"left": 1_000, "reserve": 100, "need": 300, "held": 400, "micro_batch": 8}
    megabytes = usual | changes
    for name in ("left", "reserve", "need", "held"):
        megabytes[name] *= MB
    return Situation(**megabytes)


def test_nothing_is_done_while_twice_the_reserve_stays_free():
    assert decide(situation()) == Nothing()
    assert decide(situation(left=500)) == Nothing()


def test_the_cache_gives_half_where_that_is_more_than_what_is_missing():
    assert decide(situation(left=499)) == Shrink(200 * MB)


def test_the_cache_gives_what_is_missing_where_that_is_more_than_half():
    assert decide(situation(left=230)) == Shrink((400 - 270) * MB)  # 230 - 300 is 270 below 200


def test_a_cache_that_would_be_small_is_given_up():
    assert decide(situation(left=120)) == Shrink(400 * MB - (500 - 120) * MB)
    assert decide(situation(left=110)) == Shrink(0)
    assert decide(situation(left=499, held=31)) == Shrink(0)
    assert decide(situation(left=499, held=32)) == Shrink(LEAST)


def test_while_workers_still_hold_more_than_they_may_nothing_is_asked_of_them_again():
    assert decide(situation(left=499, settled=False)) == Nothing()
    assert decide(situation(left=400, settled=False)) == Nothing()


def test_the_micro_batch_is_halved_when_less_than_the_reserve_would_stay():
    assert decide(situation(left=400, held=0)) == Nothing()
    assert decide(situation(left=399, held=0)) == Halve(4)
    assert decide(situation(left=399, settled=False)) == Halve(4)


@pytest.mark.parametrize(("before", "after"), [(24, 12), (7, 4), (3, 2), (2, 1)])
def test_half_of_an_odd_number_is_rounded_up(before, after):
    assert decide(situation(left=0, held=0, micro_batch=before)) == Halve(after)


def test_where_nothing_can_be_given_up_that_is_said():
    assert decide(situation(left=0, held=0, micro_batch=1)) == Nothing(short=True)


class Fake:
    """A memory of ``total`` bytes in which the caches lie, and beside them ``beside`` bytes."""

    def __init__(self, total: int, beside: int, *caches: AudioCache) -> None:
        self.total = total
        self.beside = beside
        self.caches = caches
        self.most = 0

    def used(self) -> int:
        return self.beside + sum(cache.budget.tally().held for cache in self.caches)

    def peak(self) -> int:
        return self.most

    def forget_peak(self) -> bool:
        return False

    def left(self) -> Left:
        return Left(self.total - self.used(), self.total, self.total // 20, "in a test")


def cache(held: int, capacity: int = 1_000 * MB) -> AudioCache:
    made = AudioCache(Path(), 16_000, capacity)
    made.budget.hold(held)
    return made


def test_the_caches_of_workers_shrink_in_proportion_and_each_bears_its_share():
    """Of 1,000 MB 950 are taken. More is asked of workers only when they have shrunk."""
    train, dev = cache(600 * MB), cache(100 * MB)
    said: list[str] = []
    memory = Fake(1_000 * MB, 250 * MB, train, dev)
    watch = Watch(memory, (train, dev), workers=2, per_sample=0, note=said.append)
    for _ in range(3):
        watch.make_room((train,))
    assert train.budget.capacity == 600 * MB // 2 // 2
    assert dev.budget.capacity == 1_000 * MB // 2
    assert [line.partition("shrinks ")[2] for line in said] == ["from 629 MB to 315 MB"]


def test_what_a_step_takes_is_learned_from_a_new_peak():
    memory = Fake(1_000, 100)
    watch = Watch(memory, (), workers=0, per_sample=50, note=print)
    watch.make_room((), samples=5, count=2)
    memory.most = 400
    watch.learn()
    assert watch.per_sample == (400 - 100) / 10


def test_a_step_without_a_new_peak_took_no_more_than_would_have_reached_the_old_one():
    memory = Fake(1_000, 100)
    memory.most = 400
    watch = Watch(memory, (), workers=0, per_sample=50, note=print)
    watch.make_room((), samples=5, count=2)
    watch.learn()
    assert watch.per_sample == 30
    memory.beside = 50
    watch.make_room((), samples=5, count=2)
    watch.learn()
    assert watch.per_sample == 30, "it may have taken 35, but 30 is known"


def test_as_much_is_computed_at_once_as_leaves_the_reserve():
    """Of 1,000 bytes 50 are reserved, and a micro-batch of n utterances takes 200 n."""
    memory, said = Fake(1_000, 100), []
    watch = Watch(memory, (), workers=0, per_sample=20, note=said.append)
    assert watch.make_room((), samples=10, count=8).count == 4  # 900 are left, and 800 taken
    memory.beside = 151  # 849 - 800 is less than 50
    room = watch.make_room((), samples=10, count=4)
    assert room.count == 2
    assert "are left, and a step takes 0 MB" in room.why
    assert watch.fits(37)  # 849 - 740 is more than twice the reserve
    assert not watch.fits(38)


def test_that_nothing_can_be_given_up_is_said_once():
    said: list[str] = []
    watch = Watch(Fake(1_000, 990), (), workers=0, per_sample=1, note=said.append)
    for _ in range(3):
        assert watch.make_room((), samples=10).count == 1
    assert len(said) == 1
    assert "nothing to give up" in said[0]
