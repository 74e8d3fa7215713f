"""The plain transcription is the published network: what is measured against it means something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plain_aasist
import pytest
import torch
from plain_aasist import PlainAasist

from spoofbench_aasist.model import Aasist, aasist


@pytest.mark.reference
def test_the_published_weights_load_strictly_and_give_the_published_logits(reference: Path):
    plain = PlainAasist().eval()
    file = next((reference / "checkpoints").rglob("AASIST.pth"))
    plain.load_state_dict(torch.load(file, weights_only=True, map_location="cpu"))
    parity = np.load(reference / "parity" / "aasist.npz")
    with torch.no_grad():
        given = plain(torch.from_numpy(parity["audio"]).float())
    assert np.abs(given.numpy() - parity["logits_float32"]).max() < 1e-4


def pair() -> tuple[PlainAasist, Aasist]:
    torch.manual_seed(0)
    plain, ours = PlainAasist().double(), aasist().double()
    plain.filters = plain.filters.double()
    ours.load_state_dict(ours.rename_published(plain.state_dict()))
    ours.frontend.filters = plain.filters[:69].clone()
    return plain, ours


def test_it_has_as_many_parameters_as_published():
    assert sum(p.numel() for p in PlainAasist().parameters()) == 297_866


def test_loss_and_gradients_in_training_are_those_of_the_plain_form(
    monkeypatch: pytest.MonkeyPatch,
):
    """Dropout draws in another order there, so it is switched off; batch norm is in training."""
    plain, ours = pair()
    for model in (plain, ours):
        model.train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    generator = torch.Generator().manual_seed(1)
    audio = 0.1 * torch.randn(3, 4_000, generator=generator, dtype=torch.float64)
    bonafide = torch.tensor([True, False, True])
    monkeypatch.setattr(plain_aasist, "drop", lambda x, share, training: x)
    losses = [m.loss(audio, torch.full((3,), 4_000), bonafide) for m in (plain, ours)]
    assert torch.allclose(losses[0], losses[1], rtol=0, atol=1e-10)
    for loss in losses:
        loss.sum().backward()
    expected = ours.rename_published(
        {n: p.grad for n, p in plain.named_parameters() if p.grad is not None}
    )
    found = {n: p.grad for n, p in ours.named_parameters() if p.grad is not None}
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert torch.allclose(gradient, expected[name], rtol=1e-7, atol=1e-9), name
