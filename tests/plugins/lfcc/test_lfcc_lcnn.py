"""LFCC-LCNN: its size against the published one, and what its parts do."""

from __future__ import annotations

import pytest
import torch

from spoofbench.plugins import catalogue
from spoofbench_lfcc.lcnn import DEEP, MIN_SAMPLES, LfccLcnn, MaxFeature


def test_it_is_as_large_as_published_but_for_the_head() -> None:
    """The 276 k that are published are of the head for P2SGrad: 64 outputs, then two cosines."""
    own = sum(parameter.numel() for parameter in LfccLcnn().parameters())
    sigmoid, cosines = DEEP + 1, (DEEP + 1) * 64 + 2 * 64
    assert round((own - sigmoid + cosines) / 1000) == 276


def test_the_larger_of_two_channels_stays() -> None:
    layer = MaxFeature(1, 1, 1)
    with torch.no_grad():
        layer.convolution.weight.copy_(torch.tensor([2.0, -3.0]).view(2, 1, 1, 1))
        layer.convolution.bias.zero_()
        given = layer(torch.tensor([[[[1.0, -1.0]]]]))
    assert given.flatten().tolist() == [2.0, 3.0]


def test_the_shortest_input_leaves_one_frame() -> None:
    model = LfccLcnn().eval()
    assert catalogue().models.get("lfcc-lcnn").spec.min_samples == MIN_SAMPLES
    with torch.no_grad():
        assert model.score(torch.zeros(1, MIN_SAMPLES), torch.tensor([MIN_SAMPLES])).shape == (1,)
        with pytest.raises(ValueError, match="2,720"):
            model.score(torch.zeros(1, MIN_SAMPLES - 1), torch.tensor([MIN_SAMPLES - 1]))


def test_frames_keep_their_channels_together() -> None:
    """What the LSTM reads of a frame are the 32 channels of its 3 pooled coefficients."""
    model = LfccLcnn().eval()
    seen = []
    model.recurrent[0].register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    audio = 0.1 * torch.randn(1, 64_600, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.score(audio, torch.tensor([64_600]))
    assert seen[0].shape == (1, (64_600 - 320) // 160 // 16 + (1 if 402 % 16 == 15 else 0), DEEP)
