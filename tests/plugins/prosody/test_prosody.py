"""Prosody of pulses and tones whose melody, jitter and shimmer are arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from spoofbench.errors import MissingExtra
from spoofbench.plugins import catalogue
from spoofbench_prosody.measures import NAMES, RATE, measures


def voice(periods: np.ndarray, amplitudes: np.ndarray) -> torch.Tensor:
    """A voice of damped tones, one for each period, as loud as its amplitude.

    Pulses stand between samples where they must: they are made at 16 times the rate.
    """
    fine = 16 * RATE
    starts = np.cumsum(periods)
    time = np.arange(int(0.02 * fine)) / fine
    pulse = np.exp(-time * 300) * np.sin(2 * np.pi * 600 * time)
    out = np.zeros(int((starts[-1] + 0.03) * fine))
    for start, amplitude in zip(starts, amplitudes, strict=True):
        at = round(start * fine)
        out[at : at + len(pulse)] += amplitude * pulse
    from scipy.signal import decimate

    return torch.from_numpy(decimate(decimate(out, 4), 4).copy()).float()


def measured(audio: torch.Tensor) -> dict[str, float]:
    return dict(zip(NAMES, measures(audio).tolist(), strict=True))


def test_a_steady_voice_has_its_pitch_and_neither_jitter_nor_shimmer() -> None:
    found = measured(voice(np.full(200, 1 / 125), np.full(200, 0.1)))
    assert found["f0_mean"] == pytest.approx(12 * math.log2(1.25), abs=0.05)
    assert found["f0_deviation"] < 0.05
    assert found["voiced_share"] > 0.9
    assert found["jitter_local"] < 0.002
    assert found["shimmer_local"] < 0.01


def test_jitter_is_the_mean_step_between_periods_over_the_mean_period() -> None:
    random = np.random.default_rng(0)
    periods = (1 + 0.01 * random.standard_normal(300)) / 125
    found = measured(voice(periods, np.full(300, 0.1)))
    expected = np.abs(np.diff(periods)).mean() / periods.mean()
    assert found["jitter_local"] == pytest.approx(expected, rel=0.2)


def test_shimmer_is_the_mean_step_between_amplitudes_over_the_mean() -> None:
    random = np.random.default_rng(1)
    amplitudes = 0.1 * (1 + 0.05 * random.standard_normal(300))
    found = measured(voice(np.full(300, 1 / 125), amplitudes))
    expected = np.abs(np.diff(amplitudes)).mean() / amplitudes.mean()
    assert found["shimmer_local"] == pytest.approx(expected, rel=0.25)


def test_a_melody_of_an_octave_ranges_over_twelve_semitones() -> None:
    time = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(100 * 2 ** (time / 2)) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 8))
    found = measured(torch.from_numpy(0.1 * tone).float())
    assert found["f0_range"] == pytest.approx(0.9 * 12, abs=0.3)
    assert found["f0_mean"] == pytest.approx(6, abs=0.2)


def test_the_level_s_own_height_is_not_heard() -> None:
    audio = voice(np.full(200, 1 / 125), np.linspace(0.02, 0.2, 200))
    quiet, loud = measured(audio), measured(2 * audio)
    assert quiet == pytest.approx(loud, rel=1e-3, abs=1e-4)


def test_the_range_of_the_level_is_in_decibels() -> None:
    """Half of it quiet, half of it ten times as loud: 20 dB between the quantiles."""
    amplitudes = np.repeat([0.01, 0.1], 200)
    found = measured(voice(np.full(400, 1 / 125), amplitudes))
    assert found["level_range"] == pytest.approx(20, abs=0.5)
    assert found["level_deviation"] == pytest.approx(10, abs=0.6)


def test_silence_and_noise_are_not_defined_rather_than_zero() -> None:
    assert torch.isnan(measures(torch.zeros(RATE))).all()
    noise = 0.1 * torch.randn(RATE, generator=torch.Generator().manual_seed(0))
    found = measured(noise)
    assert found["voiced_share"] < 0.2
    assert math.isfinite(found["level_deviation"])


def test_what_is_not_defined_counts_as_the_mean() -> None:
    model = catalogue().models.get("prosody").spec.resolve()()
    random = torch.Generator().manual_seed(0)
    features = torch.randn(40, len(NAMES), generator=random)
    bonafide = torch.arange(40) % 2 == 0
    features[:, 0] += 3 * bonafide
    features[3, 1] = torch.nan
    model.fit(features, bonafide)
    silent = model.score(torch.zeros(1, RATE), torch.tensor([RATE]))
    assert silent.item() == pytest.approx(model.bias.item())


def test_without_parselmouth_the_way_to_get_it_is_said(without) -> None:
    without("parselmouth")
    with pytest.raises(MissingExtra, match="Parselmouth") as refused:
        measures(torch.ones(RATE))
    assert refused.value.hint == "pip install 'spoofbench[prosody]'"
