"""The loss of a lesson, against arithmetic in numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from small import Small
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.objectives import ByObjective
from spoofbench.training.lesson import Keys, Lesson, softened
from spoofbench.training.recipe import Recipe
from spoofbench.trials import Trial

NAMES = ("a", "b", "c")
TRIALS = [
    Trial(utterance=name, speaker=name, attack="-", bonafide=True, audio=name) for name in NAMES
]
KEYS = torch.tensor([True, False, False])
OTHERS = torch.tensor([False, False, True])
ODDS = {"a": 2.0, "b": -1.0, "c": 0.5}


class Fixed(nn.Module):
    """An objective that says the same of everything, but for its key and who it is."""

    def __init__(self, spoof: float, bonafide: float) -> None:
        super().__init__()
        self.said = (spoof, bonafide)

    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Sequence[Trial]) -> Tensor:
        place = torch.tensor([float(NAMES.index(trial.utterance)) for trial in trials])
        return torch.tensor(self.said)[bonafide.long()] + place

    def score(self, embedded: Tensor) -> Tensor:
        return embedded[:, 0]


class Knowing:
    """A teacher that knows the utterances by name."""

    def log_odds(
        self, audio: Tensor, lengths: Tensor, named: Sequence[Sequence[str]]
    ) -> Sequence[Tensor]:
        return [torch.tensor([ODDS[name] for name in names]) for names in named]


def model() -> Small:
    torch.manual_seed(4)
    return Small().eval()


def audio() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 400, generator=generator), torch.full((3,), 400)


def logits() -> np.ndarray:
    made = model()
    return made.judge(made.embed(*audio())).detach().double().numpy()


def entropies(keys: Tensor) -> np.ndarray:
    """The cross entropies of the model's own logits, from their softmax."""
    shares = np.exp(logits()) / np.exp(logits()).sum(axis=1, keepdims=True)
    return -np.log(shares[np.arange(3), keys.long().numpy()])


def keys(bonafide: Tensor = KEYS, share: float = 1.0, names: tuple[str, ...] = NAMES) -> Keys:
    return Keys(bonafide, names, torch.full((3,), share))


def lesson(
    judged: nn.Module | None = None,
    added: Sequence[tuple[nn.Module, float]] = (),
    teacher: Any = None,
    **said: Any,
) -> Lesson:
    plain = {"bonafide_weight": 1.0, "spoof_weight": 1.0}
    return Lesson(
        judged or model(),
        added,
        recipe=Recipe(**(plain | said)),
        trials=TRIALS,
        teacher=teacher,
    ).eval()


def losses(made: Lesson, *given: Keys) -> list[float]:
    return made.loss(*audio(), *(given or (keys(),))).tolist()


def test_without_objectives_it_is_the_models_own_loss():
    theirs = model().loss(*audio(), KEYS).tolist()
    assert losses(lesson()) == pytest.approx(theirs)
    assert losses(lesson()) == pytest.approx(entropies(KEYS).tolist(), rel=1e-5)


def test_classes_are_weighed():
    expected = np.array([0.9, 0.1, 0.1]) * entropies(KEYS)
    weighed = lesson(bonafide_weight=0.9, spoof_weight=0.1)
    assert losses(weighed) == pytest.approx(expected.tolist(), rel=1e-5)


def test_the_models_own_loss_may_be_focal():
    own = entropies(KEYS)
    expected = (1 - np.exp(-own)) ** 2 * own
    assert losses(lesson(focal_gamma=2.0)) == pytest.approx(expected.tolist(), rel=1e-5)


def test_added_losses_are_added_by_their_weights():
    added = [(Fixed(1.0, 2.0), 0.5), (Fixed(10.0, 20.0), 0.25)]
    place = np.arange(3)
    expected = (
        entropies(KEYS)
        + 0.5 * (np.array([2.0, 1, 1]) + place)
        + 0.25 * (np.array([20.0, 10, 10]) + place)
    )
    assert losses(lesson(added=added)) == pytest.approx(expected.tolist(), rel=1e-5)


def test_an_objective_that_judges_takes_the_place_of_the_models_own_loss():
    judged = ByObjective(model(), Fixed(1.0, 2.0))
    assert losses(lesson(judged)) == pytest.approx([2.0, 2.0, 3.0])
    assert torch.equal(judged.score(*audio()), model().embed(*audio())[:, 0])


