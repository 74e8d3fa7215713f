"""Linear prediction: an all-pole filter for each frame (Makhoul, 1975)."""

from __future__ import annotations

import numpy as np
from scipy import fft

from spoofbench_toy.frames import Array, cut, hann
from spoofbench_toy.tract import HOP, Response

_SIZE = 512
_FFT = 1024


def all_pole_response(audio: Array, order: int) -> Response:
    """Return each frame's all-pole spectrum with its gain, ``(frames, bins)``, `tract.HOP` a frame.

    Autocorrelation method; excited with white noise of unit variance, a frame of it has the power
    of the frame that was analysed.
    """
    frames = cut(audio, _SIZE, HOP) * np.sqrt(hann(_SIZE))
    power = np.abs(fft.rfft(frames, n=2 * _SIZE, axis=1)) ** 2
    correlation = fft.irfft(power, axis=1)[:, : order + 1] / (_SIZE / 2)
    correlation[:, 0] = correlation[:, 0] * 1.0001 + 1e-9
    whitening, residual = _levinson(correlation)
    gain = np.sqrt(np.maximum(residual, 0.0))[:, None].astype(np.float32)
    response: Response = (gain / fft.rfft(whitening.astype(np.float32), n=_FFT, axis=1)).astype(
        np.complex64
    )
    return response


def _levinson(correlation: Array) -> tuple[Array, Array]:
    """Solve for whitening filters ``(frames, order + 1)`` and the powers ``(frames,)`` they leave.

    The recursion of Levinson and Durbin, all frames at once.
    """
    order = correlation.shape[1] - 1
    whitening = np.zeros_like(correlation)
    whitening[:, 0] = 1
    residual = correlation[:, 0].copy()
    for step in range(1, order + 1):
        ahead = np.sum(whitening[:, :step] * correlation[:, step:0:-1], axis=1)
        reflection = -ahead / residual
        whitening[:, 1 : step + 1] += reflection[:, None] * whitening[:, step - 1 :: -1][:, :step]
        residual *= 1 - reflection**2
    return whitening, residual
