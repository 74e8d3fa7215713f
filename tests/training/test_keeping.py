"""Which checkpoints there are: a whole one at every moment, at the end those asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small import Small, task

from spoofbench import weights
from spoofbench.errors import InvalidRun, InvalidWeights
from spoofbench.training import checkpoints, fit, tasks
from spoofbench.training.checkpoints import Epoch

PLAIN = {"epochs": 4, "batch_size": 10}


def silent(done: int, total: int) -> None:
    pass


def ignore(epoch: Epoch, is_best: bool) -> None:
    pass


def train(chosen: tasks.Task) -> Path:
    return fit.fit(Small, chosen, progress=silent, report=ignore)


def kept(folder: Path) -> list[int]:
    return [checkpoints.position(f).epoch - 1 for f in sorted(folder.glob("epoch-*.safetensors"))]


@pytest.mark.parametrize(
    ("keep", "epochs"), [(1, []), (2, [3, 4]), (3, [2, 3, 4]), (9, [1, 2, 3, 4])]
)
def test_the_last_epochs_are_kept_under_names_that_sort(tiny, tmp_path, keep, epochs):
    chosen = replace(task(tiny, tmp_path / "t", **PLAIN), keep=keep)
    train(chosen)
    assert kept(chosen.folder) == epochs
    assert checkpoints.position(chosen.folder / tasks.LAST).epoch == 5


def test_what_is_kept_beside_the_last_changes_no_weight(tiny, tmp_path):
    plain = task(tiny, tmp_path / "plain", **PLAIN)
    files = [train(plain), train(replace(plain, folder=tmp_path / "kept", keep=2))]
    ours, theirs = (weights.read_tensors(file) for file in files)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_later_command_that_keeps_one_removes_nothing(tiny, tmp_path):
    chosen = replace(task(tiny, tmp_path / "t", **PLAIN), keep=2)

    def stop(epoch: Epoch, is_best: bool) -> None:
        if epoch.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit.fit(Small, chosen, progress=silent, report=stop)
    train(replace(chosen, keep=1))
    assert kept(chosen.folder) == [2, 3]


class Killed(BaseException):
    pass


@contextmanager
def killed_at(change: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let the ``change``-th change of a folder, from 0 on, be the last that is not done."""
    seen: list[str] = []

    def counting(name: str, do):
        def done(*args, **said):
            seen.append(name)
            if len(seen) > change:
                raise Killed
            return do(*args, **said)

        return done

    with monkeypatch.context() as patched:
        for name in ("replace", "unlink", "link"):
            patched.setattr(os, name, counting(name, getattr(os, name)))
        yield seen


def changes(chosen: tasks.Task, monkeypatch: pytest.MonkeyPatch) -> int:
    with killed_at(10**6, monkeypatch) as seen:
        train(chosen)
    return len(seen)


def test_whenever_it_is_killed_there_is_a_whole_checkpoint_to_go_on_from(
    tiny, tmp_path, monkeypatch
):
    """Killed at every single change of the folder, of which each epoch makes several."""
    chosen = replace(task(tiny, tmp_path / "whole", **PLAIN | {"epochs": 3}), keep=2)
    count = changes(chosen, monkeypatch)
    expected = weights.read_tensors(chosen.folder / tasks.LAST)
    assert count > 12
    for change in range(count):
        cut = replace(chosen, folder=tmp_path / f"cut-{change}")
        with killed_at(change, monkeypatch), pytest.raises(Killed):
            train(cut)
        last = cut.folder / tasks.LAST
        done = checkpoints.position(last).epoch - 1 if last.exists() else 0
        assert len(kept(cut.folder)) >= min(done, 2), "each is whole, or reading it would raise"
        train(cut)
        state = weights.read_tensors(cut.folder / tasks.LAST)
        assert all(torch.equal(state[name], expected[name]) for name in expected), change
        assert kept(cut.folder) == [2, 3]


def test_a_kept_checkpoint_can_be_started_from_and_says_where_it_comes_from(tiny, tmp_path):
    chosen = replace(task(tiny, tmp_path / "t", **PLAIN), keep=4)
    train(chosen)
    file = checkpoints.kept(chosen.folder, 2)
    origin = weights.origin_of(file)
    history = fit.history(chosen.folder)
    assert (origin.epoch, origin.dev_eer, origin.recipe) == (2, history[1].dev_eer, chosen.recipe)
    model = Small()
    fit.start_from(model, weights.Weights(file=file, source="file", sha256="", origin=origin))
    stored = weights.read_tensors(file)
    assert torch.equal(model.out.weight, stored["model.out.weight"])


def test_a_checkpoint_from_the_middle_of_an_epoch_is_refused_as_weights(tiny, tmp_path):
    chosen = replace(task(tiny, tmp_path / "t"), checkpoint_seconds=0)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit.fit(Small, chosen, progress=stop, report=ignore)
    with pytest.raises(InvalidWeights, match="middle of an epoch") as refused:
        weights.origin_of(chosen.folder / tasks.LAST)
    assert "best.safetensors" in refused.value.hint


@pytest.mark.parametrize(
    ("other", "said"),
    [({"weight_decay": 0.5}, "weight_decay was 0.0001, is 0.5"), ({}, "seed was 5, is 6")],
)
def test_a_checkpoint_of_another_recipe_or_seed_is_refused(tiny, tmp_path, other, said):
    train(task(tiny, tmp_path / "t", **PLAIN))
    another = task(tiny, tmp_path / "t", **PLAIN, **other)
    with pytest.raises(InvalidRun, match=said):
        train(another if other else replace(another, seed=6))