def test_mixed_keys_are_added_up_by_their_shares():
    """The loss by either key, the class weights of either, and the trials of either."""
    given = (keys(share=0.7), keys(OTHERS, 0.3, ("b", "c", "a")))
    made = lesson(added=[(Fixed(1.0, 2.0), 2.0)], bonafide_weight=3.0)
    one = entropies(KEYS) + 2 * (np.array([2.0, 1, 1]) + np.array([0, 1, 2]))
    other = entropies(OTHERS) + 2 * (np.array([1.0, 1, 2]) + np.array([1, 2, 0]))
    expected = 0.7 * np.array([3, 1, 1]) * one + 0.3 * np.array([1, 1, 3]) * other
    assert losses(made, *given) == pytest.approx(expected.tolist(), rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_a_teacher_has_its_share_of_the_loss(temperature):
    """T^2 times the cross entropy of two softmaxes over (spoof, bona fide), logits over T."""
    made = lesson(teacher=Knowing(), teacher_weight=0.8, temperature=temperature)
    expected = []
    for n, name in enumerate(NAMES):
        taught = np.exp(np.array([0, ODDS[name]]) / temperature)
        own = np.exp(logits()[n] / temperature)
        entropy = -(taught / taught.sum() * np.log(own / own.sum())).sum()
        expected.append(0.2 * entropies(KEYS)[n] + 0.8 * temperature**2 * entropy)
    assert losses(made) == pytest.approx(expected, rel=1e-5)


def test_a_mixture_is_taught_what_a_file_says_of_either_utterance():
    made = lesson(teacher=Knowing(), teacher_weight=1.0)
    mixture = losses(made, keys(share=0.6), keys(OTHERS, 0.4, ("b", "c", "a")))
    one, other = losses(made), losses(made, keys(OTHERS, 1.0, ("b", "c", "a")))
    expected = [0.6 * a + 0.4 * b for a, b in zip(one, other, strict=True)]
    assert mixture == pytest.approx(expected, rel=1e-5)


def test_whoever_answers_as_the_teacher_does_learns_nothing_more():
    taught = torch.tensor([2.0, -1.0, 0.3], dtype=torch.float64)
    own = taught.clone().requires_grad_()
    softened(own, taught, 2.0).sum().backward()
    assert own.grad.abs().max() < 1e-12


def test_at_a_high_temperature_log_odds_are_matched_by_their_squares():
    """Hinton et al., section 2.1: learning from a hot teacher is the matching of logits.

    A sigmoid is 1 / 2 + x / 4 about zero, so that the gradient goes to (own - taught) / 4.
    """
    own = torch.tensor([1.5, -2.0], dtype=torch.float64, requires_grad=True)
    taught = torch.tensor([0.25, 1.0], dtype=torch.float64)
    softened(own, taught, 1e4).sum().backward()
    assert own.grad.tolist() == pytest.approx(((own - taught) / 4).tolist(), rel=1e-6)


def test_the_gradients_of_a_softened_answer_are_those_of_small_steps():
    own = torch.tensor([1.5, -2.0, 0.1], dtype=torch.float64, requires_grad=True)
    taught = torch.tensor([0.25, 1.0, -3.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda given: softened(given, taught, 2.5), own)


def test_a_certain_teacher_is_a_key():
    own = torch.tensor([1.5, -2.0], dtype=torch.float64)
    certain = torch.tensor([1e4, -1e4], dtype=torch.float64)
    theirs = functional.binary_cross_entropy_with_logits(
        own, torch.tensor([1.0, 0.0], dtype=torch.float64), reduction="none"
    )
    assert softened(own, certain, 1.0).tolist() == pytest.approx(theirs.tolist())
    assert math.isfinite(float(softened(1e4 * own, certain, 1.0).sum()))


def test_the_teacher_is_no_part_of_what_learns():
    class Module(nn.Linear, Knowing):
        pass

    made = lesson(teacher=Module(2, 2), added=[(nn.Linear(2, 3), 1.0)])
    names = {name.partition(".")[0] for name in made.state_dict()}
    assert names == {"judged", "added"}
