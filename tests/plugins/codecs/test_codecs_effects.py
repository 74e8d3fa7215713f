"""That each codec does what it is: laws, bandwidth, bytes, distortion."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from codec_calls import (
    CONDITIONS,
    SPECS,
    noise,
    power_db,
    snr_db,
    spectral_distance_db,
    speech,
    through,
)

NAN = math.nan
SPEECH = speech(4.0)
TELEPHONY = [
    (name, level)
    for name, level in CONDITIONS
    if name in ("g711-alaw", "g711-mulaw", "g726", "gsm", "amr-nb")
]
# Bytes of a frame of 20 ms with its header: RFC 4867, table 1a and section 5.3.
AMR_FRAME = {4.75: 13, 5.15: 14, 5.9: 16, 6.7: 18, 7.4: 20, 7.95: 21, 10.2: 27, 12.2: 32}


def bit_length(values: np.ndarray) -> np.ndarray:
    return np.floor(np.log2(np.maximum(values, 1))).astype(int) + 1


def a_law(samples: np.ndarray) -> np.ndarray:
    """ITU-T G.711, table 1: 13 bits, 16 steps in each segment, steps doubling from segment two."""
    size = np.minimum(np.abs(samples.astype(int)) >> 4, 2047)
    segment = np.maximum(bit_length(size) - 5, 0)
    decoded = ((size >> segment) + 0.5) * 2.0**segment * 16
    return np.where(samples < 0, -decoded, decoded)


def mu_law(samples: np.ndarray) -> np.ndarray:
    """ITU-T G.711, table 2: 14 bits, 33 added so that each segment starts at a power of two."""
    size = np.minimum(np.abs(samples.astype(int)) >> 2, 8158) + 33
    segment = bit_length(size) - 5
    decoded = (((size >> segment) + 0.5) * 2.0**segment - 33) * 4
    return np.where(samples < 0, -decoded, decoded)


@pytest.mark.parametrize(("name", "law"), [("g711-alaw", a_law), ("g711-mulaw", mu_law)])
def test_g711_follows_its_law_for_all_65536_samples(name, law):
    samples = np.arange(-32768, 32768)
    sent = (samples / 32768).astype(np.float32)
    received = through(name, NAN, sent, rate=8000).audio
    np.testing.assert_array_equal(received * 32768, law(samples))


@pytest.mark.parametrize("name", ["g711-alaw", "g711-mulaw"])
@pytest.mark.parametrize("level_db", [-3, -10, -20, -30, -40])
def test_g711_has_the_snr_of_a_logarithmic_law_at_every_level(name, level_db):
    # With 8 bits spread evenly it would fall from 47 to 10 dB.
    phase = 2 * np.pi * 1020 * np.arange(16_000) / 8000
    sent = (10 ** (level_db / 20) * np.sin(phase)).astype(np.float32)
    assert 34 < snr_db(sent, through(name, NAN, sent, rate=8000).audio) < 39


@pytest.mark.parametrize(("name", "level"), TELEPHONY)
def test_telephony_leaves_nothing_above_4_khz(name, level):
    sent = noise(2)
    received = through(name, level, sent).audio
    assert power_db(received, 4000, 8000) - power_db(sent, 4000, 8000) < -30


@pytest.mark.parametrize(
    ("name", "level"),
    [("g722", NAN), ("opus", 64), ("mp3", 64), ("aac", 64), ("vorbis", 8)],
)
def test_wideband_codecs_keep_what_is_above_4_khz(name, level):
    sent = noise(2)
    received = through(name, level, sent).audio
    assert power_db(received, 4000, 7000) - power_db(sent, 4000, 7000) == pytest.approx(0, abs=2)


@pytest.mark.parametrize(("name", "level"), [("opus", 6), ("mp3", 8)])
def test_wideband_codecs_give_up_the_top_of_the_band_at_low_bit_rates(name, level):
    sent = noise(2)
    received = through(name, level, sent).audio
    assert power_db(received, 6000, 8000) - power_db(sent, 6000, 8000) < -25


@pytest.mark.parametrize(("name", "level"), CONDITIONS)
def test_the_bytes_that_are_made_are_those_of_the_bit_rate(name, level):
    made = through(name, level, SPEECH).notes["kbit_per_s"]
    if name in ("g711-alaw", "g711-mulaw", "g722"):
        assert made == pytest.approx(64, rel=1e-6)
    elif name == "gsm":
        assert made == pytest.approx(33 * 8 / 20, rel=1e-6)
    elif name == "amr-nb":
        assert made == pytest.approx(AMR_FRAME[level] * 8 / 20, rel=1e-6)
    elif name == "aac":
        assert made == pytest.approx(level, rel=0.15)
    elif name != "vorbis":
        assert made == pytest.approx(level, rel=0.01)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.levels])
def test_fewer_bits_are_made_at_each_harder_level(name):
    made = [through(name, level, SPEECH).notes["kbit_per_s"] for level in SPECS[name].levels]
    assert made == sorted(set(made), reverse=True)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.levels])
def test_distortion_grows_as_bits_get_fewer(name):
    distances = [
        spectral_distance_db(SPEECH, through(name, level, SPEECH).audio)
        for level in SPECS[name].levels
    ]
    assert all(easy < hard for easy, hard in pairwise(distances))


def test_opus_comes_closer_at_a_higher_complexity():
    quick, slow = (
        spectral_distance_db(SPEECH, through("opus", 16, SPEECH, options=(complexity,)).audio)
        for complexity in (0.0, 10.0)
    )
    assert slow < quick
