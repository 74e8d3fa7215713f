import re
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from spoofbench import estimate
from spoofbench.scoring import Options

OPTIONS = Options(device=torch.device("cpu"), samples=50, root=Path())


class Slow(nn.Module):
    """Takes 20 ms for each utterance that it is given, and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.shapes: list[tuple[int, ...]] = []

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        self.shapes.append(tuple(audio.shape))
        assert lengths.tolist() == [audio.shape[1]] * len(audio)
        time.sleep(0.02 * len(audio))
        return audio.mean(dim=1) * self.weight

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return self.score(audio, lengths) + torch.rand(1)


@pytest.mark.parametrize("measured", ["scoring", "training"])
def test_the_time_of_one_utterance_is_measured(measured):
    if measured == "scoring":
        seconds = estimate.scoring_seconds(Slow(), OPTIONS)
    else:
        seconds = estimate.training_seconds(Slow(), OPTIONS, 50)
    assert 0.02 <= seconds < 0.2


def test_a_model_that_takes_whole_utterances_is_measured_on_four_seconds():
    model = Slow()
    estimate.training_seconds(model, OPTIONS, None)
    assert set(model.shapes) == {(2, 4 * 16_000)}


def test_measuring_leaves_no_gradients_and_no_traces_in_the_random_state():
    model, before = Slow(), torch.get_rng_state()
    estimate.training_seconds(model, OPTIONS, 50)
    estimate.scoring_seconds(model, OPTIONS)
    assert model.weight.grad is None
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.01, "about 1 s"),
        (89, "about 89 s"),
        (180, "about 3 min"),
        (3_600, "about 60 min"),
        (2 * 3_600, "about 2 h"),
        (3 * 86_400, "about 3 days"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds, words):
    assert estimate.in_words(seconds) == words


def test_no_duration_is_said_with_more_than_a_few_digits():
    for seconds in (10.0**k for k in range(-3, 6)):
        assert re.fullmatch(r"about \d{1,2} (s|min|h|days)", estimate.in_words(seconds))
