"""A training that is killed by SIGKILL goes on, and ends with the bits of one that was not.

With each thing that a recipe or an option adds to what a checkpoint must hold.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small import Small, task
from torch import Tensor, nn

from spoofbench import weights
from spoofbench.errors import Stopped
from spoofbench.plugins import catalogue
from spoofbench.robustness.ranges import parse_ranges
from spoofbench.training import checkpoints, fit, loop, tasks
from spoofbench.training.augmenting import Augmenter
from spoofbench.training.checkpoints import Epoch

RECIPES: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "averaged": {"average_from": 0.3},
    "patient": {"patience": 2},
    "augmented": {"augment": ["white@10", "white@15..20"], "augment_share": 0.5},
    "frozen": {"rates": {"out.weight": 0.5}, "frozen_epochs": 2},
    "focal": {"focal_gamma": 2.0},
    "clipped": {"clip_norm": 0.1},
    "whole": {"samples": None},
}
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "micro-batch": {"micro_batch": 2},
    "kept": {"keep": 2},
    "compiled": {"compiler": "aot_eager"},
}


def asked(tiny: Path, folder: Path, name: str) -> tasks.Task:
    """Return four epochs of two steps, a checkpoint after each."""
    recipe = {"epochs": 4, **RECIPES.get(name, {})}
    plain = replace(task(tiny, folder, **recipe), checkpoint_seconds=0, **OPTIONS.get(name, {}))
    if plain.recipe.augment:
        augmenter = Augmenter(
            conditions=[parse_ranges(text, catalogue()) for text in plain.recipe.augment],
            share=plain.recipe.augment_share,
            seed=plain.seed,
            rate=plain.options.rate,
        )
        plain = replace(plain, augmenter=augmenter)
    if name == "bf16":
        plain = replace(plain, options=replace(plain.options, precision="bf16"))
    return plain


def train(
    chosen: tasks.Task, progress: Callable[[int, int], None], make: type[nn.Module] = Small
) -> None:
    def ignore(epoch: Epoch, is_best: bool) -> None:
        pass

    fit.fit(make, chosen, progress=progress, report=ignore)


def train_and_die(tiny: Path, folder: Path, name: str, step: int) -> None:
    """Train, and be killed once ``step`` is done, before it is kept. For a process of its own."""

    def die(done: int, total: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    train(asked(tiny, folder, name), die)


@pytest.fixture(scope="module")
def server() -> Any:
    """Processes that begin with everything imported: one costs a tenth of a second."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["spoofbench.training.fit", "lightning_fabric"])
    return context


def state(file: Path) -> Mapping[str, Tensor]:
    return weights.read_tensors(file)


@pytest.mark.parametrize("name", [*RECIPES, *OPTIONS, "bf16"])
def test_the_bits_are_those_of_a_training_that_was_not_killed(server, tiny, tmp_path, name):
    whole, cut = (asked(tiny, tmp_path / folder, name) for folder in ("whole", "cut"))
    train(whole, lambda done, total: None)
    process = server.Process(target=train_and_die, args=(tiny, cut.folder, name, 6))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert steps_to_the_end(cut)[0] == 6, "more than one interval was lost"
    assert_equal(whole, cut)
    assert sorted(p.name for p in whole.folder.iterdir()) == sorted(
        p.name for p in cut.folder.iterdir()
    )


def steps_to_the_end(chosen: tasks.Task) -> list[int]:
    steps: list[int] = []
    train(chosen, lambda done, total: steps.append(done))
    return steps


def assert_equal(whole: tasks.Task, cut: tasks.Task) -> None:
    for file in (tasks.LAST, tasks.BEST):
        ours, theirs = state(whole.folder / file), state(cut.folder / file)
        assert ours.keys() == theirs.keys()
        assert [n for n in ours if not torch.equal(ours[n], theirs[n])] == []


# while dev is scored


SECOND = 4
"""Steps that are done when the second epoch is, in tasks that keep no step by themselves."""


