"""One batch in several parts: micro-batches, several processes, short memory; and being stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import strangers
import torch
from in_two import Short
from program import Outcome, run_program, run_python
from small import Small, task
from torch import Tensor, nn
from torch.nn import functional

from spoofbench import weights
from spoofbench.errors import InvalidRun, Stopped
from spoofbench.training import fit, stopping, tasks
from spoofbench.training.checkpoints import Epoch

PLUGIN = """
import torch
from torch import nn
from torch.nn import functional
from spoofbench import ModelSpec, hookimpl

@hookimpl
def spoofbench_models():
    return [
        ModelSpec(name="calm", target="calm_plugin:Calm", summary="Draws nothing.", samples=2_000)
    ]

class Calm(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(2, 1)

    def score(self, audio, lengths):
        features = torch.stack([audio.std(dim=1), audio.diff(dim=1).std(dim=1)], dim=1)
        return self.out(features.clamp(min=1e-6).log()).squeeze(1)

    def loss(self, audio, lengths, bonafide):
        return functional.binary_cross_entropy_with_logits(
            self.score(audio, lengths), bonafide.float(), reduction="none"
        )
"""


class Plain(nn.Module):
    """Neither dropout nor batch norm: what it learns hangs on the batch alone."""

    largest = 10_000

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(2, 1)
        self.seen: list[int] = []

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        features = torch.stack([audio.std(dim=1), audio.diff(dim=1).std(dim=1)], dim=1)
        return self.out(features.clamp(min=1e-6).log()).squeeze(1)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        if len(audio) > self.largest:
            raise torch.OutOfMemoryError("no")
        return functional.binary_cross_entropy_with_logits(
            self.score(audio, lengths), bonafide.float(), reduction="none"
        )


def quiet(done: int, total: int) -> None:
    pass


def ignore(epoch: Epoch, is_best: bool) -> None:
    pass


def trained(chosen: tasks.Task, make: type[nn.Module] = Plain) -> dict[str, Tensor]:
    return dict(weights.read_tensors(fit.fit(make, chosen, progress=quiet, report=ignore)))


def close(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


@pytest.mark.parametrize("size", [1, 3, 4])
def test_micro_batches_learn_what_the_whole_batch_does(tiny, tmp_path, size):
    uneven = {"bonafide_weight": 0.9, "spoof_weight": 0.1}
    whole = trained(task(tiny, tmp_path / "whole", **uneven))
    parts = trained(replace(task(tiny, tmp_path / "parts", **uneven), micro_batch=size))
    assert close(whole, parts)
    losses = [[e.loss for e in fit.history(tmp_path / name)] for name in ("whole", "parts")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_where_memory_is_short_less_is_computed_at_a_time(tiny, tmp_path):
    class Greedy(Plain):
        largest = 1

    said: list[str] = []
    spared = trained(replace(task(tiny, tmp_path / "spared"), note=said.append), Greedy)
    assert close(spared, trained(task(tiny, tmp_path / "whole")))
    assert [note.split(" with ")[1] for note in said] == [
        "2 utterances at a time, batches of 4 as before",
        "1 utterances at a time, batches of 4 as before",
    ]


def test_where_one_utterance_is_too_much_the_way_out_is_said(tiny, tmp_path):
    class Hopeless(Plain):
        largest = 0

    with pytest.raises(InvalidRun, match="one utterance") as error:
        trained(task(tiny, tmp_path / "t"), Hopeless)
    assert "samples" in error.value.hint


class Unscored(Plain):
    """Has room for learning, and none for being scored."""

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        if not self.training:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().score(audio, lengths)


def test_memory_that_does_not_suffice_for_scoring_is_said_with_a_way_out(tiny, tmp_path):
    with pytest.raises(InvalidRun, match=r"CUDA out of memory\.") as error:
        trained(task(tiny, tmp_path / "t"), Unscored)
    assert "--batch-size" in error.value.hint


def test_memory_that_does_not_suffice_for_the_optimiser_is_said(tiny, tmp_path, monkeypatch):
    def fail(self: torch.optim.Adam) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(torch.optim.Adam, "step", fail)
    with pytest.raises(InvalidRun, match=r"CUDA out of memory\.") as error:
        trained(task(tiny, tmp_path / "t"))
    assert "samples" in error.value.hint


def test_what_is_drawn_in_a_step_hangs_on_the_step_alone(tiny, tmp_path):
    """Whatever else draws from the generator, as scoring dev might, dropout is the same."""

    def disturbing(done: int, total: int) -> None:
        torch.rand(7)

    calm = fit.fit(Small, task(tiny, tmp_path / "a"), progress=quiet, report=ignore)
    disturbed = fit.fit(Small, task(tiny, tmp_path / "b"), progress=disturbing, report=ignore)
    assert close(dict(weights.read_tensors(calm)), dict(weights.read_tensors(disturbed)))


def test_each_epoch_says_how_fast_it_was_and_how_long_it_waited(tiny, tmp_path):
    trained(task(tiny, tmp_path / "t"))
    for epoch in fit.history(tmp_path / "t"):
        took = 8 / epoch.utterances_per_second  # both are rounded to a thousandth
        assert took == pytest.approx(epoch.seconds, abs=1e-3)
        assert 0 < epoch.waiting < 1
        assert epoch.peak_mb > 50


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    strangers.write(folder, "calm", PLUGIN)
    return folder


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tiny: Path, site: Path, tmp_path: Path) -> None:
    """Two gloo processes share batches of four: loss curve and weights are those of one."""
    command = (
        *("train", "calm", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--set", "epochs=3", "--set", "learning_rate=0.05", "--set", "batch_size=4"),
        *("--workers", "0"),
    )
    environment = {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    one = run_program(*command, "--out", "one", env=environment, cwd=tmp_path)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    two = run_python(
        *(*launcher, "-m", "spoofbench", *command, "--out", "two"), env=environment, cwd=tmp_path
    )
    assert one.code == two.code == 0, one.err + two.err
    assert len(two.out.split()) == 1, "only the first process speaks"
    ours, theirs = (tmp_path / done.out.strip() for done in (one, two))
    assert close(dict(weights.read_tensors(ours)), dict(weights.read_tensors(theirs)))
    curves = [[e.loss for e in fit.history(file.parent)] for file in (ours, theirs)]
    assert curves[0] == pytest.approx(curves[1], rel=1e-6)
    assert json.loads((theirs.parent / "training.json").read_text())["best_epoch"] in (1, 2, 3)


def in_two(how: str, tiny: Path, folder: Path) -> Outcome:
    """Let two processes train, as `in_two` says."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    script = Path(__file__).with_name("in_two.py")
    env = {"PYTHONPATH": str(script.parents[1]), "OMP_NUM_THREADS": "1"}
    return run_python(*launcher, script, how, tiny, folder, env=env)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["parts", "gauge", "forward"])
