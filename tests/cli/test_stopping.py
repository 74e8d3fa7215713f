"""Runs and trainings that are stopped in the middle, by Ctrl-C or by force, and go on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from inprocess import run_here
from strangers import write_slow

SECONDS = 60


@pytest.fixture
def slow(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory
) -> tuple[str, ...]:
    """The command of a run that takes two seconds: ten batches, a fifth of a second each."""
    site = tmp_path_factory.mktemp("slow")
    write_slow(site)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.chdir(tmp_path)
    return (
        *("run", "slow", "--protocol", str(tiny / "tiny-eval.toml"), "--data", str(tiny)),
        *("--batch-size", "1"),
    )


def stopped(command: tuple[str, ...], number: int, ready: Callable[[], bool]) -> tuple[int, str]:
    """Start ``spoofbench COMMAND``, send it a signal when ``ready``; return its code and words."""
    with subprocess.Popen(
        [sys.executable, "-m", "spoofbench", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that the signal goes to its workers too, as Ctrl-C does
        # As from a terminal: a shell that runs the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            started = time.monotonic()
            while not ready() and process.poll() is None:
                assert time.monotonic() - started < SECONDS
                time.sleep(0.01)
            assert process.poll() is None, "it ended before it could be stopped"
            os.killpg(process.pid, number)
            _, said = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    return process.returncode, said


def lines_in(pattern: str) -> int:
    return sum(file.read_text().count("\n") for file in Path("runs").glob(pattern))


@pytest.mark.parametrize("workers", ["0", "1"])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGKILL, -9)]
)
def test_a_run_that_was_stopped_ends_with_the_same_bytes_as_one_that_was_not(
    slow, number, code, workers
):
    parts = "tiny-eval/*/scores.part-*.tsv"
    slow = (*slow, "--workers", workers)
    ended, said = stopped(slow, number, lambda: lines_in(parts) >= 3)
    assert ended == code, said
    assert "Traceback" not in said, said
    if number == signal.SIGINT:
        assert said.endswith("interrupted: give the same command again to go on\n")
    done = lines_in(parts)
    assert 3 <= done < 10
    assert not list(Path("runs").glob("tiny-eval/*/scores.tsv"))

    again = run_here(*slow)
    assert again.code == 0, again.err
    assert f"scoring tiny-eval: {10 - done} of {10 - done}" in again.err
    assert run_here(*slow, "--out", "whole").code == 0
    (ours,) = Path("runs").glob("tiny-eval/*/scores.tsv")
    (whole,) = Path("whole").glob("tiny-eval/*/scores.tsv")
    assert ours.read_bytes() == whole.read_bytes()
    assert {file.name for file in ours.parent.iterdir()} == {"run.json", "scores.tsv"}


def test_a_training_that_was_killed_ends_with_the_same_bytes_as_one_that_was_not(
    tiny, example, monkeypatch, tmp_path
):
    monkeypatch.syspath_prepend(example)
    monkeypatch.setenv("PYTHONPATH", str(example))
    monkeypatch.chdir(tmp_path)
    command = (
        *("train", "lfcc-linear", "--train", str(tiny / "tiny-train.toml"), "--data", str(tiny)),
        *("--set", "epochs=15", "--workers", "0"),
    )
    epochs = "tiny-train/*/epochs.csv"
    ended, _ = stopped(command, signal.SIGKILL, lambda: lines_in(epochs) >= 2)
    assert ended == -9
    assert lines_in(epochs) < 16, "it was done already"
    again = run_here(*command)
    assert again.code == 0, again.err
    whole = run_here(*command, "--out", "whole")
    ours, theirs = Path(again.out.strip()), Path(whole.out.strip())
    assert ours.read_bytes() == theirs.read_bytes()
    assert len((ours.parent / "epochs.csv").read_text().splitlines()) == 16


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGTERM, 143, "error: stopped by SIGTERM; what was learned is kept in "),
        (signal.SIGUSR1, 138, "error: stopped by SIGUSR1; what was learned is kept in "),
        (signal.SIGINT, 130, "interrupted: give the same command again to go on\n"),
    ],
)
def test_a_signal_to_a_training_and_its_workers_is_heeded_by_the_training(
    tiny, example, monkeypatch, tmp_path, number, code, words
):
    """As torchrun, systemd and schedulers send it, and a terminal Ctrl-C."""
    monkeypatch.setenv("PYTHONPATH", str(example))
    monkeypatch.chdir(tmp_path)
    command = (
        *("train", "lfcc-linear", "--train", str(tiny / "tiny-train.toml"), "--data", str(tiny)),
        *("--set", "epochs=3000", "--set", "batch_size=2", "--workers", "1"),
    )
    epochs = "tiny-train/*/epochs.csv"
    ended, said = stopped(command, number, lambda: lines_in(epochs) >= 3)
    assert ended == code, said
    assert said.count(words) == 1
    assert "Traceback" not in said, said
    assert "DataLoader" not in said
    assert list(Path("runs").glob("tiny-train/*/last.safetensors"))


def test_workers_end_when_what_they_read_for_is_killed(tiny, example, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(example))
    monkeypatch.chdir(tmp_path)
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "spoofbench", "train", "lfcc-linear", "--workers", "2"),
            *("--train", tiny / "tiny-train.toml", "--data", tiny, "--set", "epochs=3000"),
        ],
        stderr=subprocess.DEVNULL,
    ) as process:
        started = time.monotonic()
        while lines_in("tiny-train/*/epochs.csv") < 2:
            assert time.monotonic() - started < SECONDS
            time.sleep(0.01)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert len(workers) >= 4, "two for train, two for dev"
    _, alive = psutil.wait_procs(workers, timeout=SECONDS)
    assert not alive
