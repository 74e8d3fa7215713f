"""A convolution of one channel as a product of matrices, several times as fast as torch's own.

For tiles of a few hundred frames torch takes a way that is made for small images. Here features are
``(frames, bands)``, and the last tap of all filters ``(width_out, taps + 1)`` meets nothing but
ones: its weight is their bias.
"""

from __future__ import annotations

import torch
from torch import Tensor

Shape = tuple[int, int]
"""Height and width of a filter: frames and bands."""
FIRST: Shape = (3, 2)
SHORTCUT: Shape = (3, 1)
"""Those of a residual block."""


def filters_of(weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``(width_out, 1, height, width)`` and ``(width_out,)`` as filters."""
    return torch.cat([weight.flatten(1), bias[:, None]], dim=1)


def patches(features: Tensor, shape: Shape) -> Tensor:
    """Return what each tap meets, ``(taps + 1, values)``, for each value of the response."""
    met = _shifted(features, shape)
    height, width, frames, bands = met.shape
    taps = features.new_empty(height * width + 1, frames, bands)
    taps[:-1].view_as(met).copy_(met)
    taps[-1] = 1
    return taps.flatten(1)


def convolved(features: Tensor, filters: Tensor, shape: Shape) -> Tensor:
    """Filter ``features``: ``(1, width_out, frames, bands)``, channels last."""
    frames, bands = (have - want + 1 for have, want in zip(features.shape, shape, strict=True))
    made = patches(features, shape).T @ filters.T
    return made.view(1, frames, bands, -1).permute(0, 3, 1, 2)


def add_convolved(features: Tensor, filters: Tensor, shape: Shape, onto: Tensor) -> None:
    """Add what `convolved` returns to ``onto``."""
    values = onto.permute(0, 2, 3, 1).flatten(0, 2)  # shares memory with it
    values.addmm_(patches(features, shape).T, filters.T)


def add_patches(met: Tensor, shape: Shape, onto: Tensor) -> None:
    """Add what belongs to each tap, as `patches` returns it but for the last, where it lies."""
    places = _shifted(onto, shape)
    for tap, own in enumerate(place for row in places for place in row):
        own += met[tap].view_as(own)


def _shifted(features: Tensor, shape: Shape) -> Tensor:
    """Return a view ``(height, width, frames, bands)``: what is met by the taps of each place."""
    (height, width), (frames, bands) = shape, features.shape
    return features.unfold(0, frames - height + 1, 1).unfold(1, bands - width + 1, 1)
