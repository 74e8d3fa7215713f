"""SELU from `exp2`: on a processor twice as fast as torch's, which asks for `expm1`.

Where it differs from torch's is the rounding of a number near 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805
TO_TWO = 1 / math.log(2)
"""``exp(x)`` is ``exp2(TO_TWO * x)``."""
KNEE = ALPHA * TO_TWO
"""Shifted by so much, values need no sum that takes SELU to zero at zero: a pass less."""

_HALF = (torch.bfloat16, torch.float16)
"""Next to 1 their steps are wide: they need `expm1`."""


def selu_(values: Tensor) -> Tensor:
    """Replace ``values``, of any shape, by what `torch.nn.functional.selu` gives for them."""
    if values.dtype in _HALF:
        return functional.selu_(values)
    below = (values * TO_TWO).clamp_(max=0).exp2_()
    below.add_(values.clamp_(min=0), alpha=1 / ALPHA)
    after = SCALE * ALPHA
    return torch.add(values.new_tensor(-after), below, alpha=after, out=values)


class Activation(NamedTuple):
    """SELU less what filters can do: ``selu(x) = after * activation(before * x - shift)``."""

    before: float
    shift: float
    after: float
    function: Callable[[Tensor], Tensor]

    def __call__(self, values: Tensor) -> Tensor:
        """Return it of ``values``, of any shape; what is in them is lost."""
        return self.function(values)


def bare(dtype: torch.dtype) -> Activation:
    """Return what is left of SELU for values of ``dtype``."""
    if dtype in _HALF:
        return Activation(1, 0, 1, functional.selu_)
    return Activation(TO_TWO, KNEE, SCALE * ALPHA * math.exp2(KNEE), _from_exp2)


def _from_exp2(values: Tensor) -> Tensor:
    """Return ``min(exp2(x), 1) - 1 + max(x, 0) / KNEE`` over ``exp2(KNEE)``, of ``x - KNEE``."""
    most = math.exp2(-KNEE)
    below = values.exp2().clamp_(max=most)
    return below.add_(values.clamp_(min=-KNEE), alpha=most / KNEE)