def at_dev(number: int, done: list[int]) -> type[nn.Module]:
    """Return a model whose process is sent a signal when it first scores dev after `SECOND`."""

    class Signalled(Small):
        def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
            if done[-1] == SECOND:
                os.kill(os.getpid(), number)
                done.append(0)  # once
            return super().score(audio, lengths)

    return Signalled


def rarely(tiny: Path, folder: Path, name: str = "averaged") -> tasks.Task:
    """Return what `asked` does, with checkpoints after epochs only, and five batches of dev."""
    chosen = replace(asked(tiny, folder, name), checkpoint_seconds=600)
    return replace(chosen, options=replace(chosen.options, batch_size=2))


def train_and_die_at_dev(tiny: Path, folder: Path) -> None:
    """Train an epoch in no time, another slowly, and be killed at the first batch of its dev."""
    done: list[int] = []

    def slow(step: int, total: int) -> None:
        done.append(step)
        if step > SECOND - 2:
            time.sleep(loop.WORTH_KEEPING)

    train(rarely(tiny, folder), slow, at_dev(signal.SIGKILL, done))


def test_what_is_killed_while_dev_is_scored_loses_no_step(server, tiny, tmp_path):
    whole, cut = (rarely(tiny, tmp_path / folder) for folder in ("whole", "cut"))
    train(whole, lambda done, total: None)
    process = server.Process(target=train_and_die_at_dev, args=(tiny, cut.folder))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert checkpoints.position(cut.folder / tasks.LAST).step == 2
    assert steps_to_the_end(cut) == [5, 6, 7, 8]
    assert_equal(whole, cut)


def test_a_signal_ends_the_scoring_of_dev_and_loses_no_step(tiny, tmp_path):
    whole, cut = (rarely(tiny, tmp_path / folder) for folder in ("whole", "cut"))
    train(whole, lambda done, total: None)
    done: list[int] = []
    with pytest.raises(Stopped, match="SIGTERM"):
        train(cut, lambda step, total: done.append(step), at_dev(signal.SIGTERM, done))
    assert done == [1, 2, 3, 4, 0]
    reached = checkpoints.position(cut.folder / tasks.LAST)
    assert (reached.epoch, reached.step, len(reached.history)) == (2, 2, 1)
    assert steps_to_the_end(cut) == [5, 6, 7, 8]
    assert_equal(whole, cut)


def test_a_signal_ends_the_scoring_of_the_average_of_epochs(tiny, tmp_path):
    """All epochs are done, and kept: what is left is to judge their average."""
    whole, cut = (rarely(tiny, tmp_path / folder) for folder in ("whole", "cut"))
    train(whole, lambda done, total: None)
    said: list[str] = []
    chosen = replace(cut, note=said.append)

    def tell(epoch: Epoch, is_best: bool) -> None:
        if epoch.epoch == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped, match="SIGTERM"):
        fit.fit(Small, chosen, progress=lambda done, total: None, report=tell)
    assert not said
    assert steps_to_the_end(cut) == []
    assert_equal(whole, cut)


@pytest.mark.parametrize(("checkpoint_seconds", "saves"), [(600, 1), (0, 3)])
def test_no_checkpoint_is_written_for_nothing(
    tiny, tmp_path, monkeypatch, checkpoint_seconds, saves
):
    """One epoch of two steps that take no time: none before dev, or none after the last step's."""
    written: list[Path] = []
    save = checkpoints.save

    def counting(file: Path, *rest: Any, **more: Any) -> None:
        written.append(file)
        save(file, *rest, **more)

    monkeypatch.setattr(checkpoints, "save", counting)
    monkeypatch.setattr(loop, "WORTH_KEEPING", 60.0 if checkpoint_seconds else 0.0)
    chosen = replace(task(tiny, tmp_path / "t", epochs=1), checkpoint_seconds=checkpoint_seconds)
    train(chosen, lambda done, total: None)
    assert len(written) == saves
