"""The speaker as a second task."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from spoofbench import ObjectiveContext
from spoofbench.errors import InvalidRecipe
from spoofbench.trials import Trial
from spoofbench_objectives.speaker import SpeakerHead

KEYS = torch.tensor([True, False, True])


def trial(utterance: str, speaker: str) -> Trial:
    return Trial(utterance=utterance, speaker=speaker, attack="-", bonafide=True, audio="a")


TRIALS = [trial("1", "eve"), trial("2", "adam"), trial("3", "eve")]


def made(reversal: float = 0.0) -> SpeakerHead:
    torch.manual_seed(0)
    return SpeakerHead(
        ObjectiveContext(width=4, options=(reversal,), trials=[*TRIALS, trial("4", "abel")])
    ).double()


def embeddings() -> Tensor:
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_the_loss_is_minus_the_logarithm_of_the_speakers_share():
    head, given = made(), embeddings()
    logits = given.numpy() @ head.head.weight.detach().numpy().T + head.head.bias.detach().numpy()
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    speakers = ["abel", "adam", "eve"]
    expected = [-np.log(shares[n, speakers.index(t.speaker)]) for n, t in enumerate(TRIALS)]
    assert head.loss(given, KEYS, TRIALS).tolist() == pytest.approx(expected)


def test_the_gradients_are_those_of_small_steps():
    head = made()
    assert torch.autograd.gradcheck(
        lambda given: head.loss(given, KEYS, TRIALS), embeddings().requires_grad_()
    )


def test_reversed_the_head_learns_the_same_and_the_model_the_opposite():
    gradients = []
    for reversal in (0.0, 0.25):
        head, given = made(reversal), embeddings().requires_grad_()
        losses = head.loss(given, KEYS, TRIALS)
        losses.sum().backward()
        gradients.append((losses, head.head.weight.grad, given.grad))
    (plain, own, below), (turned, own_too, against) = gradients
    assert torch.equal(plain, turned)
    assert torch.equal(own, own_too)
    assert torch.allclose(against, -0.25 * below)


@pytest.mark.parametrize("trials", [(), [trial("1", "")], [trial("1", "eve"), trial("2", "eve")]])
def test_fewer_than_two_speakers_are_refused(trials):
    with pytest.raises(InvalidRecipe, match="tells speakers apart") as error:
        SpeakerHead(ObjectiveContext(width=4, options=(0.0,), trials=trials))
    assert "speaker" in error.value.hint
