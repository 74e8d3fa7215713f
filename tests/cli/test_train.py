"""``spoofbench train`` on the tiny corpus with the model of third_party/spoofbench-example."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from inprocess import run_here
from program import Outcome

from spoofbench import weights
from spoofbench.locks import reserved

Train = Callable[..., Outcome]


@pytest.fixture
def train(example: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """``spoofbench train lfcc-linear`` on the tiny corpus; later options win over these."""
    monkeypatch.syspath_prepend(example)
    monkeypatch.chdir(tmp_path)

    def call(*args: str | Path, model: str = "lfcc-linear") -> Outcome:
        defaults = ("--train", tiny / "tiny-train.toml", "--data", tiny, "--workers", "0")
        return run_here("train", model, *defaults, *args)

    return call


def assert_refused(done: Outcome, *said: str) -> None:
    assert done.code == 2, (done.out, done.err)
    for text in ("error: ", *said):
        assert text in done.err
    assert not Path("runs").exists()


def test_it_prints_the_file_of_the_weights_that_dev_chose(train):
    done = train()
    assert done.code == 0, done.err
    file = Path(done.out.strip())
    with (file.parent / "epochs.csv").open(newline="") as lines:
        eers = [float(line["dev_eer"]) for line in csv.DictReader(lines)]
    origin = weights.origin_of(file)
    assert len(eers) == 2, "the train protocol says two epochs"
    assert origin.dev_eer == min(eers)
    assert (origin.train, origin.dev, origin.recipe.samples) == ("tiny-train", "tiny-dev", 4_000)
    assert "epoch   2 of 2: loss " in done.err
    assert "dev EER" in done.err


def test_the_same_training_is_not_done_twice(train):
    first = train("--set", "epochs=1")
    again = train("--set", "epochs=1")
    assert again.out == first.out
    assert "trained before" in again.err
    assert "epoch " not in again.err


def test_a_dry_run_prints_the_plan_and_writes_nothing(train):
    plan = train("--dry-run", "--set", "epochs=7")
    assert plan.code == 0
    assert "epochs 7" in plan.err
    assert "time      about" in plan.err
    assert not Path("runs").exists()


def test_options_win_over_the_file_and_the_file_over_the_corpus(train, tmp_path):
    (tmp_path / "recipe.toml").write_text("epochs = 3\nbatch_size = 5\n")
    plan = train("--dry-run", "--recipe", "recipe.toml", "--set", "epochs=9")
    assert "epochs 9, batch_size 5, samples 4000" in plan.err


def test_an_eval_protocol_is_refused_for_training_and_for_choosing(train, tiny):
    evaluation = tiny / "tiny-eval.toml"
    assert_refused(train("--train", evaluation), "has the role eval: nothing may be trained on it")
    assert_refused(train("--dev", evaluation), "has the role eval: nothing may be chosen by it")


def test_choosing_by_the_train_protocol_itself_is_refused(train, tiny):
    assert_refused(train("--dev", tiny / "tiny-train.toml"), "share 10 utterances")


def test_a_train_protocol_that_names_no_dev_needs_one_from_the_user(train, tiny, tmp_path):
    lines = (tiny / "tiny-train.toml").read_text().splitlines(keepends=True)
    (tmp_path / "alone.toml").write_text("".join(x for x in lines if not x.startswith("dev =")))
    assert_refused(train("--train", "alone.toml"), "alone names no dev protocol", "--dev")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--set", "epoch=3"), "--set epoch=3"),
        (("--set", "epochs=0"), "epochs"),
        (("--set", "betas=[2, 0.9]"), "betas"),
        (("--set", "samples=100"), "fewer than the 400 that lfcc-linear needs"),
        (("--set", "batch_size=11"), "fewer than one batch of 11"),
        (("--recipe", "no.toml"), "no.toml"),
        (("--precision", "fp16"), "fp16"),
        (("--train", "toy-trian"), "did you mean 'toy-train'?"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_nothing_is_written(train, args, said):
    assert_refused(train(*args), said)


def test_an_unknown_model_is_refused_with_the_nearest_name(train):
    assert_refused(train(model="lfcc-lineal"), "did you mean 'lfcc-linear'?")


def test_a_damaged_checkpoint_is_an_error_that_says_what_to_remove(train):
    file = Path(train("--set", "epochs=1").out.strip())
    (file.parent / "training.json").unlink()
    last = file.parent / "last.safetensors"
    last.write_bytes(last.read_bytes()[:100])
    done = train("--set", "epochs=1")
    assert done.code == 2
    assert str(last) in done.err
    assert "remove its folder" in done.err


def test_what_training_cost_is_stored_with_its_record(train):
    folder = Path(train("--set", "epochs=3").out.strip()).parent
    record = json.loads((folder / "training.json").read_text())
    with (folder / "epochs.csv").open(newline="") as lines:
        epochs = list(csv.DictReader(lines))
    seconds = sum(float(epoch["seconds"]) for epoch in epochs)
    assert record["seconds"] == pytest.approx(seconds, abs=1e-3)
    assert record["seconds_per_step"] == pytest.approx(seconds / 6, rel=0.01)  # 10 trials by 4
    assert record["utterances_per_second"] == pytest.approx(24 / seconds, rel=0.01)
    assert record["peak_mb"] == max(float(epoch["peak_mb"]) for epoch in epochs)


def test_a_checkpoint_that_was_kept_can_be_judged_and_started_from(train, tiny):
    best = Path(train("--set", "epochs=3", "--keep", "2").out.strip())
    files = sorted(best.parent.glob("epoch-*.safetensors"))
    assert [file.name for file in files] == ["epoch-0002.safetensors", "epoch-0003.safetensors"]
    judged = run_here(
        *("run", "lfcc-linear", "--weights", files[0], "--workers", "0"),
        *("--protocol", tiny / "tiny-eval.toml", "--data", tiny),
    )
    assert judged.code == 0, judged.err
    assert "epoch-0002.safetensors" in judged.out
    begun = train("--set", "epochs=1", "--start", files[1])
    assert begun.code == 0, begun.err


def test_weights_that_were_changed_after_training_are_not_used_in_silence(train):
    file = Path(train("--set", "epochs=1").out.strip())
    file.write_bytes(file.read_bytes() + b" ")
    done = train("--set", "epochs=1")
    assert done.code == 2
    assert f"{file} is not the file that its training wrote" in done.err


def test_an_eval_protocol_chooses_only_where_it_is_asked_for_and_every_table_says_so(train, tiny):
    refused = train("--dev", tiny / "tiny-eval.toml")
    assert refused.code == 2
    chosen = train("--dev", tiny / "tiny-eval.toml", "--paper-selection", "--set", "epochs=1")
    assert chosen.code == 0, chosen.err
    file = chosen.out.strip()
    begun = train("--start", file, "--set", "epochs=1", "--set", "learning_rate=1e-9")
    for own in (file, begun.out.strip()):  # what comes of such weights is no better
        assert weights.origin_of(Path(own)).chosen_by_eval == ("tiny-eval",)
        judged = run_here(
            *("run", "lfcc-linear", "--weights", own, "--workers", "0"),
            *("--protocol", tiny / "tiny-eval.toml", "--data", tiny),
        )
        assert judged.code == 0, judged.err
        assert "chosen by tiny-eval, an eval protocol (--paper-selection)" in judged.out


def test_nothing_is_trained_on_an_eval_protocol_even_then(train, tiny):
    on = ("--train", tiny / "tiny-eval.toml", "--dev", tiny / "tiny-dev.toml")
    assert_refused(train(*on, "--paper-selection"), "has the role eval")


def test_a_training_does_not_go_on_with_other_trials(train, tiny, tmp_path):
    """It was cut short; then an utterance of the corpus was taken for a spoof."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    on = ("--train", copy / "tiny-train.toml", "--data", copy, "--set", "epochs=1")
    file = Path(train(*on).out.strip())
    record = json.loads((file.parent / "training.json").read_text())
    (file.parent / "terms.json").write_text(json.dumps(record["terms"]))
    (file.parent / "training.json").unlink()
    keys = copy / "keys" / "train.txt"
    keys.write_text(keys.read_text().replace(" X01 ", " X02 ", 1))
    refused = train(*on)
    assert refused.code == 2
    assert f"begun on other trials, in {file.parent}: tiny-train was " in refused.err
    keys.write_text(keys.read_text().replace(" X02 ", " X01 ", 1))
    assert train(*on).out.strip() == str(file)


