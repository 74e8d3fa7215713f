"""Linear-frequency cepstral coefficients (LFCC), with their first and second differences.

Source: Sahidullah et al., "A comparison of features for synthetic speech detection", Interspeech
2015 (https://www.isca-archive.org/interspeech_2015/sahidullah15_interspeech.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from spoofbench.torchaudio_import import torchaudio

RATE = 16_000
_TINY = 2.2204e-16


@dataclass(frozen=True, kw_only=True)
class Lfcc:
    """How the coefficients are computed; lengths are in samples at 16 kHz."""

    window: int
    """Length of a frame, under a Hamming window."""
    hop: int
    """From one frame to the next."""
    filters: int
    """Triangular ones, evenly spaced from 0 Hz to ``top``."""
    size: int = 1_024
    """Of the Fourier transform."""
    coefficients: int = 20
    """Of each frame, with the zeroth; as many first and as many second differences follow."""
    top: float = 4_000.0
    """The highest frequency, in hertz. The field's baselines hear nothing above."""
    emphasis: float = 0.0
    """How much of the sample before is taken from each."""
    energy: bool = False
    """The logarithm of the frame's mean power in place of the zeroth coefficient."""

    @property
    def width(self) -> int:
        """Features of a frame."""
        return 3 * self.coefficients

    def __call__(self, audio: Tensor) -> Tensor:
        """Turn ``audio`` ``(..., time)``, at least a window long, into ``(..., frames, width)``."""
        if self.emphasis:
            audio = torch.cat(
                [audio[..., :1], audio[..., 1:] - self.emphasis * audio[..., :-1]], -1
            )
        frames = audio.unfold(-1, self.window, self.hop) * self._window.to(audio)
        power = torch.fft.rfft(frames, self.size).abs().square()
        bands = (power @ self._filters.to(power) + _TINY).log10()
        cepstra = bands @ self._transform.to(bands)  # (..., frames, coefficients)
        if self.energy:
            level = (power.mean(dim=-1, keepdim=True) + _TINY).log10()
            cepstra = torch.cat([level, cepstra[..., 1:]], dim=-1)
        once = self._differences(cepstra)
        return torch.cat([cepstra, once, self._differences(once)], dim=-1)

    @staticmethod
    def _differences(cepstra: Tensor) -> Tensor:
        given: Tensor = torchaudio().functional.compute_deltas(cepstra.mT, win_length=3)
        return given.mT

    @cached_property
    def _window(self) -> Tensor:
        return torch.hamming_window(self.window, periodic=False)

    @cached_property
    def _filters(self) -> Tensor:
        bank: Tensor = torchaudio().functional.linear_fbanks(
            self.size // 2 + 1, 0.0, self.top, self.filters, RATE
        )
        return bank

    @cached_property
    def _transform(self) -> Tensor:
        matrix: Tensor = torchaudio().functional.create_dct(
            self.coefficients, self.filters, norm="ortho"
        )
        return matrix
