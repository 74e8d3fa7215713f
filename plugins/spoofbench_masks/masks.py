"""The masks of SpecAugment, on waveforms.

Park et al. (2019), "SpecAugment: a simple data augmentation method for automatic speech
recognition", Interspeech, arXiv 1904.08779. There they lie on a spectrogram; here on the sound that
a model of waveforms takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from spoofbench import Context
from spoofbench.robustness.batched import Batched
from spoofbench.robustness.blocks import joined, response, spectra

TRANSITION_HZ = 100.0
"""From where all of a sound passes to where it is weaker by `STOP_DB`."""
STOP_DB = 60.0
"""How much weaker what is left out becomes at least."""


class FrequencyMask(Batched):
    """Leaves out a band."""

    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)`` without a band of at most ``levels`` Hz.

        Its edges go into the notes of each row's context.
        """
        half_rate = contexts[0].rate / 2
        masks = _drawn(levels.clamp(max=half_rate), half_rate, contexts)
        for low, high, context in zip(
            masks.start.tolist(), masks.end.tolist(), contexts, strict=True
        ):
            context.notes.update(from_hz=low, to_hz=high)
        taps = _band_stop(masks.start / half_rate, masks.end / half_rate, contexts[0].rate)
        reach = taps.shape[-1] - 1
        passed = spectra(audio.double(), reach) * response(taps).to(audio.device)[:, None]
        return joined(passed, audio.shape[-1], reach).to(audio.dtype)


class TimeMask(Batched):
    """Silences a stretch."""

    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)`` with at most ``levels`` ms of it zero.

        Where that begins and ends goes into the notes of each row's context.
        """
        rate, samples = contexts[0].rate, audio.shape[-1]
        masks = _drawn((levels * rate / 1000).clamp(max=samples), samples, contexts)
        start, end = masks.start.round(), masks.end.round()
        for first, last, context in zip(start.tolist(), end.tolist(), contexts, strict=True):
            context.notes.update(from_s=first / rate, to_s=last / rate)
        place = torch.arange(samples, device=audio.device)
        is_masked = (place >= start.to(audio.device)[:, None]) & (
            place < end.to(audio.device)[:, None]
        )
        return audio.masked_fill(is_masked, 0.0)


class _Masks(NamedTuple):
    """Where the mask of each row begins and ends, both ``(batch,)``."""

    start: Tensor
    end: Tensor


def _drawn(widest: Tensor, whole: float, contexts: Sequence[Context]) -> _Masks:
    """Draw masks up to ``widest`` ``(batch,)`` out of ``whole``, all as likely."""
    drawn = torch.stack(
        [torch.rand(2, generator=context.random, dtype=torch.float64) for context in contexts]
    )
    width = widest * drawn[:, 0]
    start = (whole - width) * drawn[:, 1]
    return _Masks(start=start, end=start + width)


def _band_stop(low: Tensor, high: Tensor, rate: int) -> Tensor:
    """Return the taps ``(batch, reach + 1)`` of linear-phase filters from the middle on.

    ``low`` and ``high`` ``(batch,)`` are edges as shares of half the rate. Kaiser's window method,
    6 dB more than `STOP_DB`: at 0 Hz and half the rate, two edges may add up their errors.
    """
    from scipy.signal import kaiserord

    count, beta = kaiserord(STOP_DB + 6, TRANSITION_HZ / (rate / 2))
    reach = count // 2
    place = torch.arange(reach + 1, dtype=torch.float64)
    window = torch.special.i0(beta * (1 - (place / reach) ** 2).clamp(min=0).sqrt())
    low, high = low[:, None], high[:, None]
    band = high * torch.sinc(high * place) - low * torch.sinc(low * place)
    taps: Tensor = (place == 0).to(band) - band * window / torch.special.i0(
        torch.tensor(beta).to(band)
    )
    return taps
