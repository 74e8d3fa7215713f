"""White, pink and brown noise, shaped in the frequency domain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoofbench import Context
from spoofbench_noise.mixing import with_noise

LOWEST_HZ = 20
"""Below, where nothing is heard, the noise has no power: else brown noise would be mostly that."""


class White:
    """Gaussian noise of equal power at all frequencies from 20 Hz up."""

    fall = 0
    """The power density is 1 / f to this."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with noise at ``level`` dB SNR."""
        noise = _from_spectra(self._spectrum(len(audio), context), len(audio))
        return with_noise(audio, noise, level, context)

    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)`` with noise at ``levels`` dB SNR, to each its own."""
        samples = audio.shape[1]
        spectra = np.stack([self._spectrum(samples, context) for context in contexts])
        noises = _from_spectra(spectra, samples)
        rows = zip(audio, noises, levels.tolist(), contexts, strict=True)
        return torch.stack([with_noise(*row) for row in rows])

    def _spectrum(self, samples: int, context: Context) -> NDArray[np.complex64]:
        shape = _shape(_period(samples, context.rate), context.rate, self.fall)
        drawn = torch.randn(2 * len(shape), generator=context.random).numpy().view(np.complex64)
        spectrum: NDArray[np.complex64] = drawn * shape
        return spectrum


class Pink(White):
    """Gaussian noise whose power density is 1 / f from 20 Hz up."""

    fall = 1


class Brown(White):
    """Gaussian noise whose power density is 1 / f^2 from 20 Hz up."""

    fall = 2


def _period(samples: int, rate: int) -> int:
    """Return how many samples are made, an even number: half a second at least."""
    from scipy.fft import next_fast_len

    return 2 * int(next_fast_len(-(-max(samples, rate // 2) // 2), real=True))


@lru_cache(maxsize=64)
def _shape(period: int, rate: int, fall: int) -> NDArray[np.float32]:
    """Return the amplitude at each frequency, ``(period // 2 + 1,)``."""
    hertz = np.fft.rfftfreq(period, 1 / rate)
    shape = np.zeros(len(hertz), dtype=np.float32)
    heard = hertz >= LOWEST_HZ
    shape[heard] = (hertz[heard] / LOWEST_HZ) ** (-fall / 2)
    shape.flags.writeable = False
    return shape


def _from_spectra(spectra: NDArray[np.complex64], samples: int) -> NDArray[np.float32]:
    """Return the waveforms ``(..., samples)`` of ``spectra`` ``(..., bins)``."""
    from scipy.fft import irfft

    period = 2 * (spectra.shape[-1] - 1)
    noises: NDArray[np.float32] = irfft(spectra, n=period, axis=-1)[..., :samples]
    return noises
