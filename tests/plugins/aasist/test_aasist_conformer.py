"""AASIST with a conformer: it knows the order of frames, and any length that AASIST takes."""

from __future__ import annotations

import pytest
import torch

from spoofbench_aasist.conformer import AasistConformer
from spoofbench_aasist.model import aasist


@pytest.fixture(scope="module")
def model() -> AasistConformer:
    torch.manual_seed(0)
    return AasistConformer().eval()


def test_front_end_and_encoder_are_those_of_aasist(model: AasistConformer) -> None:
    own, theirs = model.state_dict(), aasist().state_dict()
    shared = [n for n in theirs if n.startswith(("frontend.", "encoder."))]
    assert shared
    assert all(own[name].shape == theirs[name].shape for name in shared)


@pytest.mark.parametrize("samples", [2_315, 30_000])
def test_it_takes_any_length_from_the_shortest_on(model: AasistConformer, samples: int) -> None:
    with torch.no_grad():
        assert model(0.1 * torch.ones(1, samples)).shape == (1, 2)


def test_what_is_too_short_is_refused(model: AasistConformer) -> None:
    with pytest.raises(ValueError, match="2,315"):
        model(torch.zeros(1, 2_314))


def test_it_hears_the_order_of_frames(model: AasistConformer) -> None:
    """AASIST's attention over frames does not: their graph has no positions."""
    frames = torch.randn(1, 29, 64, generator=torch.Generator().manual_seed(1))
    count = torch.tensor([29])
    with torch.no_grad():
        forth, _ = model.conformer(frames, count)
        back, _ = model.conformer(frames.flip(1), count)
    assert not torch.allclose(forth.mean(1), back.mean(1), atol=1e-3)
