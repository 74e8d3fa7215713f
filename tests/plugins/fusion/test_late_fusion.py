"""Late fusion: a weighted sum, whose weights learn, and whose members learn by themselves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.plugins import catalogue
from spoofbench_fusion.model import MEMBERS, LateFusion


class Level(nn.Module):
    """A member that scores by a slope times the mean."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return self.slope * audio.mean(dim=1)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(
            self.score(audio, lengths), bonafide.float(), reduction="none"
        )


AUDIO = torch.tensor([[1.0, 3.0], [-1.0, -3.0]])
LENGTHS = torch.tensor([2, 2])
BONAFIDE = torch.tensor([True, False])


@pytest.fixture
def fusion() -> LateFusion:
    return LateFusion({"one": Level(2.0), "other": Level(-1.0)})


def test_the_score_is_the_weighted_sum(fusion: LateFusion) -> None:
    with torch.no_grad():
        fusion.weight.copy_(torch.tensor([0.5, 2.0]))
        fusion.bias.fill_(0.25)
    assert fusion.score(AUDIO, LENGTHS).tolist() == [0.5 * 4 - 2 * 2 + 0.25, -2 + 4 + 0.25]


def test_members_learn_as_if_they_were_alone(fusion: LateFusion) -> None:
    fusion.loss(AUDIO, LENGTHS, BONAFIDE).sum().backward()
    for slope, member in zip((2.0, -1.0), fusion.members.values(), strict=True):
        alone = Level(slope)
        alone.loss(AUDIO, LENGTHS, BONAFIDE).sum().backward()
        assert member.slope.grad.item() == pytest.approx(alone.slope.grad.item())


def test_the_weight_of_the_member_that_is_wrong_falls(fusion: LateFusion) -> None:
    fusion.loss(AUDIO, LENGTHS, BONAFIDE).sum().backward()
    right, wrong = fusion.weight.grad.tolist()
    assert right < 0 < wrong


def test_its_members_are_those_on_offer() -> None:
    model = catalogue().models.get("late-fusion").spec.resolve()()
    assert tuple(model.members) == MEMBERS
    sizes = [sum(p.numel() for p in member.parameters()) for member in model.members.values()]
    assert sizes == [catalogue().models.get(name).spec.parameters for name in MEMBERS]
