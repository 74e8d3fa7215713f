"""What happens to long trainings: a recording goes bad, a disk fills up. What was learned stays."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from program import run_python
from small import Small, task
from torch import Tensor

from spoofbench import weights
from spoofbench.errors import FailedTrials
from spoofbench.training import checkpoints, fit, tasks
from spoofbench.training.checkpoints import Epoch


def ignore(epoch: Epoch, is_best: bool) -> None:
    pass


def state(file: Path) -> dict[str, Tensor]:
    return dict(weights.read_tensors(file))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_recording_that_goes_bad_in_an_epoch_is_named_and_the_checkpoint_kept(
    tiny, tmp_path, workers
):
    """It is that of the last step. Mended, the training ends as if nothing had happened."""
    corpus = tmp_path / "corpus"
    shutil.copytree(tiny, corpus)
    chosen = replace(task(corpus, tmp_path / "t"), checkpoint_seconds=0)
    chosen = replace(chosen, options=replace(chosen.options, workers=workers))
    order = np.random.default_rng([chosen.seed, 1]).permutation(10)
    bad = corpus / chosen.train.trials[order[6]].audio  # of the second step of two
    whole = bad.read_bytes()
    bad.write_bytes(b"no audio")
    with pytest.raises(FailedTrials) as error:
        fit.fit(Small, chosen, progress=lambda done, total: None, report=ignore)
    assert str(error.value).startswith(f"{bad}: cannot be decoded")
    assert "mend the recordings" in error.value.hint
    assert checkpoints.position(chosen.folder / tasks.LAST).step == 1
    bad.write_bytes(whole)
    mended = fit.fit(Small, chosen, progress=lambda done, total: None, report=ignore)
    never = fit.fit(
        Small, task(corpus, tmp_path / "u"), progress=lambda done, total: None, report=ignore
    )
    assert all(torch.equal(tensor, state(never)[name]) for name, tensor in state(mended).items())


FULL = """
import resource, sys
from spoofbench.cli import main
from spoofbench.training import checkpoints

save = checkpoints.save

def last_but_full(file, parts, optimiser, position, *rest, **more):
    if position.epoch == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
    save(file, parts, optimiser, position, *rest, **more)

checkpoints.save = last_but_full
main()
"""


def test_a_disk_that_fills_up_leaves_the_checkpoint_before(
    tiny, example, tmp_path, monkeypatch, spoofbench_cli
):
    monkeypatch.syspath_prepend(example)
    command = (
        *("train", "lfcc-linear", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--workers", "0", "--set", "epochs=3"),
    )
    done = run_python("-c", FULL, *command, env={"PYTHONPATH": str(example)}, cwd=tmp_path)
    assert done.code == 2, done.err
    assert "File too large" in done.err  # as a limit says it; a full disk: No space left
    assert "hint:  free some space or choose another folder, with --out" in done.err
    assert "Traceback" not in done.err
    (last,) = (tmp_path / "runs").rglob(tasks.LAST)
    assert checkpoints.position(last).epoch == 2, "the first epoch is done, as was saved before"
    assert not [file.name for file in last.parent.glob(f".{tasks.LAST}*")], "nothing half written"
    again = spoofbench_cli(*command)
    assert again.code == 0, again.err
    assert "epoch   1" not in again.err


def test_a_store_that_fills_up_ends_a_training_with_a_way_out(
    tiny, example, tmp_path, monkeypatch, spoofbench_cli
):
    """The folder's place is taken by a file: nothing can be written there either."""
    (tmp_path / "store").write_text("")
    monkeypatch.syspath_prepend(example)
    done = spoofbench_cli(
        *("train", "lfcc-linear", "--train", tiny / "tiny-train.toml"),
        *("--data", tiny, "--workers", "1", "--cache-dir", tmp_path / "store"),
    )
    assert done.code == 2, done.err
    assert f"error: {tmp_path / 'store'}: " in done.err
    assert "--cache-dir" in done.err
    assert "Traceback" not in done.err
