"""The attacks: each does what its name says, and keeps the length."""

from functools import cache

import numpy as np
import pytest

from spoofbench_toy.attacks import (
    KNOWN,
    UNKNOWN,
    add_image,
    invert_mel,
    limit_band,
    lose_phase,
    repeat_frames,
    resynthesise,
    smooth_envelope,
)
from spoofbench_toy.frames import RATE, istft, mel, stft
from spoofbench_toy.lpc import all_pole_response
from spoofbench_toy.pitch import track
from spoofbench_toy.randomness import random_for
from spoofbench_toy.script import write_script
from spoofbench_toy.talker import Delivery, draw_talker, speak

NATURAL = Delivery()


@cache
def voice(delivery: Delivery = NATURAL) -> np.ndarray:
    script = write_script(1.5, 4.0, random_for("script"))
    return speak(draw_talker(random_for("talker")), script, random_for("voice"), delivery)


def spectra(audio: np.ndarray) -> np.ndarray:
    return np.abs(stft(audio, 512, 128))


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def power_above(audio: np.ndarray, hz: float) -> float:
    power = np.abs(np.fft.rfft(audio)) ** 2
    return float(power[int(hz * len(audio) / RATE) :].sum())


@pytest.mark.parametrize("attack", KNOWN + UNKNOWN, ids=lambda attack: attack.name)
def test_an_attack_keeps_the_length_changes_the_audio_and_repeats_itself(attack):
    before = voice().copy()
    once = attack.make(voice(), random_for("attack"))
    again = attack.make(voice(), random_for("attack"))
    np.testing.assert_array_equal(voice(), before)
    np.testing.assert_array_equal(once, again)
    assert once.shape == before.shape
    assert np.isfinite(once).all()
    assert not np.array_equal(once, before)


def test_attacks_have_ten_different_names_and_summaries():
    attacks = KNOWN + UNKNOWN
    assert len({attack.name for attack in attacks}) == len(attacks) == 10
    assert len({attack.summary for attack in attacks}) == 10


def test_phase_loss_keeps_magnitudes_and_loses_the_waveform():
    spoof = lose_phase(voice(), random_for("phase"), iterations=8)
    assert correlation(spectra(spoof), spectra(voice())) > 0.9
    assert abs(correlation(spoof, voice())) < 0.5


def test_more_iterations_come_nearer_to_the_magnitudes():
    errors = [
        np.linalg.norm(
            spectra(lose_phase(voice(), random_for("phase"), iterations=n)) - spectra(voice())
        )
        for n in (0, 4, 16)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_mel_inversion_keeps_the_mel_bands_and_blurs_the_harmonics():
    spoof = invert_mel(voice(), random_for("mel"), bands=60, iterations=8)
    bands = [np.log(mel(spectra(audio), 20) + 1e-2) for audio in (spoof, voice())]
    assert correlation(*bands) > 0.9
    assert abs(correlation(spoof, voice())) < 0.5


@pytest.mark.parametrize("buzz", [0.0, 1.0])
def test_lpc_resynthesis_keeps_the_envelope_and_replaces_the_excitation(buzz):
    spoof = resynthesise(voice(), random_for("lpc"), order=18, buzz=buzz, jitter=0.0)
    bands = [np.log(mel(spectra(audio), 20) + 1e-2) for audio in (spoof, voice())]
    assert correlation(*bands) > 0.75
    assert abs(correlation(spoof, voice())) < 0.5


def test_noise_excitation_takes_away_the_periodicity_that_pulses_keep():
    strengths = [
        track(resynthesise(voice(), random_for("lpc"), order=18, buzz=buzz, jitter=0.0)).strength
        for buzz in (0.0, 1.0)
    ]
    assert np.median(strengths[0]) < np.median(strengths[1]) - 0.15


def test_an_all_pole_response_has_the_power_of_what_it_was_fitted_to():
    noise = random_for("noise").standard_normal(RATE)
    power = np.mean(np.abs(all_pole_response(noise, 8)[10:-10]) ** 2)
    assert power == pytest.approx(1.0, rel=0.1)


def test_a_monotone_voice_has_less_variance_of_pitch():
    monotone = next(attack for attack in KNOWN if attack.name == "T03")
    variances = []
    for delivery in (monotone.delivery, NATURAL):
        pitch = track(voice(delivery))
        periodic = pitch.f0_hz[pitch.strength > 0.85]
        low, high = np.percentile(np.log2(periodic), [15, 85])
        variances.append(high - low)
    assert variances[0] < 0.25 * variances[1]


def test_a_band_limit_takes_away_what_is_above_it():
    noise = random_for("noise").standard_normal(RATE)
    limited = limit_band(noise, random_for("band"))
    assert power_above(limited, 4300) < 1e-3 * power_above(noise, 4300)
    assert power_above(limited, 100) == pytest.approx(0.5 * power_above(noise, 100), rel=0.05)


def test_an_image_mirrors_what_is_below_the_limit():
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    imaged = add_image(tone, 0.5)
    amplitudes = np.abs(np.fft.rfft(imaged)) / RATE * 2
    assert amplitudes[1000] == pytest.approx(1.0, rel=0.02)
    assert amplitudes[7000] == pytest.approx(0.5, rel=0.02)


def test_repeated_frames_are_found_and_a_natural_voice_has_none():
    spoof = repeat_frames(voice(), random_for("repeat"), frame_seconds=0.02, share=0.4)

    def repeats(audio: np.ndarray) -> float:
        frames = audio[: 74 * 320].reshape(74, 320)
        return float((frames[1:] == frames[:-1]).all(axis=1).mean())

    assert repeats(voice()) == 0
    assert 0.2 < repeats(spoof) < 0.6


def test_smoothing_slows_down_the_envelope_and_keeps_the_waveform_alike():
    spoof = smooth_envelope(voice(), random_for("smooth"), frames=15, bands=40)

    def speed(audio: np.ndarray) -> float:
        log_mel = np.log(mel(spectra(audio), 20) + 1e-2)
        return float(np.abs(np.diff(log_mel, axis=0)).mean())

    assert speed(spoof) < 0.75 * speed(voice())
    assert correlation(spoof, voice()) > 0.5


def test_the_inverse_of_the_spectra_is_the_waveform():
    np.testing.assert_allclose(
        istft(stft(voice(), 512, 128), 512, 128, len(voice())), voice(), atol=1e-9
    )
