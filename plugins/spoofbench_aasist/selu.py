"""SELU in place, from `exp2`: on a processor twice as fast as torch's, which asks for `expm1`.

They differ by the rounding of a number near 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805


def selu_(values: Tensor) -> Tensor:
    """Replace ``values``, of any shape, by what `torch.nn.functional.selu` gives for them."""
    if values.dtype in (torch.bfloat16, torch.float16):
        return functional.selu_(values)  # their steps next to 1 are wide: there `expm1` is needed
    below = (values * (1 / math.log(2))).clamp_(max=0).exp2_()
    below.add_(values.clamp_(min=0), alpha=1 / ALPHA)
    offset = values.new_tensor(-SCALE * ALPHA)
    return torch.add(offset, below, alpha=SCALE * ALPHA, out=values)
