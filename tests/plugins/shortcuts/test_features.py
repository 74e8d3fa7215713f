from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from spoofbench_shortcuts import features
from spoofbench_shortcuts.features import RATE


def tone(seconds: float, *, hertz: float = 1000.0, level: float = 0.5) -> Tensor:
    time = torch.arange(int(seconds * RATE), dtype=torch.float64) / RATE
    return (level * torch.sin(2 * math.pi * hertz * time)).float()


def quiet(seconds: float) -> Tensor:
    return torch.zeros(int(seconds * RATE))


def test_silence_before_within_and_after_is_measured_in_seconds():
    audio = torch.cat([quiet(0.3), tone(1), quiet(0.5), tone(1), quiet(0.2)])
    before, after, longest, share = features.silence(audio).tolist()
    assert before == pytest.approx(0.3, abs=0.03)
    assert after == pytest.approx(0.2, abs=0.03)
    assert longest == pytest.approx(0.5, abs=0.03)
    assert share == pytest.approx(1.0 / 3.0, abs=0.03)


def test_silence_does_not_hang_on_the_level():
    audio = torch.cat([quiet(0.3), tone(1)])
    assert torch.equal(features.silence(audio), features.silence(0.1 * audio))


def test_duration_is_in_seconds():
    assert features.duration(tone(2.0)).tolist() == pytest.approx([2.0, math.log(2.0)])


def test_loudness_is_rms_and_peak_in_decibels():
    rms, peak, mean = features.loudness(tone(1.0, level=0.5)).tolist()
    assert rms == pytest.approx(20 * math.log10(0.5) - 3.01, abs=0.02)
    assert peak == pytest.approx(20 * math.log10(0.5), abs=0.01)
    assert mean == pytest.approx(rms, abs=0.1)


def test_a_gain_moves_every_channel_band_alike_and_no_spread():
    noise = torch.randn(RATE, generator=torch.Generator().manual_seed(0))
    louder = features.channel(10 * noise) - features.channel(noise)
    mean, spread, floor = louder.split(features.BANDS)
    assert torch.allclose(mean, torch.full_like(mean, math.log(100)), atol=1e-3)
    assert torch.allclose(spread, torch.zeros_like(spread), atol=1e-3)
    assert torch.allclose(floor, torch.full_like(floor, math.log(100)), atol=1e-3)


@pytest.mark.parametrize("hertz", [1000, 3000, 6000])
def test_the_band_of_a_tone_ends_at_its_frequency(hertz: float):
    ends = features.bandwidth(tone(1.0, hertz=hertz))[:3]
    assert torch.allclose(ends, torch.full((3,), hertz / 1000), atol=0.2)


def test_what_is_above_a_frequency_is_in_decibels():
    """White noise has as much power above as below: 0 dB."""
    noise = torch.randn(20 * RATE, generator=torch.Generator().manual_seed(1))
    assert features.bandwidth(noise)[3:].abs().max() < 0.2
    assert features.bandwidth(tone(1.0, hertz=1000))[3:].max() < -30


@pytest.mark.parametrize(
    "measure",
    [
        features.silence,
        features.channel,
        features.duration,
        features.loudness,
        features.bandwidth,
    ],
)
@pytest.mark.parametrize("audio", [quiet(1.0), tone(0.04), torch.ones(512)], ids=str)
def test_features_are_finite_also_for_silence_and_what_is_short(measure, audio: Tensor):
    assert torch.isfinite(measure(audio)).all()
