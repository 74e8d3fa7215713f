"""A training that is killed by SIGKILL goes on, and ends with the bits of one that was not.

With each thing that a recipe or an option adds to what a checkpoint must hold.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small import Small, task
from torch import Tensor

from spoofbench import weights
from spoofbench.plugins import catalogue
from spoofbench.robustness.ranges import parse_ranges
from spoofbench.training import fit, tasks
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


def train(chosen: tasks.Task, progress: Callable[[int, int], None]) -> None:
    def ignore(epoch: Epoch, is_best: bool) -> None:
        pass

    fit.fit(Small, chosen, progress=progress, report=ignore)


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
    steps: list[int] = []
    train(cut, lambda done, total: steps.append(done))
    assert steps[0] == 6, "more than one interval was lost"
    for file in (tasks.LAST, tasks.BEST):
        ours, theirs = state(whole.folder / file), state(cut.folder / file)
        assert ours.keys() == theirs.keys()
        assert [n for n in ours if not torch.equal(ours[n], theirs[n])] == []
    assert sorted(p.name for p in whole.folder.iterdir()) == sorted(
        p.name for p in cut.folder.iterdir()
    )
