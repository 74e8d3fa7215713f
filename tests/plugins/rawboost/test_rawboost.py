"""Each stage of RawBoost by its statistical effect on signals whose effect can be worked out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import signal
from torch import Tensor

from spoofbench import Context
from spoofbench.errors import InvalidCondition
from spoofbench_rawboost import boost
from spoofbench_rawboost.boost import Convolutive, Impulsive, RawBoost, Stationary

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


def test_filters_have_a_largest_gain_of_one():
    for seed in range(10):
        _, response = signal.freqz(boost.notches(context(seed)), worN=512)
        assert np.abs(response).max() == pytest.approx(1.0)


def test_filters_differ_from_draw_to_draw():
    shapes = {boost.notches(context(seed)).tobytes() for seed in range(5)}
    assert len(shapes) == 5


@pytest.mark.parametrize("percent", [1.0, 10.0])
def test_impulses_touch_at_most_the_share_and_on_average_half_of_it(percent: float):
    flat = torch.ones(20_000)
    flat[0] = 10.0  # the peak, so that nothing is made louder or softer where it stays
    shares = []
    for seed in range(40):
        made = boost.impulsive(flat.double().numpy(), context(seed), percent=percent)
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


@pytest.mark.parametrize(
    ("algorithm", "stages"), [(4, (1, 2, 3)), (5, (1, 2)), (6, (1, 3)), (7, (2, 3))]
)
def test_algorithms_in_series_are_their_stages_one_after_another(
    algorithm: int, stages: tuple[int, ...]
):
    drawn = context(9)
    wave = tone().double().numpy()
    for stage in stages:
        wave = boost._stage(stage, wave, drawn)
    made = RawBoost().apply(tone(), algorithm, context(9))
    assert np.allclose(made.numpy(), wave, atol=1e-6)


def test_algorithm_8_is_the_sum_of_the_first_two():
    drawn = context(11)
    wave = tone().double().numpy()
    both = boost._stage(1, wave, drawn) + boost._stage(2, wave, drawn)
    made = RawBoost().apply(tone(), 8, context(11)).double().numpy()
    assert np.corrcoef(both, made)[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert np.abs(made).max() == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("level", [-1.0, 9.0, 2.5])
def test_there_are_no_other_algorithms(level: float):
    with pytest.raises(InvalidCondition, match="algorithms 0 to 8"):
        RawBoost().apply(tone(), level, context())


@pytest.mark.parametrize("algorithm", range(9))
def test_silence_stays_finite(algorithm: int):
    assert torch.isfinite(RawBoost().apply(torch.zeros(8_000), algorithm, context())).all()
