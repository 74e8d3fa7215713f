"""Teachers: what a score file says, and what a model answers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small import Small, task, terms
from tiny import RATE
from torch import Tensor, nn

from spoofbench import ModelSpec, weights
from spoofbench.errors import InvalidRecipe, InvalidScores, UnknownName
from spoofbench.plugins import Catalogue, Offer, Plugin
from spoofbench.scoring import Options
from spoofbench.training import teachers
from spoofbench.training.aims import Aims
from spoofbench.training.recipe import Recipe
from spoofbench.trials import Trial

OPTIONS = Options(device=torch.device("cpu"), root=Path())
AUDIO, LENGTHS = torch.ones(2, 2_000), torch.full((2,), 2_000)


class Silent(nn.Module):
    """It has a score, and no logits."""

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return audio[:, 0]


class Strict(Small):
    """Says so where it is not asked as a teacher should be."""

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        assert not any(module.training for module in self.modules())
        assert not torch.is_grad_enabled()
        return super().embed(audio, lengths)


def known() -> Catalogue:
    made = Catalogue()
    for name, target, said in (
        ("strict", "Strict", {"min_samples": 100, "max_samples": 3_000}),
        ("silent", "Silent", {}),
        ("slow", "Small", {"sample_rate": 8_000}),
    ):
        spec = ModelSpec(name=name, target=f"{__name__}:{target}", summary="One.", **said)
        made.models.put(Offer(spec, Plugin("tests", "tests", "1")))
    return made


@pytest.fixture
def trials(tiny: Path) -> Sequence[Trial]:
    return terms(tiny, "train").trials


def find(
    wanted: str | Path, trials: Sequence[Trial], samples: int | None = 2_000
) -> teachers.Taught:
    return teachers.find(str(wanted), known(), trials, rate=RATE, samples=samples)


def saved(model: nn.Module, file: Path, objective: str = "", **said: object) -> Path:
    origin = weights.Origin(
        model="strict",
        train="t",
        dev="d",
        epoch=1,
        dev_eer=0.5,
        seed=1,
        recipe=Recipe(objective=objective),
        **said,
    )
    weights.save(model, file, origin)
    return file


def written(trials: Sequence[Trial], file: Path) -> Path:
    file.write_text("".join(f"{t.utterance} {0.5 * n - 2}\n" for n, t in enumerate(trials)))
    return file


def test_a_file_answers_with_its_scores_by_every_name(trials, tmp_path):
    file = written(trials, tmp_path / "s.txt")
    taught = find(file, trials)
    assert taught.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    named = [(trials[3].utterance, trials[0].utterance), (trials[1].utterance,) * 2]
    answers = taught.ready(OPTIONS).log_odds(AUDIO, LENGTHS, named)
    assert [answer.tolist() for answer in answers] == [[-0.5, -2.0], [-1.5, -1.5]]


def test_scores_of_other_utterances_are_passed_over(trials, tmp_path):
    file = written(trials, tmp_path / "s.txt")
    file.write_text("other -7\n" + file.read_text())
    assert find(file, trials[:4]).scores == {
        t.utterance: 0.5 * n - 2 for n, t in enumerate(trials[:4])
    }


def test_utterances_that_a_file_lacks_are_named(trials, tmp_path):
    file = written(trials[1:], tmp_path / "s.txt")
    with pytest.raises(InvalidScores, match=f"1 trials without a score .{trials[0].utterance}"):
        find(file, trials)


def test_a_model_answers_with_the_log_odds_of_its_logits(trials, tmp_path):
    made = Strict().eval()
    file = saved(made, tmp_path / "w.safetensors")
    taught = find(f"strict:{file}", trials)
    assert taught.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    audio = torch.randn(2, 2_000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = made.judge(made.embed(audio, LENGTHS))
    answers = taught.ready(OPTIONS).log_odds(audio, LENGTHS, [("a", "b"), ("b", "a")])
    for answer in answers:
        assert answer.tolist() == pytest.approx((logits[:, 1] - logits[:, 0]).tolist())
        assert not answer.requires_grad


def test_a_model_without_logits_cannot_teach(trials, tmp_path):
    file = saved(Strict(), tmp_path / "w.safetensors")
    with pytest.raises(InvalidRecipe, match=r"no judge\(\)") as error:
        find(f"silent:{file}", trials).ready(OPTIONS)
    assert "calibrate" in error.value.hint


def test_weights_of_an_objective_cannot_teach(trials, tmp_path):
    file = saved(Strict(), tmp_path / "w.safetensors", objective="oc-softmax")
    with pytest.raises(InvalidRecipe, match="no log-odds") as error:
        find(f"strict:{file}", trials)
    assert "calibrate" in error.value.hint


def test_who_learned_from_what_eval_chose_says_so(tiny, trials, tmp_path):
    file = saved(Strict(), tmp_path / "w.safetensors", chosen_by_eval=("x-eval",))
    taught = replace(task(tiny, tmp_path / "t"), aims=Aims(teacher=find(f"strict:{file}", trials)))
    assert taught.origin(epoch=1, dev_eer=0.1).chosen_by_eval == ("x-eval",)


@pytest.mark.parametrize(
    ("wanted", "samples", "error", "said"),
    [
        ("nowhere.txt", None, InvalidRecipe, "no such score file"),
        ("strict:", None, InvalidRecipe, "no such score file"),
        ("strikt:w.pth", None, UnknownName, "no model 'strikt'"),
        ("strict:w.pth", 3_000, UnknownName, "teacher w.pth: strict has no published weights"),
        ("strict:w.pth", None, InvalidRecipe, "at most 3,000.*says whole utterances, of 1 or more"),
        ("slow:w.pth", None, InvalidRecipe, "8,000 Hz, not 16,000"),
        ("strict:w.pth", 99, InvalidRecipe, "at least 100 samples and at most 3,000.*says 99"),
        ("strict:w.pth", 3_001, InvalidRecipe, "at most 3,000 samples|at most 3,000"),
    ],
)
def test_a_teacher_that_is_not_there_or_does_not_fit_is_refused(
    trials, wanted, samples, error, said
):
    with pytest.raises(error, match=said):
        find(wanted, trials, samples)
