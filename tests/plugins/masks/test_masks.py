"""The masks by their effect: what is left out is gone, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import signal
from torch import Tensor

from spoofbench import Context
from spoofbench_masks.masks import STOP_DB, TRANSITION_HZ, FrequencyMask, TimeMask

RATE = 16_000


def context(seed: int = 0) -> Context:
    return Context(rate=RATE, random=torch.Generator().manual_seed(seed), utterance="u")


def noise(seconds: float = 4.0, seed: int = 0) -> Tensor:
    return torch.randn(int(seconds * RATE), generator=torch.Generator().manual_seed(seed))


def gains_db(before: Tensor, after: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies, and how much stronger ``after`` is there."""
    hertz, one = signal.welch(before.numpy(), RATE, window="blackmanharris", nperseg=4096)
    _, other = signal.welch(after.numpy(), RATE, window="blackmanharris", nperseg=4096)
    return hertz, 10 * np.log10(other / one)


@pytest.mark.parametrize("seed", range(6))
def test_a_band_is_gone_and_the_others_are_as_they_were(seed: int):
    audio, drawn = noise(), context(seed)
    hertz, gains = gains_db(audio, FrequencyMask().apply(audio, 3000, drawn))
    low, high = drawn.notes["from_hz"], drawn.notes["to_hz"]
    inside = (hertz > low + TRANSITION_HZ) & (hertz < high - TRANSITION_HZ)
    outside = (hertz < low - TRANSITION_HZ) | (hertz > high + TRANSITION_HZ)
    assert gains[inside].max(initial=-np.inf) < -STOP_DB
    assert np.abs(gains[outside]).max() < 0.05


def test_what_lies_beside_the_band_does_not_move_in_time():
    audio, drawn = noise(), context(2)
    made = FrequencyMask().apply(audio, 1000, drawn)
    correlation = signal.correlate(made.numpy(), audio.numpy())
    assert int(correlation.argmax()) == len(audio) - 1


def test_widths_go_from_nought_to_the_level_and_places_over_all_frequencies():
    notes = []
    for seed in range(400):
        FrequencyMask().apply(noise(0.1), 2000, drawn := context(seed))
        notes.append((drawn.notes["from_hz"], drawn.notes["to_hz"]))
    low, high = np.array(notes).T
    widths, places = high - low, low / (8000 - (high - low))
    assert widths.max() <= 2000
    assert widths.mean() == pytest.approx(1000, abs=4 * 2000 / np.sqrt(12 * 400))
    assert places.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * 400))


def test_a_band_wider_than_all_frequencies_is_at_most_all_of_them():
    FrequencyMask().apply(noise(), 96_000, drawn := context(1))
    assert 0 <= drawn.notes["from_hz"] < drawn.notes["to_hz"] <= RATE / 2


@pytest.mark.parametrize("seed", range(6))
def test_a_stretch_is_silent_and_the_rest_is_as_it_was(seed: int):
    audio, drawn = noise(), context(seed)
    made = TimeMask().apply(audio, 1000, drawn)
    start, end = (round(RATE * drawn.notes[name]) for name in ("from_s", "to_s"))
    assert 0 < end - start <= RATE
    assert not made[start:end].any()
    assert torch.equal(made[:start], audio[:start])
    assert torch.equal(made[end:], audio[end:])


def test_lengths_go_from_nought_to_the_level():
    audio = torch.ones(2 * RATE)
    lengths = [int((TimeMask().apply(audio, 500, context(seed)) == 0).sum()) for seed in range(400)]
    assert max(lengths) <= RATE // 2
    assert np.mean(lengths) == pytest.approx(RATE / 4, abs=4 * RATE / 2 / np.sqrt(12 * 400))


def test_a_stretch_is_no_longer_than_the_trial():
    made = TimeMask().apply(torch.ones(800), 60_000, context(3))
    assert made.shape == (800,)
    assert 0 < int((made == 0).sum()) < 800


@pytest.mark.parametrize("mask", [FrequencyMask, TimeMask])
@pytest.mark.parametrize("samples", [1, 50, 20_000])
def test_rows_together_are_rows_alone_to_the_last_bit(mask, samples: int):
    rows = torch.stack([noise(2, seed)[:samples] for seed in range(3)])
    levels = torch.tensor([300.0, 1000.0, 2500.0], dtype=torch.float64)
    together = mask().apply_batch(rows, levels, [context(n) for n in range(3)])
    for n, row in enumerate(rows):
        assert torch.equal(together[n], mask().apply(row, float(levels[n]), context(n)))
