"""Scoring shared by processes that torchrun starts (gloo, on the processor)."""

from pathlib import Path

import pytest
from program import Outcome, run_program, run_python
from strangers import write_slow

ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""As torchrun sets it. With more threads, sums may be put together otherwise: other last bits."""


@pytest.fixture(scope="module")
def aasist_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of AASIST-L, in a file."""
    import torch

    from spoofbench_aasist.model import aasist_l

    file = tmp_path_factory.mktemp("weights") / "random.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(aasist_l().state_dict(), file)
    return file


def torchrun(*args: str | Path, env: dict[str, str], cwd: Path) -> Outcome:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    return run_python(*launcher, "-m", "spoofbench", *args, env=env, cwd=cwd)


def score_files(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(folder.glob("tiny-eval/*/scores.tsv"))]


@pytest.mark.slow
def test_two_processes_write_the_same_scores_as_one_byte_by_byte(tiny, aasist_weights, tmp_path):
    command = (
        *("run", "aasist-l", "--protocol", tiny / "tiny-eval.toml", "--data", tiny),
        *("--weights", aasist_weights, "--batch-size", "2", "--limit", "6", "--workers", "0"),
    )
    one = run_program(*command, "--out", "one", env=ONE_THREAD, cwd=tmp_path)
    two = torchrun(*command, "--out", "two", env=ONE_THREAD, cwd=tmp_path)
    assert one.code == two.code == 0, one.err + two.err
    assert one.out == two.out, "the table is printed once"
    (ours,) = score_files(tmp_path / "one")
    assert score_files(tmp_path / "two") == [ours]
    (folder,) = (tmp_path / "two" / "tiny-eval").iterdir()
    assert {file.name for file in folder.iterdir()} == {"run.json", "scores.tsv"}
    assert '"processes": 2' in (folder / "run.json").read_text()


@pytest.mark.slow
def test_a_failure_in_any_process_ends_the_run_with_the_list_of_all(tiny, tmp_path):
    import shutil

    shutil.copytree(tiny, tmp_path / "copy")
    for utterance in ("E001", "E002"):  # with batches of two, one for each process
        (tmp_path / "copy" / "eval" / f"{utterance}.flac").write_bytes(b"no audio")
    write_slow(tmp_path / "site")
    command = ("run", "slow", "--protocol", tiny / "tiny-eval.toml", "--data", "copy")
    done = torchrun(
        *command, "--batch-size", "2", "--workers", "0",
        env={**ONE_THREAD, "PYTHONPATH": str(tmp_path / "site")}, cwd=tmp_path,
    )  # fmt: skip
    assert done.code != 0
    assert done.out == ""
    assert "2 of 10 trials could not be scored" in done.err
    (failures,) = (tmp_path / "runs").glob("tiny-eval/*/failures.tsv")
    names = [line.split("\t")[0] for line in failures.read_text().splitlines()]
    assert names == ["utterance", "E001", "E002"]
