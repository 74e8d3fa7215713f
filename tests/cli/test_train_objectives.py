"""``train`` and ``run`` with objectives, mix-up and teachers, on the tiny corpus."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import strangers
import torch
from inprocess import run_here
from program import Outcome, run_program, run_python
from safetensors.torch import load_file

from spoofbench import weights

PLUGIN = """
import torch
from torch import nn
from torch.nn import functional
from spoofbench import ModelSpec, hookimpl

@hookimpl
def spoofbench_models():
    return [
        ModelSpec(name=name, target=f"tiny_plugin:{name.title()}", summary="One.", samples=2_000)
        for name in ("embedding", "plain")
    ]

class Embedding(nn.Module):
    width = 3

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 3)
        self.head = nn.Linear(3, 2)

    def embed(self, audio, lengths):
        features = torch.stack([audio.std(dim=1), audio.diff(dim=1).std(dim=1)], dim=1)
        return self.body(features.clamp(min=1e-6).log())

    def judge(self, embedded):
        return self.head(embedded)

    def score(self, audio, lengths):
        return self.judge(self.embed(audio, lengths)).diff(dim=1).squeeze(1)

    def loss(self, audio, lengths, bonafide):
        logits = self.judge(self.embed(audio, lengths))
        return functional.cross_entropy(logits, bonafide.long(), reduction="none")

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.whole = Embedding()

    def score(self, audio, lengths):
        return self.whole.score(audio, lengths)

    def loss(self, audio, lengths, bonafide):
        return self.whole.loss(audio, lengths, bonafide)
"""
OC = ("--set", 'objective="oc-softmax"')


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a plugin with two models: one has embeddings, the other has none."""
    folder = tmp_path / "site"
    strangers.write(folder, "tiny", PLUGIN)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def train(site: Path, tiny: Path) -> Callable[..., Outcome]:
    def call(*args: str | Path, model: str = "embedding") -> Outcome:
        on = ("--train", tiny / "tiny-train.toml", "--data", tiny, "--workers", "0")
        return run_here("train", model, *on, *args)

    return call


@pytest.fixture
def judge(tiny: Path) -> Callable[..., Outcome]:
    def call(file: str, *args: str | Path, model: str = "embedding") -> Outcome:
        on = ("--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0")
        return run_here("run", model, "--weights", file, *on, *args)

    return call


def test_what_an_objective_judged_in_training_is_scored_by_it(train, judge):
    """Scores of OC-Softmax are cosines, and the model's own are no such thing."""
    trained = train(*OC)
    assert trained.code == 0, trained.err
    assert "objective oc-softmax" in trained.err
    done = judge(trained.out.strip())
    assert done.code == 0, done.err
    (file,) = Path("runs").glob("tiny-eval/*/scores.tsv")
    found = [float(line.split("\t")[4]) for line in file.read_text().splitlines()[1:]]
    assert len(found) == 10
    assert all(-1 <= score <= 1 for score in found)
    assert max(abs(score) for score in found) > 1e-3


def test_a_run_finds_such_weights_by_itself(train, tiny):
    file = train(*OC).out.strip()
    on = ("--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0")
    done = run_here("run", "embedding", *on)
    assert done.code == 0, done.err
    assert str(Path(file).parent) in done.err


def test_everything_at_once_is_trained_and_its_terms_are_kept(train, judge):
    """A second task, mix-up and a file of scores, of which the checksum is part of the terms."""
    lines = [f"T{n:03d} {1.5 if n < 4 else -1.5}\n" for n in range(10)]
    Path("teacher.txt").write_text("".join(lines))
    asked = (
        *("--set", "added={speaker=0.1}", "--set", "mix_up=0.5"),
        *("--set", "objective_options={speaker={reversal=1}}"),
        *("--set", 'teacher="teacher.txt"', "--set", "temperature=2"),
    )
    first = train(*asked)
    assert first.code == 0, first.err
    record = json.loads((Path(first.out.strip()).parent / "training.json").read_text())
    assert len(record["terms"]["teacher"]) == 64
    assert set(load_file(first.out.strip())) == {
        *("body.weight", "body.bias", "head.weight", "head.bias"),
    }
    assert judge(first.out.strip()).code == 0
    assert train(*asked).out == first.out, "the same terms are not trained twice"
    Path("teacher.txt").write_text("".join(reversed(lines)).replace("1.5", "1.25"))
    assert train(*asked).out != first.out, "another teacher, another training"


