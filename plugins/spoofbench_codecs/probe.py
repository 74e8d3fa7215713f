"""How late a codec is, found by sending a known signal through it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spoofbench_codecs.coder import Array, Coder, Setting

_SECONDS = 1.5
_LONGEST_DELAY_S = 0.12
_FORMANTS_HZ = ((520.0, 90.0), (1490.0, 120.0), (2480.0, 180.0))


@lru_cache(maxsize=128)
def delay(coder: Coder, setting: Setting) -> int:
    """Return by how many samples, at the coder's rate, what it decodes is late.

    That is the lag at which the cross-correlation of `probe` with the decoded probe is largest.
    It is measured, since it depends on the version of the libraries, and kept for the process.
    """
    sent = probe(coder.rate)
    received = coder.code(sent, setting).audio
    longest = round(_LONGEST_DELAY_S * coder.rate)
    return int(np.argmax(_correlation(sent, received, longest)))


def _correlation(sent: Array, received: Array, longest: int) -> NDArray[np.float64]:
    """Return the correlation of ``(time,)`` signals at the lags 0 to ``longest`` inclusive."""
    size = 1 << (len(sent) + len(received)).bit_length()
    spectrum = np.conj(np.fft.rfft(sent, size)) * np.fft.rfft(received, size)
    return np.fft.irfft(spectrum, size)[: longest + 1]


def probe(rate: int) -> Array:
    """Return speech-like sound ``(time,)``, always the same: speech codecs keep little else.

    A voice on one vowel whose pitch glides, so that no period is mistaken for another, swelling
    four times a second.
    """
    from scipy.signal import lfilter

    time = np.arange(round(_SECONDS * rate)) / rate
    pitch_hz = 105 + 40 * time + 25 * np.sin(2 * np.pi * 1.3 * time)
    phase = np.cumsum(pitch_hz) / rate
    sound: NDArray[np.float64] = np.diff(np.floor(phase), prepend=0.0)
    for centre, width in _FORMANTS_HZ:
        radius = np.exp(-np.pi * width / rate)
        sound = lfilter(
            [1.0], [1, -2 * radius * np.cos(2 * np.pi * centre / rate), radius**2], sound
        )
    sound *= 0.55 - 0.45 * np.cos(2 * np.pi * 4 * time)
    sent: Array = (0.5 * sound / np.abs(sound).max()).astype(np.float32)
    return sent