def test_processes_may_differ_in_how_many_parts_they_compute(tiny, tmp_path, how):
    """Both compute parts, or only the second does, since its memory is short."""
    done = in_two(how, tiny, tmp_path / "two")
    assert done.code == 0, done.err
    two = dict(weights.read_tensors(tmp_path / "two" / tasks.BEST))
    assert close(two, trained(task(tiny, tmp_path / "one"), Short))
    curves = [[e.loss for e in fit.history(tmp_path / name)] for name in ("one", "two")]
    assert curves[0] == pytest.approx(curves[1], rel=1e-6)


@pytest.mark.slow
def test_memory_that_runs_out_while_gradients_are_averaged_ends_the_training(tiny, tmp_path):
    done = in_two("backward", tiny, tmp_path / "two")
    assert done.code != 0
    assert "memory ran out while gradients were averaged" in done.err


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused(tiny: Path, site: Path, tmp_path: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = run_python(
        *(*launcher, "-m", "spoofbench", "train", "calm", "--set", "batch_size=3"),
        *("--train", tiny / "tiny-train.toml", "--data", tiny),
        env={"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
    )
    assert done.code != 0
    assert "batches of 3 cannot be shared by 2 processes" in done.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_ends_the_training_after_a_checkpoint(tiny, tmp_path, number):
    chosen = task(tiny, tmp_path / "cut")

    def tell(done: int, total: int) -> None:
        if done == 3:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(Stopped, match=number.name) as stopped:
        fit.fit(Small, chosen, progress=tell, report=ignore)
    assert stopped.value.exit_code == 128 + number
    assert signal.getsignal(number) is before
    steps: list[int] = []
    fit.fit(Small, chosen, progress=lambda done, total: steps.append(done), report=ignore)
    assert steps[0] == 4, "the step that was done when the signal came is not done again"
    whole = trained(task(tiny, tmp_path / "whole"), Small)
    assert close(dict(weights.read_tensors(chosen.folder / tasks.BEST)), whole)


def test_the_program_says_that_it_was_stopped_and_how_to_go_on(tiny, site, tmp_path) -> None:
    command = (
        *("train", "calm", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--set", "epochs=3000", "--set", "batch_size=2", "--workers", "0"),
    )
    with subprocess.Popen(
        [sys.executable, "-m", "spoofbench", *map(str, command)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        started = time.monotonic()
        while not list(tmp_path.glob("runs/*/*/epochs.csv")):
            assert time.monotonic() - started < 60
            time.sleep(0.02)
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "stopped by SIGTERM" in said
    assert "give the same command again to go on" in said
    assert "Traceback" not in said


def test_outside_of_the_main_thread_signals_are_left_alone() -> None:
    import threading

    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work() -> None:
        with stopping.listening():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
