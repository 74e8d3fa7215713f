"""Filters as the tiles want them laid out, and their gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from spoofbench_aasist.tiles.tile import empty


def laid_out(filters: Tensor, features: Tensor) -> Tensor:
    """Return ``filters`` in the precision of ``features``, with strides that say channels last."""
    return filters.to(features).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


def turned(filters: Tensor, features: Tensor) -> Tensor:
    """Return the filters of the convolution that takes gradients back."""
    return laid_out(filters.transpose(0, 1).flip(2, 3), features)


def values_of(features: Tensor) -> Tensor:
    """Return ``(1, width, frames, bands)`` as ``(values, width)``, no less precise than float32."""
    values = features.permute(0, 2, 3, 1).flatten(0, 2)
    return values if values.dtype == torch.float64 else values.float()


def by_filters(filters: Tensor, features: Tensor, grad: Tensor, padding: int = 0) -> Tensor:
    """Return the gradient of ``filters``, that of what they made of ``features`` being ``grad``.

    ``padding`` is that of the bands. Products of matrices: faster than torch's own, which is made
    for small images.
    """
    own = values_of(grad)
    frames, bands = grad.shape[2:]
    out, width, height, shifts = filters.shape
    beside = _beside(features, shifts, bands, padding)
    made = [own.T @ values_of(beside[:, :, row : row + frames]).to(own) for row in range(height)]
    return torch.stack(made).view(height, out, shifts, width).permute(1, 3, 0, 2).to(filters)


def _beside(features: Tensor, shifts: int, bands: int, padding: int) -> Tensor:
    """Return beside every band the ``shifts - 1`` that follow: ``shifts`` times the channels."""
    _, width, frames, given = features.shape
    beside = empty(features, 1, frames, shifts * width, bands)
    for shift in range(shifts):
        own = beside[:, shift * width : (shift + 1) * width]
        first = max(padding - shift, 0)
        last = min(given + padding - shift, bands)
        own[..., :first] = 0
        own[..., last:] = 0
        own[..., first:last] = features[..., first + shift - padding : last + shift - padding]
    return beside
