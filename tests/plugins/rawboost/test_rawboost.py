"""Each stage of RawBoost by its statistical effect on signals whose effect can be worked out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from plain_rawboost import rawboost, taps
from scipy import signal
from torch import Tensor

from spoofbench import Context
from spoofbench.errors import InvalidCondition
from spoofbench.robustness.blocks import BLOCK, joined, spectra
from spoofbench_rawboost.boost import Convolutive, Impulsive, RawBoost, Stationary
from spoofbench_rawboost.notches import DRAWS, REACH, notches

RATE = 16_000


def context(seed: int = 0) -> Context:
    return Context(rate=RATE, random=torch.Generator().manual_seed(seed), utterance="u")


def tone(hertz: float = 500.0, seconds: float = 2.0) -> Tensor:
    time = torch.arange(int(seconds * RATE)) / RATE
    return 0.5 * torch.sin(2 * math.pi * hertz * time)


def harmonics(audio: Tensor) -> float:
    """Return the power outside 400 to 600 Hz, relative to that inside, in dB."""
    frequencies, power = signal.welch(audio.numpy(), RATE, nperseg=4096)
    inside = (frequencies > 400) & (frequencies < 600)
    return float(10 * np.log10(power[~inside].sum() / power[inside].sum()))


@pytest.mark.parametrize("seed", range(5))
def test_one_order_is_linear_and_makes_no_harmonics(seed: int):
    assert harmonics(Convolutive().apply(tone(), 1, context(seed))) < -40


def test_more_orders_make_harmonics():
    made = [harmonics(Convolutive().apply(tone(), 5, context(seed))) for seed in range(8)]
    assert np.median(made) > -40


def test_filters_are_those_that_scipy_designs():
    """Their responses are real: the delay of SciPy's taps is taken off."""
    drawn = torch.rand(DRAWS, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    plain = taps(torch.Generator().manual_seed(4))
    hertz = np.arange(BLOCK // 2 + 1) * RATE / BLOCK
    _, response = signal.freqz(plain, worN=hertz, fs=RATE)
    delay = np.exp(2j * np.pi * hertz / RATE * (len(plain) // 2))
    np.testing.assert_allclose(notches(drawn, RATE).numpy(), response * delay, atol=1e-12)


def test_filters_have_a_largest_gain_of_one():
    """At the frequencies that are searched; between them it may be a little more."""
    drawn = torch.rand(10, DRAWS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    largest = notches(drawn, RATE).abs().amax(dim=-1)
    assert torch.all((largest >= 1 - 1e-12) & (largest < 1.01))


@pytest.mark.parametrize("samples", [1, 300, 3596, 3597, 20_000])
def test_overlap_and_add_is_convolution(samples: int):
    plain = taps(torch.Generator().manual_seed(1))
    drawn = torch.rand(DRAWS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    audio = torch.randn(samples, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    whole = np.convolve(audio.numpy(), plain)[len(plain) // 2 :][:samples]
    made = joined(spectra(audio, REACH) * notches(drawn, RATE), samples, REACH)
    np.testing.assert_allclose(made.numpy(), whole, atol=1e-12)


@pytest.mark.parametrize("algorithm", range(1, 9))
def test_every_algorithm_gives_what_the_plain_form_gives(algorithm: int):
    made = RawBoost().apply(tone(), algorithm, context(9)).double().numpy()
    plain = rawboost(tone().double().numpy(), algorithm, context(9).random)
    np.testing.assert_allclose(made, plain, atol=1e-7)


def test_rows_of_all_algorithms_together_are_those_alone_to_the_last_bit():
    rows = torch.stack([(1 + 0.1 * n) * tone(200.0 + 90 * n) for n in range(9)]).double()
    levels = torch.arange(9, dtype=torch.float64)
    together = RawBoost().apply_batch(rows, levels, [context(n) for n in range(9)])
    for n, row in enumerate(rows):
        assert torch.equal(together[n], RawBoost().apply(row, float(n), context(n)))


def test_rows_of_other_orders_are_those_alone():
    rows = torch.stack([tone(), 0.3 * tone(330.0)])
    levels = torch.tensor([2.0, 5.0], dtype=torch.float64)
    together = Convolutive().apply_batch(rows, levels, [context(1), context(2)])
    assert torch.equal(together[0], Convolutive().apply(rows[0], 2, context(1)))
    assert torch.equal(together[1], Convolutive().apply(rows[1], 5, context(2)))


def test_the_number_of_threads_does_not_change_a_bit():
    """In float64, of which the result keeps half the digits."""
    threads, audio = torch.get_num_threads(), tone(seconds=8.0).double()
    audio += 0.1 * torch.randn(len(audio), generator=context(5).random)
    made = []
    try:
        for count in (1, 2, 4):
            torch.set_num_threads(count)
            made.append(RawBoost().apply(audio, 4, context(3)))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])


@pytest.mark.parametrize("percent", [1.0, 10.0])
def test_impulses_touch_at_most_the_share_and_on_average_half_of_it(percent: float):
    flat = torch.ones(20_000)
    flat[0] = 10.0  # the peak, so that nothing is made louder or softer where it stays
    shares = []
    for seed in range(40):
        made = Impulsive().apply(flat.double(), percent, context(seed)).numpy()
        scale = np.median(made)
        shares.append(100 * np.mean(np.abs(made / scale - flat.numpy()) > 1e-9))
    assert max(shares) <= percent
    assert np.mean(shares) == pytest.approx(percent / 2, rel=0.35)


def test_impulses_follow_the_signal():
    """Where the signal is nought, nothing is added; elsewhere at most the gain times itself."""
    audio = tone()
    audio[:8_000] = 0
    made = Impulsive().apply(audio, 10.0, context(1))
    assert made[:8_000].abs().max() == 0
    changed = (made[8_000:] - audio[8_000:]).abs() > 1e-3
    assert 0 < changed.float().mean() < 1


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 40.0])
def test_stationary_noise_has_the_level_that_is_asked_for(snr_db: float):
    audio = tone()
    noise = Stationary().apply(audio, snr_db, context(3)) - audio
    ratio = 20 * math.log10(float(audio.double().norm() / noise.double().norm()))
    assert ratio == pytest.approx(snr_db, abs=0.05)


def test_stationary_noise_does_not_follow_the_signal():
    audio = torch.cat([torch.zeros(16_000), tone(seconds=1.0)])
    noise = Stationary().apply(audio, 10.0, context(4)) - audio
    assert float(noise[:16_000].std() / noise[16_000:].std()) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("algorithm", range(1, 9))
def test_every_algorithm_changes_the_audio_and_repeats_for_its_seed(algorithm: int):
    audio = tone()
    first, again, other = (RawBoost().apply(audio, algorithm, context(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, audio)
    assert not torch.equal(first, other)


def test_algorithm_0_changes_nothing():
    assert torch.allclose(RawBoost().apply(tone(), 0, context()), tone(), atol=1e-7)


def test_algorithms_side_by_side_keep_the_peak():
    made = RawBoost().apply(tone(), 8, context(11))
    assert float(made.abs().max()) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("level", [-1.0, 9.0, 2.5])
def test_there_are_no_other_algorithms(level: float):
    with pytest.raises(InvalidCondition, match="algorithms 0 to 8"):
        RawBoost().apply(tone(), level, context())


@pytest.mark.parametrize("algorithm", range(9))
def test_silence_stays_finite(algorithm: int):
    assert torch.isfinite(RawBoost().apply(torch.zeros(8_000), algorithm, context())).all()
