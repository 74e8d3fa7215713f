"""A training whose memory is watched: what it gives up, what it says, and what stays the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small import Small, task
from torch import Tensor, nn
from torch.nn import functional

from spoofbench import weights
from spoofbench.allocator import give_back
from spoofbench.plugins import catalogue
from spoofbench.robustness.pool import POOL_BYTES, SpeechPool
from spoofbench.robustness.ranges import parse_ranges
from spoofbench.training import fit, sparing, tasks
from spoofbench.training.augmenting import Augmenter
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.memory import HostGauge, Left, growth

PLENTY = 1 << 40
TOTAL = 1_000
SCARCE = [0] * 6
"""A look before the step, one after freed memory went back; then the cache, and two halvings."""


class Told:
    """A memory that leaves the given bytes at each look, and then plenty. A step takes nothing."""

    def __init__(self, *lefts: int) -> None:
        self.lefts = list(lefts)

    def used(self) -> int:
        return 0

    def peak(self) -> int:
        return 0

    def forget_peak(self) -> bool:
        return False

    def left(self) -> Left:
        return Left(self.lefts.pop(0) if self.lefts else PLENTY, TOTAL, TOTAL // 20, "in a test")


class Plain(nn.Module):
    """Neither dropout nor batch norm: what it learns hangs on the batch alone."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(2, 1)
        self.seen: list[int] = []

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        features = torch.stack([audio.std(dim=1), audio.diff(dim=1).std(dim=1)], dim=1)
        return self.out(features.clamp(min=1e-6).log()).squeeze(1)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(
            self.score(audio, lengths), bonafide.float(), reduction="none"
        )


def train(chosen: tasks.Task, make: type[nn.Module] = Plain) -> dict[str, Tensor]:
    def ignore(epoch: Epoch, is_best: bool) -> None:
        pass

    file = fit.fit(make, chosen, progress=lambda done, total: None, report=ignore)
    return dict(weights.read_tensors(file))


def watched(
    tiny: Path, folder: Path, *lefts: int, **changes: object
) -> tuple[tasks.Task, list[str]]:
    said: list[str] = []
    chosen = task(tiny, folder, **changes)
    return replace(chosen, gauge=Told(*lefts), note=said.append), said


def test_the_cache_is_given_up_first_and_then_the_micro_batch(tiny, tmp_path):
    chosen, said = watched(tiny, tmp_path / "t", *SCARCE)
    train(chosen)
    assert len(said) == 3
    assert "the cache of decoded audio shrinks from 0 MB to 0 MB" in said[0]
    assert "nothing to give up" in said[1]
    assert said[2].startswith("memory is short (0 MB of 0 MB in a test are left)")
    assert "going on with 1 utterances at a time, batches of 4 as before" in said[2]
    assert "batch norm" not in said[2]
    assert [epoch.micro_batch for epoch in fit.history(chosen.folder)] == [1, 1, 1]
    assert [epoch.cache_mb for epoch in fit.history(chosen.folder)] == [0, 0, 0]


def test_what_is_learned_stays_the_same(tiny, tmp_path):
    spared = train(watched(tiny, tmp_path / "spared", *SCARCE)[0])
    whole = train(task(tiny, tmp_path / "whole"))
    assert all(torch.allclose(spared[name], whole[name], atol=1e-6) for name in whole)


def test_a_batch_norm_is_said_to_see_less(tiny, tmp_path):
    chosen, said = watched(tiny, tmp_path / "t", *SCARCE[:4])
    train(chosen, Small)
    assert said[-1].endswith(
        "going on with 2 utterances at a time, batches of 4 as before; "
        "batch norm now sees 2, which changes its statistics"
    )


def test_a_training_that_goes_on_keeps_to_the_micro_batch_that_was_halved(tiny, tmp_path):
    """Memory is short in the beginning only; batch norm sees what is computed at once."""
    whole, _ = watched(tiny, tmp_path / "whole", *SCARCE[:4])
    expected = train(whole, Small)
    cut, _ = watched(tiny, tmp_path / "cut", *SCARCE[:4])

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit.fit(Small, cut, progress=stop, report=lambda epoch, is_best: None)
    again, _ = watched(tiny, tmp_path / "cut")
    got = train(again, Small)
    assert [epoch.micro_batch for epoch in fit.history(again.folder)] == [2, 2, 2]
    assert all(torch.equal(got[name], expected[name]) for name in expected)


