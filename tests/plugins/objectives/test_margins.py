"""OC-Softmax and AM-Softmax against arithmetic in numpy, limits, and gradients in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench import ObjectiveContext
from spoofbench.contracts import JudgingObjective
from spoofbench.plugins import catalogue
from spoofbench_objectives.margins import AmSoftmax, OcSoftmax

WIDTH = 5
KEYS = torch.tensor([True, False, True, False])


def embeddings(count: int = 4) -> Tensor:
    return torch.randn(
        count, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )


def made(kind: type[nn.Module], *options: float) -> nn.Module:
    torch.manual_seed(2)
    return kind(ObjectiveContext(width=WIDTH, options=options)).double()


def cosines(one: Tensor, other: Tensor) -> np.ndarray:
    """Cosines of the rows of ``one`` with those of ``other``, by the law of cosines."""
    a, b = one.detach().numpy(), other.detach().numpy()
    squares = (a**2).sum(1)[:, None], (b**2).sum(1)[None]
    apart = ((a[:, None] - b[None]) ** 2).sum(2)
    return (squares[0] + squares[1] - apart) / (2 * np.sqrt(squares[0] * squares[1]))


def test_oc_softmax_is_the_published_formula():
    """Equation 4 of the paper: log(1 + exp(alpha (m_y - w x) (-1)^y)), y = 0 for bona fide."""
    objective, given = made(OcSoftmax, 0.9, 0.2, 20.0), embeddings()
    cosine = cosines(given, objective.direction)[:, 0]
    expected = [
        math.log(1 + math.exp(20 * ((0.9 if real else 0.2) - c) * (-1) ** (not real)))
        for real, c in zip(KEYS.tolist(), cosine, strict=True)
    ]
    assert objective.loss(given, KEYS, ()).tolist() == pytest.approx(expected)
    assert objective.score(given).tolist() == pytest.approx(cosine.tolist())


def test_oc_softmax_on_the_margin_is_the_logarithm_of_two():
    objective = made(OcSoftmax, 0.6, 0.6, 20.0)
    with torch.no_grad():
        objective.direction.copy_(functional.one_hot(torch.tensor([0]), WIDTH))
    on_it = torch.tensor([[3.0, 4.0, 0, 0, 0]], dtype=torch.float64)  # at a cosine of 0.6
    for key in (True, False):
        assert objective.loss(on_it, torch.tensor([key]), ()).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(("sign", "key"), [(1.0, True), (-1.0, False)])
def test_oc_softmax_has_nothing_against_what_lies_beyond_the_margins(sign, key):
    objective = made(OcSoftmax, 0.9, 0.2, 500.0)
    beyond = sign * 7 * objective.direction
    assert objective.loss(beyond, torch.tensor([key]), ()).item() == pytest.approx(0, abs=1e-12)
    assert objective.loss(beyond, torch.tensor([not key]), ()).item() > 50


def test_am_softmax_without_a_margin_is_the_cross_entropy_of_scaled_cosines():
    objective, given = made(AmSoftmax, 0.0, 30.0), embeddings()
    logits = 30 * torch.tensor(cosines(given, objective.directions))
    theirs = functional.cross_entropy(logits, KEYS.long(), reduction="none")
    assert torch.allclose(objective.loss(given, KEYS, ()), theirs)


def test_am_softmax_is_the_published_formula():
    """-log of e^{s (cos y - m)} over itself and e^{s cos j}, for the one other class j."""
    objective, given = made(AmSoftmax, 0.35, 30.0), embeddings()
    cosine = cosines(given, objective.directions)
    expected = []
    for row, real in zip(cosine, KEYS.tolist(), strict=True):
        right = math.exp(30 * (row[int(real)] - 0.35))
        expected.append(-math.log(right / (right + math.exp(30 * row[int(not real)]))))
    assert objective.loss(given, KEYS, ()).tolist() == pytest.approx(expected)


def test_the_score_of_am_softmax_is_the_log_odds_of_its_softmax():
    objective, given = made(AmSoftmax, 0.35, 4.0), embeddings()
    softmax = np.exp(4 * cosines(given, objective.directions))
    odds = softmax[:, 1] / softmax[:, 0]
    assert objective.score(given).tolist() == pytest.approx(np.log(odds).tolist())


@pytest.mark.parametrize(
    ("kind", "options"), [(OcSoftmax, (0.9, 0.2, 5.0)), (AmSoftmax, (0.35, 5.0))]
)
class TestBoth:
    def test_the_length_of_an_embedding_does_not_matter(self, kind, options):
        objective, given = made(kind, *options), embeddings()
        assert torch.allclose(objective.loss(given, KEYS, ()), objective.loss(17 * given, KEYS, ()))

    def test_the_gradients_are_those_of_small_steps(self, kind, options):
        objective, given = made(kind, *options), embeddings().requires_grad_()
        (learned,) = objective.parameters()

        def loss(given: Tensor, learned: Tensor) -> Tensor:
            (name,) = dict(objective.named_parameters())
            return torch.func.functional_call(
                _Loss(objective), {f"objective.{name}": learned}, (given,)
            )

        assert torch.autograd.gradcheck(loss, (given, learned.detach().requires_grad_()))

    def test_learning_raises_the_score_of_bona_fide_above_that_of_spoofs(self, kind, options):
        objective, given = made(kind, *options), embeddings().requires_grad_()
        optimiser = torch.optim.Adam([given, *objective.parameters()], lr=0.05)
        for _ in range(100):
            optimiser.zero_grad()
            objective.loss(given, KEYS, ()).sum().backward()
            optimiser.step()
        scores = objective.score(given)
        assert scores[KEYS].min() > scores[~KEYS].max()


class _Loss(nn.Module):
    def __init__(self, objective: nn.Module) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, given: Tensor) -> Tensor:
        return self.objective.loss(given, KEYS, ())


@pytest.mark.parametrize("name", ["oc-softmax", "am-softmax"])
def test_it_is_made_of_its_options_in_their_order(name: str):
    """The usual numbers are the published ones: Zhang et al., and Wang et al."""
    spec = catalogue().objectives.get(name).spec
    usual = tuple(value for _, value in spec.options)
    objective = spec.resolve()(ObjectiveContext(width=3, options=usual))
    assert isinstance(objective, JudgingObjective)
    assert {option: getattr(objective, option) for option, _ in spec.options} == {
        "oc-softmax": {"bonafide_margin": 0.9, "spoof_margin": 0.2, "scale": 20.0},
        "am-softmax": {"margin": 0.35, "scale": 30.0},
    }[name]