def test_a_model_teaches(train):
    teacher = train("--set", "learning_rate=0.1").out.strip()
    taught = train("--set", f'teacher="embedding:{teacher}"', "--set", "teacher_weight=1")
    assert taught.code == 0, taught.err
    origin = weights.origin_of(Path(taught.out.strip()))
    assert origin.recipe.teacher == f"embedding:{teacher}"


@pytest.mark.parametrize(
    ("model", "asked", "said"),
    [
        ("embedding", 'objective="oc-sofmax"', ("'oc-sofmax'", "did you mean 'oc-softmax'?")),
        ("embedding", 'objective="speaker"', ("does not judge", "added={speaker = 0.1}")),
        ("embedding", "added={speaker=0}", ("added", "greater than 0")),
        ("embedding", "added={speeker=1}", ("did you mean 'speaker'?",)),
        ("plain", 'objective="oc-softmax"', ("plain has no embed()", "'oc-softmax'")),
        ("plain", "added={speaker=1}", ("plain has no embed()", "'speaker'")),
        ("plain", "mix_up=0.5", ("plain has no embed()", "mix-up")),
        ("embedding", 'teacher="no.txt"', ("teacher no.txt", "MODEL:WEIGHTS")),
        ("embedding", 'teacher="short.txt"', ("9 scores for 10 trials", "T009")),
    ],
)
def test_what_cannot_be_learned_is_refused_and_nothing_is_written(train, model, asked, said):
    Path("short.txt").write_text("".join(f"T{n:03d} {n}.5\n" for n in range(9)))
    refused = train("--set", asked, model=model)
    assert refused.code == 2, (refused.out, refused.err)
    for text in said:
        assert text in refused.err
    assert not Path("runs").exists()


def test_one_speaker_is_no_task(train, tiny, tmp_path):
    (tmp_path / "alone").mkdir()
    for file in tiny.glob("*.toml"):
        text = file.read_text().replace('"speaker", "utterance"', '"-", "utterance"')
        (tmp_path / "alone" / file.name).write_text(text)
    on = ("--train", tmp_path / "alone" / "tiny-train.toml")
    refused = train(*on, "--set", "added={speaker=1}")
    assert refused.code == 2
    assert "tells speakers apart" in refused.err
    assert "a column 'speaker'" in refused.err


def test_weights_of_an_objective_are_refused_by_a_model_without_embeddings(train, judge):
    refused = judge(train(*OC).out.strip(), model="plain")
    assert refused.code == 2
    assert "oc-softmax" in refused.err
    assert "no embed()" in refused.err


@pytest.mark.slow
def test_two_processes_learn_what_one_does(site: Path, tiny: Path, tmp_path: Path) -> None:
    """Batches of four, two to each process: mixed alike, and the model's own head is unused."""
    command = (
        *("train", "embedding", "--train", tiny / "tiny-train.toml", "--data", tiny, *OC),
        *("--set", "mix_up=0.5", "--set", "added={speaker=0.2}", "--set", "learning_rate=0.05"),
        *("--workers", "0"),
    )
    environment = {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    one = run_program(*command, "--out", "one", env=environment, cwd=tmp_path)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    two = run_python(
        *(*launcher, "-m", "spoofbench", *command, "--out", "two"), env=environment, cwd=tmp_path
    )
    assert one.code == two.code == 0, one.err + two.err
    ours, theirs = (load_file(tmp_path / done.out.strip()) for done in (one, two))
    for name, tensor in ours.items():
        assert torch.allclose(theirs[name], tensor, atol=1e-6), name
