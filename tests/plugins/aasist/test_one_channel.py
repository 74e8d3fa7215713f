"""Products of matrices are the convolution of one channel, and patches find their places again."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from spoofbench_aasist.one_channel import (
    FIRST,
    SHORTCUT,
    Shape,
    add_convolved,
    add_patches,
    convolved,
    filters_of,
    patches,
)


def drawn(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [FIRST, SHORTCUT, (1, 1)])
def test_it_is_torchs_convolution(shape: Shape):
    features, weight, bias = drawn(9, 6), drawn(4, 1, *shape, seed=1), drawn(4, seed=2)
    expected = functional.conv2d(features[None, None], weight, bias)
    found = convolved(features, filters_of(weight, bias), shape)
    assert torch.allclose(found, expected, rtol=0, atol=1e-13)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_it_is_added_to_what_is_there():
    features, weight = drawn(9, 6), drawn(4, 1, *SHORTCUT, seed=1)
    onto = drawn(1, 4, 7, 6, seed=2).contiguous(memory_format=torch.channels_last)
    expected = onto + functional.conv2d(features[None, None], weight)
    add_convolved(features, filters_of(weight, torch.zeros(4)), SHORTCUT, onto)
    assert torch.allclose(onto, expected, rtol=0, atol=1e-13)


def test_the_last_tap_meets_ones():
    assert (patches(drawn(9, 6), FIRST)[-1] == 1).all()


@pytest.mark.parametrize("shape", [FIRST, SHORTCUT])
def test_adding_patches_is_the_transpose_of_taking_them(shape: Shape):
    """So it takes gradients back: ``patches(x) . y == x . add_patches(y)``."""
    features = drawn(9, 6)
    met = patches(features, shape)
    other = drawn(*met.shape, seed=1)
    other[-1] = 0  # what the ones get goes nowhere
    onto = torch.zeros_like(features)
    add_patches(other, shape, onto)
    assert torch.isclose((met * other).sum(), (features * onto).sum(), rtol=1e-12)
