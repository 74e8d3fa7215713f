from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import signal
from torch import Tensor

from spoofbench.robustness.blocks import BLOCK, joined, response, spectra

REACH = 30


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_the_response_of_symmetric_taps_is_real_and_scipys():
    taps = noise(REACH + 1)
    whole = np.concatenate([taps.numpy()[:0:-1], taps.numpy()])
    turns = 2 * np.pi * np.arange(BLOCK // 2 + 1) / BLOCK
    _, expected = signal.freqz(whole, worN=turns)
    np.testing.assert_allclose(
        response(taps).numpy(), expected * np.exp(1j * turns * REACH), atol=1e-11
    )


@pytest.mark.parametrize("samples", [1, 40, BLOCK - 2 * REACH, BLOCK - 2 * REACH + 1, 30_000])
def test_blocks_are_joined_into_the_whole_convolution(samples: int):
    audio, taps = noise(3, samples), noise(3, REACH + 1)
    made = joined(spectra(audio, REACH) * response(taps)[:, None], samples, REACH)
    for own, row, half in zip(made.numpy(), audio.numpy(), taps.numpy(), strict=True):
        expected = np.convolve(row, np.concatenate([half[:0:-1], half]))[REACH : REACH + samples]
        np.testing.assert_allclose(own, expected, atol=1e-10)
