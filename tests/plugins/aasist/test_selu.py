"""SELU from `exp2` is SELU, but for rounding."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from spoofbench_aasist import selu

PRECISE = [(torch.float64, 1e-14), (torch.float32, 1e-6)]


def numbers(dtype: torch.dtype) -> Tensor:
    """Return numbers of both signs, large, small and next to nothing."""
    sizes = torch.logspace(-30, 2, 321, dtype=torch.float64)
    return torch.cat([-sizes, torch.zeros(1), sizes]).to(dtype)


@pytest.mark.parametrize(("dtype", "near"), PRECISE)
def test_it_is_that_of_torch(dtype: torch.dtype, near: float):
    given = numbers(dtype)
    expected = functional.selu(given.double())
    found = selu.selu_(given.clone()).double()
    assert torch.allclose(found, expected, rtol=near, atol=near)


@pytest.mark.parametrize(("dtype", "near"), PRECISE)
def test_with_what_is_left_to_filters_the_bare_one_is_the_same(dtype: torch.dtype, near: float):
    given = numbers(dtype)
    bare = selu.bare(dtype)
    found = bare.after * bare(bare.before * given - bare.shift).double()
    assert torch.allclose(found, functional.selu(given.double()), rtol=near, atol=near)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_in_half_precision_they_err_by_the_last_bit_only(dtype: torch.dtype):
    given = numbers(dtype)
    exact = functional.selu(given.double())
    step = torch.finfo(dtype).eps * exact.abs() + torch.finfo(dtype).smallest_normal
    bare = selu.bare(dtype)
    assert (bare.before, bare.shift, bare.after) == (1, 0, 1)
    for activate in (selu.selu_, bare):
        assert ((activate(given.clone()).double() - exact).abs() <= step).all()


@pytest.mark.parametrize(
    ("activate", "after"),
    [(selu.selu_, 1), (selu.bare(torch.float32), selu.bare(torch.float32).after)],
)
def test_the_ends_and_what_is_no_number(activate, after):
    found = after * activate(torch.tensor([-math.inf, math.inf, math.nan]))
    assert found[0] == pytest.approx(-selu.ALPHA * selu.SCALE)
    assert found[1] == math.inf
    assert found[2].isnan()


def test_it_is_done_in_place():
    given = numbers(torch.float32)
    assert selu.selu_(given).data_ptr() == given.data_ptr()