def test_measuring_what_a_step_takes_changes_no_bit(tiny, tmp_path):
    """Little is left at the first look, so two utterances are tried; then there is plenty."""
    measured: list[int] = []

    class Counting(Small):
        def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
            measured.append(len(audio))
            return super().loss(audio, lengths, bonafide)

    tried = train(watched(tiny, tmp_path / "tried", 0)[0], Counting)
    assert measured[:3] == [2, 2, 4]
    plain = train(task(tiny, tmp_path / "plain"), Small)
    assert all(torch.equal(tried[name], plain[name]) for name in plain)


def test_dev_is_scored_with_less_cached_and_nothing_else(tiny, tmp_path, monkeypatch):
    chosen, said = watched(tiny, tmp_path / "t")

    def scarce(self: sparing.Sparing) -> None:
        self.task.gauge.lefts[:] = [0, 0]
        self.host.make_room(self._active((self.dev_cache,)))

    monkeypatch.setattr(sparing.Sparing, "before_scoring", scarce)
    train(chosen)
    assert any("the cache of decoded audio shrinks" in line for line in said)
    assert [epoch.micro_batch for epoch in fit.history(chosen.folder)] == [4, 4, 4]


@pytest.mark.parametrize("workers", [0, 1])
def test_the_speech_of_others_is_given_up_as_the_rest_of_the_cache_is(tiny, tmp_path, workers):
    """The first step has read some; memory is short before the second."""

    chosen, said = watched(tiny, tmp_path / "t", augment=["overlap@10"])
    options = replace(chosen.options, workers=workers)
    pool = SpeechPool.of(chosen.train.trials, options.cache(POOL_BYTES), seed=5)
    augmenter = Augmenter(
        conditions=[parse_ranges("overlap@10", catalogue())],
        share=1.0,
        seed=5,
        rate=options.rate,
        pool=pool,
    )

    class UntilItIsGone(Told):
        def left(self) -> Left:
            bytes_left = 0 if pool.cache.budget.tally().held else PLENTY
            return Left(bytes_left, TOTAL, TOTAL // 20, "in a test")

    chosen = replace(chosen, options=options, augmenter=augmenter, gauge=UntilItIsGone())
    train(chosen)
    assert "the cache of decoded audio shrinks" in said[0]
    assert pool.cache.budget.capacity == 0
    assert pool.cache.budget.tally().held == 0


@pytest.mark.parametrize("workers", [0, 2])
def test_each_epoch_says_what_was_held_and_how_often_it_was_found(tiny, tmp_path, workers):
    chosen = task(tiny, tmp_path / "t")
    chosen = replace(chosen, options=replace(chosen.options, workers=workers))
    train(chosen)
    first, *_ = history = fit.history(chosen.folder)
    each = 4 * 4_800 / 1e6
    assert first.cache_hits == 0
    assert first.cache_mb == round(8 * each, 1)
    if workers:  # which of them reads what is nobody's business
        return
    held: set[int] = set()
    for epoch in history:
        drawn = set(np.random.default_rng([5, epoch.epoch]).permutation(10)[:8].tolist())
        assert epoch.cache_hits == len(drawn & held) / 8
        held |= drawn
        assert epoch.cache_mb == round(len(held) * each, 1)


# for real


class Hungry(Plain):
    """Keeps some twenty megabytes of each utterance of 4,000 samples."""

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        wide = audio[:, None, :] * torch.linspace(0.1, 1, 256)[:, None] * self.out.weight.mean()
        for _ in range(4):
            wide = wide.relu()
        return super().score(audio, lengths) + wide.mean(dim=(1, 2))


class Limited(HostGauge):
    """This process may take 120 MB more than it does now."""

    def __init__(self, more: int) -> None:
        super().__init__()
        give_back()
        self.limit = self.used() + more

    def left(self) -> Left:
        return Left(self.limit - self.used(), self.limit, self.limit // 20, "in a test")


def test_a_training_that_would_take_too_much_stays_within_what_there_is(tiny, tmp_path):
    """The first step is foreseen: nothing fails before less is computed at once."""
    recipe = {"batch_size": 10, "samples": 4_000, "epochs": 1}
    more = 120_000_000
    with growth(HostGauge()) as heedless:
        whole = train(task(tiny, tmp_path / "heedless", **recipe), Hungry)
    assert heedless.bytes > 1.3 * more
    said: list[str] = []
    chosen = task(tiny, tmp_path / "t", **recipe)
    chosen = replace(chosen, options=replace(chosen.options, batch_size=1))  # dev is not meant
    chosen = replace(chosen, gauge=Limited(more), note=said.append)
    with growth(HostGauge()) as taken:
        spared = train(chosen, Hungry)
    assert taken.bytes < more
    assert any("utterances at a time, batches of 10 as before" in line for line in said)
    assert all(torch.allclose(spared[name], whole[name], atol=1e-5) for name in whole)
