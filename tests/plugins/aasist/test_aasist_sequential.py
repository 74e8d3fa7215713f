"""Attention one graph at a time equals attention over the whole batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spoofbench_aasist.model import Aasist, aasist, aasist_sequential
from spoofbench_aasist.sequential import SequentialGraphAttention


@pytest.fixture(scope="module")
def pair() -> tuple[Aasist, Aasist]:
    """Both models in float64, with the same random weights."""
    torch.manual_seed(0)
    batched, sequential = aasist().double(), aasist_sequential().double()
    sequential.load_state_dict(batched.state_dict())
    return batched, sequential


@pytest.fixture(scope="module")
def encoded() -> Tensor:
    """What the encoder gives for three utterances of full length: the graphs start here."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(3, 64, 29, 23, generator=generator, dtype=torch.float64)


def trained_once(model: Aasist, encoded: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits in training mode, and the gradients of their loss."""
    torch.manual_seed(2)  # the same dropout for both
    model.train().zero_grad()
    encoded = encoded.clone().requires_grad_()
    logits = model.head(model.dropout(model.readout(encoded)))
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0])).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    assert encoded.grad is not None
    return logits.detach(), {**gradients, "encoded": encoded.grad}


def test_it_has_the_same_parameters(pair: tuple[Aasist, Aasist]) -> None:
    batched, sequential = pair
    assert list(batched.state_dict()) == list(sequential.state_dict())


def test_an_attention_layer_runs_one_graph_at_a_time() -> None:
    calls = []
    layer = SequentialGraphAttention(4, 4, 1.0, 0.0)
    layer.pair.register_forward_hook(lambda module, inputs, output: calls.append(inputs[0].shape))
    layer(torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0)))
    assert calls == [(15, 4)] * 3, "a graph of 5 nodes has 15 pairs"


def test_it_gives_the_same_logits_for_audio(pair: tuple[Aasist, Aasist]) -> None:
    batched, sequential = (model.eval() for model in pair)
    generator = torch.Generator().manual_seed(1)
    audio = torch.randn(2, 5_000, generator=generator, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(sequential(audio), batched(audio), rtol=0, atol=1e-12)


def test_it_gives_the_same_readout_in_evaluation(
    pair: tuple[Aasist, Aasist], encoded: Tensor
) -> None:
    batched, sequential = (model.eval() for model in pair)
    with torch.inference_mode():
        expected = batched.readout(encoded)
        torch.testing.assert_close(sequential.readout(encoded), expected, rtol=0, atol=1e-12)


def test_it_gives_the_same_logits_and_gradients_in_training(
    pair: tuple[Aasist, Aasist], encoded: Tensor
) -> None:
    batched, sequential = pair
    expected, expected_gradients = trained_once(batched, encoded)
    logits, gradients = trained_once(sequential, encoded)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-10)
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected_gradients[name], rtol=1e-8, atol=1e-10)
