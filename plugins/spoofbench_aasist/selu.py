"""SELU from `exp2`: on a processor twice as fast as torch's, which asks for `expm1`.

``selu(x) = AFTER * bare(BEFORE * x)``, and filters before and after can take in the factors. Where
it differs from torch's is the rounding of a number near 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805
BEFORE = 1 / math.log(2)
AFTER = SCALE * ALPHA

_HALF = (torch.bfloat16, torch.float16)
"""Next to 1 their steps are wide: they need `expm1`."""


def selu_(values: Tensor) -> Tensor:
    """Replace ``values``, of any shape, by what `torch.nn.functional.selu` gives for them."""
    if values.dtype in _HALF:
        return functional.selu_(values)
    below = (values * BEFORE).clamp_(max=0).exp2_()
    below.add_(values.clamp_(min=0), alpha=1 / ALPHA)
    return torch.add(values.new_tensor(-AFTER), below, alpha=AFTER, out=values)


def bare_(values: Tensor) -> Tensor:
    """Return ``selu(values / BEFORE) / AFTER``; what is in ``values`` is lost."""
    slope = 1 / (ALPHA * BEFORE)
    if values.dtype in _HALF:
        return torch.ops.aten.elu_(values, 1 / slope, slope, 1 / BEFORE)  # type: ignore[no-any-return]
    below = values.clamp(max=0).exp2_().sub_(1)
    return below.add_(values.clamp_(min=0), alpha=slope)
