"""The order of an epoch: everything once, and batches of similar length where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import Small, task
from torch import Tensor

from spoofbench import audio, weights
from spoofbench.errors import FailedTrials, InvalidAudio, InvalidRecipe
from spoofbench.training import fit, ordering, tasks
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.recipe import Recipe

RATE = 16_000


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=60),
    batch_size=st.integers(1, 9),
    buckets=st.integers(1, 12),
)
def test_each_utterance_comes_once_and_those_of_the_last_incomplete_batch_not_at_all(
    lengths: list[int], batch_size: int, buckets: int
):
    order = ordering.by_length(np.array(lengths), batch_size, buckets, random())
    left_out = len(lengths) % batch_size
    assert sorted(order) == sorted(ordering.plain(len(lengths), random())[: len(order)])
    assert len(order) == len(lengths) - left_out


def test_with_as_many_buckets_as_batches_a_batch_holds_neighbours():
    """Lengths 0 to 11 in batches of three: 0-2, 3-5, 6-8, 9-11, in some order."""
    lengths = random(3).permutation(12)
    order = ordering.by_length(lengths, 3, 4, random())
    batches = [sorted(batch) for batch in lengths[order].reshape(4, 3).tolist()]
    assert sorted(batches) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]


def test_the_order_of_batches_and_who_is_with_whom_are_drawn_anew():
    lengths = np.arange(40)
    drawn = [ordering.by_length(lengths, 4, 2, random(seed)) for seed in range(20)]
    assert len({tuple(order) for order in drawn}) == 20
    assert len({frozenset(order[:4].tolist()) for order in drawn}) > 10
    assert {int(order[0]) // 20 for order in drawn} == {0, 1}, "either half may come first"
    again = ordering.by_length(lengths, 4, 2, random(7))
    assert again.tolist() == drawn[7].tolist()


def test_padding_is_what_batches_hold_beyond_their_utterances():
    """4 + 4 of 3 + 4 and 8 + 8 of 8 + 2 samples: 7 of 24 are padding."""
    assert ordering.padding(np.array([3, 4, 8, 2]), 2) == pytest.approx(7 / 24)
    assert ordering.padding(np.array([2, 3, 4, 8]), 2) == pytest.approx((1 + 4) / 22)
    assert ordering.padding(np.array([5, 5, 5]), 1) == 0


def test_buckets_lessen_padding():
    lengths = random(1).integers(8_000, 100_000, 512)
    shares = [
        ordering.padding(lengths[ordering.by_length(lengths, 16, buckets, random())], 16)
        for buckets in (1, 2, 4, 8, 32)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.35  # of 16 the longest is about 94,600, their mean 54,000
    assert shares[-1] < 0.03


# headers


def test_a_header_tells_the_length_at_another_rate(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.zeros(4_801), 48_000)
    assert audio.length(tmp_path / "a.wav", 48_000) == 4_801
    assert audio.length(tmp_path / "a.wav", RATE) == len(audio.read(tmp_path / "a.wav", RATE))


def test_a_file_without_a_header_is_named(tmp_path: Path):
    (tmp_path / "a.wav").write_text("no")
    with pytest.raises(InvalidAudio, match=r"a\.wav: cannot be decoded"):
        audio.length(tmp_path / "a.wav", RATE)


@pytest.fixture
def uneven(tiny: Path, tmp_path: Path) -> Callable[..., tasks.Task]:
    """Trainings on whole utterances of the tiny corpus, whose lengths are made to differ."""
    for part in ("train", "dev"):
        (tmp_path / part).mkdir()
        for number, file in enumerate(sorted((tiny / part).glob("*.flac"))):
            samples, _ = soundfile.read(file)
            soundfile.write(tmp_path / part / file.name, samples[: 1_000 + 300 * number], RATE)

    def made(name: str, **changes: object) -> tasks.Task:
        whole = task(tiny, tmp_path / name, **({"samples": None} | changes))
        options = replace(whole.options, root=tmp_path, samples=None)
        return replace(
            whole,
            train=replace(whole.train, root=tmp_path),
            dev=replace(whole.dev, root=tmp_path),
            options=options,
        )

    return made


def train(chosen: tasks.Task, make: type[Small] = Small) -> dict[str, Tensor]:
    def ignore(epoch: Epoch, is_best: bool) -> None:
        pass

    file = fit.fit(make, chosen, progress=lambda done, total: None, report=ignore)
    return dict(weights.read_tensors(file))


def test_a_training_hears_batches_of_similar_length_and_says_what_that_spares(uneven):
    heard: list[list[int]] = []

    class Hearing(Small):
        def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
            heard.append(sorted(lengths.tolist()))
            return super().loss(audio, lengths, bonafide)

    said: list[str] = []
    chosen = replace(uneven("t", length_buckets=2, batch_size=5, epochs=2), note=said.append)
    train(chosen, Hearing)
    halves = [[1_000 + 300 * n for n in range(half, half + 5)] for half in (0, 5)]
    assert sorted(heard[:2]) == sorted(heard[2:]) == halves
    # 1,200 + 900 + 600 + 300 in either batch, of 5 x (2,200 + 3,700)
    assert "2 groups of similar length: 20.3 % of a batch is padding" in said[0]


def test_headers_are_read_once_and_kept(uneven, monkeypatch):
    asked: list[str] = []
    length = audio.length
    monkeypatch.setattr(
        audio, "length", lambda file, rate: asked.append(file) or length(file, rate)
    )
    chosen = uneven("t", length_buckets=2)
    lengths = [ordering.lengths_of(chosen.train, RATE, chosen.folder) for _ in range(2)]
    assert lengths[0].tolist() == lengths[1].tolist() == [1_000 + 300 * n for n in range(10)]
    assert len(asked) == 10
    fewer = replace(chosen.train, trials=chosen.train.trials[:4])
    assert len(ordering.lengths_of(fewer, RATE, chosen.folder)) == 4
    assert len(asked) == 14, "what was kept is of other utterances"


def test_a_header_that_cannot_be_read_is_named_before_anything_is_learned(uneven):
    chosen = uneven("t", length_buckets=2)
    (chosen.train.root / chosen.train.trials[3].audio).write_text("no")
    with pytest.raises(FailedTrials, match=f"1 recordings .*{chosen.train.trials[3].utterance}"):
        train(chosen)


class Killed(Exception):
    pass


def test_a_training_that_was_killed_ends_with_the_bits_of_one_that_was_not(uneven):
    recipe = {"length_buckets": 2, "batch_size": 3}
    whole = train(uneven("whole", **recipe))
    cut = replace(uneven("cut", **recipe), checkpoint_seconds=0)

    def stop(done: int, total: int) -> None:
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        fit.fit(Small, cut, progress=stop, report=lambda epoch, best: None)
    resumed = train(cut)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_crops_are_of_one_length_and_need_no_buckets(uneven):
    chosen = uneven("t")
    with pytest.raises(InvalidRecipe, match="length_buckets=2 is for whole utterances"):
        tasks.check(chosen.train, chosen.dev, Recipe(batch_size=4, samples=8, length_buckets=2))
