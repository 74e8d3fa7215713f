"""``spoofbench run`` on the tiny corpus with the model of tests/third_party/spoofbench-example."""

import contextlib
import csv
import io
import json
import os
import pickle
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile
import torch
from inprocess import run_here
from program import Outcome, run_program
from strangers import write_slow

Run = Callable[..., Outcome]

RESULT = "4 bona fide + 6 spoof trials"


@pytest.fixture
def plugin(example: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(example)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(tiny: Path, plugin: None) -> Run:
    """``spoofbench run lfcc-linear`` on the tiny corpus; later options win over these."""

    def call(*args: str | Path, protocol: str | Path = tiny / "tiny-eval.toml") -> Outcome:
        return run_here(
            "run", "lfcc-linear", "--protocol", protocol, "--data", tiny, "--workers", "0", *args
        )

    return call


@pytest.fixture(scope="module")
def trained(tiny: Path, example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the whole job was done once, by the real program: read it only."""
    work = tmp_path_factory.mktemp("trained")
    done = run_program(
        *("run", "lfcc-linear", "--protocol", tiny / "tiny-eval.toml", "--data", tiny),
        env={"PYTHONPATH": str(example)},
        cwd=work,
    )
    assert done.code == 0, done.err
    (work / "said.txt").write_text(done.out)
    return work / "runs"


@pytest.fixture(scope="module")
def weights(trained: Path) -> Path:
    (file,) = trained.glob("tiny-train/*/best.safetensors")
    return file


def only_run(out: Path, protocol: str = "tiny-eval") -> Path:
    (folder,) = (out / protocol).iterdir()
    return folder


def everything(folder: Path) -> dict[str, int]:
    """Every file below ``folder``, and when it was last written."""
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*")} if folder.exists() else {}


def assert_refused(done: Outcome, *said: str) -> None:
    assert done.code == 2, (done.out, done.err)
    assert done.out == ""
    for text in ("error: ", *said):
        assert text in done.err
    assert "Traceback" not in done.err


# the whole job


def test_from_nothing_it_trains_scores_and_prints_the_table(trained):
    said = (trained.parent / "said.txt").read_text()
    assert RESULT in said
    assert "lfcc-linear (trained)" in said
    for group in ("pooled", "X01", "X02"):
        assert group in said
    training = only_run(trained, "tiny-train")
    assert {file.name for file in training.iterdir()} == {
        "training.json", "best.safetensors", "last.safetensors", "epochs.csv",
    }  # fmt: skip
    assert {file.name for file in only_run(trained).iterdir()} == {"run.json", "scores.tsv"}


def test_the_scores_are_those_of_the_model_with_the_chosen_weights(trained, weights, tiny, plugin):
    from safetensors.torch import load_file
    from spoofbench_example.model import LfccLinear

    model = LfccLinear().eval()
    model.load_state_dict(load_file(weights))
    with (only_run(trained) / "scores.tsv").open(newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    assert [line["utterance"] for line in lines] == [f"E{number:03d}" for number in range(10)]
    for line in lines:
        samples, _ = soundfile.read(tiny / "eval" / f"{line['utterance']}.flac", dtype="float32")
        with torch.no_grad():
            score = model.score(torch.from_numpy(samples[None, :4_000]), torch.tensor([4_000]))
        assert float(line["score"]) == pytest.approx(score.item(), abs=1e-4)


def test_the_same_command_again_does_nothing_again_and_prints_the_same(trained, run):
    before = everything(trained)
    again = run("--out", trained)
    assert again.code == 0
    assert again.out == (trained.parent / "said.txt").read_text()
    assert "trained before" in again.err
    assert "scored before" in again.err
    assert everything(trained) == before


def test_a_dry_run_prints_the_plan_and_writes_nothing(run, tmp_path):
    plan = run("--dry-run")
    assert plan.code == 0
    assert plan.out == ""
    for part in ("10 trials", "training", "tiny-train", "tiny-dev", "recipe", "epochs 2", "about"):
        assert part in plan.err
    assert everything(tmp_path) == {}


def test_given_weights_are_used_and_nothing_is_trained(run, weights, trained, tmp_path):
    done = run("--weights", weights)
    assert done.code == 0, done.err
    assert "lfcc-linear (best.safetensors)" in done.out
    assert not (tmp_path / "runs" / "tiny-train").exists()
    ours = (only_run(tmp_path / "runs") / "scores.tsv").read_bytes()
    assert ours == (only_run(trained) / "scores.tsv").read_bytes()


def test_what_was_trained_before_on_other_terms_is_used_and_this_is_said(run, tiny, tmp_path):
    train_one(tiny, "epochs=1")
    done = run()
    assert done.code == 0, done.err
    assert "using what was trained before, though on other terms" in done.err
    assert len(list((tmp_path / "runs" / "tiny-train").iterdir())) == 1


def test_two_trainings_that_differ_must_be_told_apart_by_the_user(run, tiny, tmp_path):
    files = [train_one(tiny, setting) for setting in ("epochs=1", "batch_size=5")]
    before = everything(tmp_path)
    done = run()
    assert_refused(done, "trained 2 times on tiny-train", *files)
    assert everything(tmp_path) == before
    assert run("--weights", files[1]).code == 0


def train_one(tiny: Path, setting: str) -> str:
    done = run_here(
        *("train", "lfcc-linear", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--set", setting, "--workers", "0"),
    )
    assert done.code == 0, done.err
    return done.out.strip()


def test_a_model_without_parameters_needs_no_weights(tiny, tmp_path, monkeypatch):
    write_slow(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    done = run_here("run", "slow", "--protocol", tiny / "tiny-eval.toml", "--data", tiny)
    assert done.code == 0, done.err
    assert RESULT in done.out


# what is refused before anything is done


def test_random_weights_never_give_a_table(run, tiny, tmp_path):
    alone = tmp_path / "alone.toml"
    text = (tiny / "tiny-eval.toml").read_text()
    lines = text.splitlines(keepends=True)
    alone.write_text("".join(line for line in lines if not line.startswith(("train =", "dev ="))))
    done = run(protocol=alone)
    assert_refused(done, "lfcc-linear needs weights", "--weights")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("run", "lfcc-liner", "--protocol", "toy"), "did you mean 'lfcc-linear'?"),
        (("run", "lfcc-linear", "--protocol", "la-evl"), "did you mean 'la-eval'?"),
        (("run", "lfcc-linear", "--protocol", "no.toml"), "no.toml cannot be read"),
        (("run", "lfcc-linear", "--format", "markdwon"), "did you mean 'markdown'?"),
        (("run", "lfcc-linear", "--device", "cuda:99"), "--device cuda:99 cannot be used"),
        (("run", "lfcc-linear", "--precision", "fp12"), "--precision fp12 is unknown"),
        (("run", "lfcc-linear", "--protocol", "la-eval"), "no folder is set for it"),
        (("run", "lfcc-linear", "--protocol", "la-eval", "--data", "none"), "none"),
    ],
)
def test_what_does_not_exist_is_refused_with_a_suggestion(plugin, tmp_path, args, said):
    assert_refused(run_here(*args), said)
    assert everything(tmp_path) == {}


def test_an_unknown_model_ends_the_real_program_with_code_2(tmp_path):
    done = run_program("run", "aasistt", cwd=tmp_path)
    assert_refused(done, "there is no model 'aasistt'", "did you mean 'aasist'?")
    assert everything(tmp_path) == {}


class Malice:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("pwned",)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("kind", ["other model", "truncated", "text", "code", "nothing"])
def test_weights_that_cannot_be_used_are_refused_and_nothing_is_written(
    run, weights, tmp_path, kind
):
    file = tmp_path / "weights" / "w.pth"
    file.parent.mkdir()
    if kind == "other model":
        torch.save(torch.nn.Linear(1, 1).state_dict(), file)
    elif kind == "truncated":
        file = file.with_suffix(".safetensors")
        file.write_bytes(weights.read_bytes()[:-1])
    elif kind == "text":
        file.write_text("404: Not Found")
    elif kind == "code":
        file.write_bytes(pickle.dumps(Malice()))
    before = everything(tmp_path)
    assert_refused(run("--weights", file), str(file))
    assert everything(tmp_path) == before


# audio that is missing or bad


@pytest.fixture
def own_corpus(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny corpus that a test may damage."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    return copy


def test_missing_audio_is_an_error_that_counts_and_names_it(run, own_corpus, weights, tmp_path):
    (own_corpus / "eval" / "E003.flac").unlink()
    done = run("--data", own_corpus, "--weights", weights)
    assert_refused(done, "1 of 10 recordings are missing", "eval/E003.flac", "--limit")
    assert not (tmp_path / "runs").exists()


def test_a_limit_takes_what_is_there_and_stamps_the_table(run, own_corpus, weights):
    (own_corpus / "eval" / "E003.flac").unlink()
    done = run("--data", own_corpus, "--weights", weights, "--limit", "6")
    assert done.code == 0, done.err
    assert "limited: 6 of 10 trials (--limit), not a result of this protocol" in done.out
    assert "3 bona fide + 3 spoof trials" in done.out


def test_a_bad_recording_costs_the_table_but_no_other_score(run, own_corpus, weights, tmp_path):
    bad = own_corpus / "eval" / "E003.flac"
    whole = bad.read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    command = ("--data", own_corpus, "--weights", weights, "--batch-size", "1")
    done = run(*command)
    assert_refused(done, "1 of 10 trials could not be scored", str(bad), "failures.tsv")
    folder = only_run(tmp_path / "runs")
    assert not (folder / "scores.tsv").exists()
    (part,) = folder.glob("scores.part-*.tsv")
    assert len(part.read_text().splitlines()) == 9

    bad.write_bytes(whole)
    mended = run(*command)
    assert mended.code == 0, mended.err
    assert "scoring tiny-eval: 1 of 1" in mended.err
    assert RESULT in mended.out
    assert {file.name for file in folder.iterdir()} == {"run.json", "scores.tsv"}


# folders that cannot be written


@contextlib.contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own in ``folder``."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, timeout=10, check=False)
    except FileNotFoundError:
        pytest.skip("there is no program mount")
    if done.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True, timeout=10)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True, timeout=10)


def test_a_file_where_the_workspace_should_be_is_left_alone(run, weights, tmp_path):
    (tmp_path / "runs").write_text("mine")
    assert_refused(run("--weights", weights), "runs", "--out")
    assert (tmp_path / "runs").read_text() == "mine"


def test_a_read_only_workspace_is_an_error(run, weights, tmp_path):
    with tmpfs(tmp_path / "runs", "ro"):
        assert_refused(run("--weights", weights), "Read-only file system", "--out")
        assert_refused(run(), "Read-only file system", "--out")


def test_a_disk_that_is_full_in_training_leaves_no_half_written_file(run, tmp_path):
    with tmpfs(tmp_path / "runs", "size=16k"):  # room for folders, not for weights
        assert_refused(run(), "No space left on device", "--out")
        left = [p for p in (tmp_path / "runs").rglob("*") if p.is_file()]
        assert [p.name for p in left] == ["terms.json"]
        assert json.loads(left[0].read_text())["seed"] == 1234


def test_a_disk_that_is_full_in_scoring_keeps_what_there_is_and_the_same_command_goes_on(
    run, weights, trained, tmp_path
):
    out = tmp_path / "runs"
    with tmpfs(out, "size=8k"):  # one page for the parts, one for scores.tsv, none for run.json
        assert_refused(run("--weights", weights), "No space left on device")
        assert {p.name for p in only_run(out).iterdir()} <= {
            ".lock", "scores.part-0-0.tsv", "scores.tsv",
        }  # fmt: skip
        assert_refused(run_here("table", out), "not a finished run")
        remount(out, "size=1m")
        again = run("--weights", weights)
        assert again.code == 0, again.err
        ours = (only_run(out) / "scores.tsv").read_bytes()
        assert ours == (only_run(trained) / "scores.tsv").read_bytes()


def test_a_full_disk_is_met_at_every_size_without_a_traceback(run, weights, tmp_path):
    out = tmp_path / "runs"
    for pages in range(1, 5):
        with tmpfs(out, f"size={4 * pages}k"):
            done = run("--weights", weights)
            if done.code == 0:
                assert pages > 2
            else:
                assert_refused(done, "No space left on device")
            hidden = [p.name for p in out.rglob(".*") if p.is_file() and p.name != ".lock"]
            assert hidden == []
        out.rmdir()


def test_formats_are_those_of_plugins_too(run, weights):
    done = run("--weights", weights, "--format", "csv")
    (pooled, *_) = list(csv.DictReader(io.StringIO(done.out)))
    assert (pooled["group"], pooled["bonafide"], pooled["spoof"]) == ("pooled", "4", "6")
    lines = run("--weights", weights, "--format", "lines").out.splitlines()
    assert f"lfcc-linear (best.safetensors) pooled eer {float(pooled['eer']):.4f}" in lines