def test_each_epoch_says_how_long_a_step_took(train):
    done = train("--set", "epochs=2")
    with (Path(done.out.strip()).parent / "epochs.csv").open(newline="") as lines:
        seconds = [float(epoch["seconds"]) for epoch in csv.DictReader(lines)]
    said = re.findall(r"; ([\d.]+) s a step, \d+ % of it waiting for audio, ", done.err)
    assert [float(text) for text in said] == [pytest.approx(s / 2, abs=6e-4) for s in seconds]


def content_below(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {
        file: (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".lock"
    }


def unfinished(train: Train, *args: str) -> Path:
    """Train, and return the folder as it is before the end is written down."""
    folder = Path(train("--set", "epochs=1", *args).out.strip()).parent
    record = json.loads((folder / "training.json").read_text())
    (folder / "terms.json").write_text(json.dumps(record["terms"]))
    (folder / "training.json").unlink()
    return folder


def test_a_second_command_changes_nothing_in_the_folder_of_the_first(train):
    folder = unfinished(train, "--tracker", "tensorboard")
    before = content_below(folder)
    with reserved(folder):
        refused = train("--set", "epochs=1", "--tracker", "tensorboard")
    assert refused.code == 2
    assert f"another process is at work in {folder}" in refused.err
    assert content_below(folder) == before


def test_what_was_left_by_a_training_that_was_killed_while_it_wrote_is_removed(train):
    folder = unfinished(train)
    left = [".last.safetensors.ab3d_f6h", ".best.safetensors.00000000", ".epochs.csv.abcdefgh"]
    others = [".notes.markdown", ".lengths.tsv", "last.safetensors.ab3d_f6h"]
    for name in (*left, *others):
        (folder / name).write_text("half")
    assert train("--set", "epochs=1").code == 0
    names = {file.name for file in folder.iterdir()}
    assert names >= set(others)
    assert not names & set(left)
