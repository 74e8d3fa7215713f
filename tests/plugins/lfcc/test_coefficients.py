"""LFCCs against arithmetic and another implementation (numpy, scipy)."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
import torch
from scipy.signal.windows import hamming

from spoofbench_lfcc import gmm, lcnn
from spoofbench_lfcc.coefficients import Lfcc

PLAIN = Lfcc(window=480, hop=240, filters=70)


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(seed))


def triangles(count: int, top: float, size: int) -> np.ndarray:
    """Triangular filters by interpolation: (count, bins)."""
    edges = np.linspace(0, top, count + 2)
    bins = np.linspace(0, 8_000, size // 2 + 1)
    return np.stack(
        [np.interp(bins, edges[n : n + 3], [0, 1, 0], left=0, right=0) for n in range(count)]
    )


@pytest.mark.parametrize("lfcc", [PLAIN, gmm.LFCC, lcnn.LFCC], ids=["plain", "gmm", "lcnn"])
def test_they_are_those_of_the_textbook(lfcc: Lfcc) -> None:
    audio = noise(4_000).double().numpy()
    heard = audio
    if lfcc.emphasis:
        heard = np.concatenate([audio[:1], audio[1:] - lfcc.emphasis * audio[:-1]])
    starts = range(0, len(heard) - lfcc.window + 1, lfcc.hop)
    frames = np.stack([heard[s : s + lfcc.window] for s in starts]) * hamming(lfcc.window)
    power = np.abs(np.fft.rfft(frames, 1_024)) ** 2
    bands = np.log10(power @ triangles(lfcc.filters, 4_000, 1_024).T + 2.2204e-16)
    static = scipy.fft.dct(bands, type=2, norm="ortho", axis=1)[:, :20]
    if lfcc.energy:
        static[:, 0] = np.log10(power.mean(axis=1) + 2.2204e-16)

    def difference(x: np.ndarray) -> np.ndarray:
        padded = np.pad(x, ((1, 1), (0, 0)), mode="edge")
        return (padded[2:] - padded[:-2]) / 2

    expected = np.concatenate([static, difference(static), difference(difference(static))], axis=1)
    given = lfcc(torch.from_numpy(audio)).numpy()
    assert given.shape == expected.shape
    assert given == pytest.approx(expected, abs=1e-4)


def test_a_batch_is_row_by_row() -> None:
    rows = torch.stack([noise(3_000, 1), noise(3_000, 2)])
    assert torch.allclose(PLAIN(rows)[1], PLAIN(rows[1]), atol=1e-6)


def test_a_gain_moves_the_zeroth_coefficient_alone() -> None:
    """The log of a gain is the same in every band: only the mean of the bands moves."""
    moved = PLAIN(10 * noise(3_000)) - PLAIN(noise(3_000))
    assert moved[:, 0].tolist() == pytest.approx([2 * 70**0.5] * len(moved), abs=1e-3)
    assert moved[:, 1:].abs().max() < 1e-3


def test_silence_is_finite() -> None:
    assert torch.isfinite(PLAIN(torch.zeros(480))).all()
