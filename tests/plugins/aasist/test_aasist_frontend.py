"""The fixed filters, and what the front end makes of audio."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from spoofbench.layers.sinc import sinc_bank
from spoofbench_aasist.frontend import TILE, FrontEnd


def filter_in_numpy(index: int) -> NDArray[np.float64]:
    """Filter ``index`` of 70 at 16 kHz, ``(129,)``, from its formula, tap by tap."""
    top = 2595 * np.log10(1 + 8000 / 700)
    low, high = (700 * (10 ** (top * edge / 70 / 2595) - 1) for edge in (index, index + 1))
    taps = np.empty(129)
    for tap in range(129):
        n = tap - 64
        if n == 0:
            ideal = 2 * (high - low) / 16000
        else:
            angle = 2 * np.pi * n / 16000
            ideal = (np.sin(angle * high) - np.sin(angle * low)) / (np.pi * n)
        taps[tap] = ideal * (0.54 - 0.46 * np.cos(2 * np.pi * tap / 128))
    return taps


def test_the_filters_are_those_of_the_formula() -> None:
    expected = np.stack([filter_in_numpy(index) for index in range(70)])
    np.testing.assert_allclose(sinc_bank(70, 129, 16_000).numpy(), expected, rtol=0, atol=1e-12)


def test_the_filters_are_symmetric() -> None:
    bank = sinc_bank(70, 129, 16_000)
    torch.testing.assert_close(bank, bank.flip(1))


def test_the_filters_pass_together_what_a_low_pass_at_half_the_rate_passes() -> None:
    # Adjacent bands share their edges, so that their sum is one impulse under the window.
    impulse = torch.zeros(129, dtype=torch.float64)
    impulse[64] = 1.0
    torch.testing.assert_close(sinc_bank(70, 129, 16_000).sum(dim=0), impulse, rtol=0, atol=1e-12)


def test_the_filters_are_not_part_of_the_saved_state() -> None:
    frontend = FrontEnd(70, 129, 16_000)
    assert {name for name in frontend.state_dict() if "norm" not in name} == set()


def test_the_filters_follow_the_model_to_another_precision() -> None:
    frontend = FrontEnd(70, 129, 16_000).double()
    assert frontend(torch.zeros(1, 2_315, dtype=torch.float64)).dtype == torch.float64


def features_in_numpy(audio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Filter, magnitude and 3 x 3 maximum of ``audio`` ``(time,)``: ``(frames, 23)``."""
    response = np.stack(
        [np.abs(np.correlate(audio, filter_in_numpy(index))) for index in range(70)], axis=1
    )
    frames = len(response) // 3
    return response[: 3 * frames, :69].reshape(frames, 3, 23, 3).max(axis=(1, 3))


def test_the_features_are_the_largest_magnitudes_of_three_filters_over_three_samples() -> None:
    audio = torch.randn(2, 4_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    frontend = FrontEnd(70, 129, 16_000).double().eval()
    expected = np.stack([features_in_numpy(row) for row in audio.numpy()])
    expected = expected / np.sqrt(1 + frontend.norm.eps)
    features = frontend(audio)
    assert features.shape == (2, 1, 1_290, 23)
    # The filters are rounded to float32 first: 6e-8 of each tap.
    np.testing.assert_allclose(
        features[:, 0].detach().numpy(), 1.0507009873554805 * expected, rtol=0, atol=1e-6
    )


def test_computing_in_tiles_changes_nothing() -> None:
    frames = 2 * TILE + 5
    audio = torch.randn(1, 3 * frames + 130, generator=torch.Generator().manual_seed(2))
    frontend = FrontEnd(70, 129, 16_000).eval()
    whole = frontend.norm(frontend.pool(audio, frontend.filters).mT[:, None])
    tiled = frontend(audio)
    assert tiled.shape == (1, 1, frames, 23)
    torch.testing.assert_close(tiled, torch.nn.functional.selu(whole))


def test_the_features_have_a_gradient_with_respect_to_the_audio() -> None:
    audio = torch.randn(1, 2_315, generator=torch.Generator().manual_seed(3)).requires_grad_()
    FrontEnd(70, 129, 16_000)(audio).square().sum().backward()
    assert audio.grad is not None
    assert audio.grad.abs().sum() > 0


def test_the_channel_comes_last_in_memory() -> None:
    features = FrontEnd(70, 129, 16_000).eval()(torch.zeros(2, 2_315))
    assert features.shape == (2, 1, 729, 23)
    assert features.stride() == (729 * 23, 1, 23, 1)
