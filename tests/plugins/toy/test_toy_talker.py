"""The talkers: their pitch, its irregularity, their formants and their hiss."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import find_peaks

from spoofbench_toy.frames import RATE
from spoofbench_toy.glottis import Pulses, flow_derivative, place_pulses
from spoofbench_toy.randomness import random_for
from spoofbench_toy.script import write_script
from spoofbench_toy.talker import Delivery, Talker, draw_talker, melody, speak
from spoofbench_toy.tract import HOP, resonances, shape

TALKER = Talker(
    f0_hz=125.0,
    tract=1.0,
    high_formants=1.0,
    jitter=0.01,
    shimmer=0.1,
    open_quotient=0.6,
    tilt=0.5,
    breath=0.03,
    syllables_per_second=4.0,
)


def strongest_lag(audio: np.ndarray) -> int:
    """The lag in samples, 2.5 to 16 ms, of the highest peak of the autocorrelation."""
    correlation = np.correlate(audio, audio, mode="full")[len(audio) - 1 :]
    return 40 + int(np.argmax(correlation[40:256]))


@pytest.mark.parametrize("f0_hz", [95.0, 125.0, 210.0])
def test_a_talker_speaks_at_the_pitch_that_was_asked(f0_hz):
    random = random_for("pitch")
    script = write_script(1.0, 4.0, random)
    steady = replace(script, voicing=np.ones_like(script.voicing))
    audio = speak(replace(TALKER, f0_hz=f0_hz), steady, random, Delivery(melody=0))
    measured = [RATE / strongest_lag(audio[at : at + 1600]) for at in range(2000, 12000, 2000)]
    assert np.median(measured) == pytest.approx(f0_hz, rel=0.03)


def test_jitter_raises_the_variance_of_the_periods_and_leaves_their_mean():
    f0_hz = np.full(1000, 100.0)
    calm, rough = (
        place_pulses(f0_hz, HOP, jitter=jitter, shimmer=0, random=random_for("jitter")).periods
        for jitter in (0.0, 0.02)
    )
    assert np.ptp(calm) == 0
    assert np.std(rough) == pytest.approx(0.02 * 0.01, rel=0.1)
    assert np.mean(rough) == pytest.approx(0.01, rel=0.005)


def test_shimmer_raises_the_variance_of_the_amplitudes():
    f0_hz = np.full(1000, 100.0)
    pulses = place_pulses(f0_hz, HOP, jitter=0, shimmer=0.1, random=random_for("shimmer"))
    assert np.std(pulses.amplitudes) == pytest.approx(0.1, rel=0.1)


def test_each_cycle_begins_where_the_one_before_ends():
    pulses = place_pulses(
        np.full(200, 140.0), HOP, jitter=0.02, shimmer=0, random=random_for("cycles")
    )
    np.testing.assert_allclose(np.diff(pulses.onsets), pulses.periods[:-1])


def test_the_flow_comes_back_to_zero_and_closes_abruptly_after_the_open_part():
    pulses = Pulses(
        onsets=np.array([0.0, 0.01]), periods=np.array([0.01, 0.01]), amplitudes=np.ones(2)
    )
    derivative = flow_derivative(pulses, 320, open_quotient=0.6)
    assert abs(derivative[:160].sum()) < 0.02 * np.abs(derivative[:160]).sum()
    assert np.argmin(derivative[:160]) == pytest.approx(0.6 * 160, abs=2)
    assert np.abs(derivative[115:150]).max() < 0.02


def test_a_resonance_lies_at_its_centre_with_its_bandwidth():
    response = np.abs(resonances(np.array([[1500.0]]), np.array([[80.0]])))[0]
    hz = np.arange(len(response)) * RATE / 1024
    assert hz[np.argmax(response)] == pytest.approx(1500, abs=RATE / 1024)
    half_power = hz[response > response.max() / np.sqrt(2)]
    assert np.ptp(half_power) == pytest.approx(80, abs=2 * RATE / 1024)


def test_a_tract_that_stands_still_filters_as_a_convolution_does():
    response = resonances(np.full((40, 1), 800.0), np.full((40, 1), 200.0))
    noise = random_for("filter").standard_normal(4000)
    impulse = np.fft.irfft(response[0])
    expected = np.convolve(noise, impulse)[:4000]
    np.testing.assert_allclose(shape(noise, response), expected, atol=1e-4 * expected.std())


def test_a_shorter_vocal_tract_moves_the_formants_up():
    random = random_for("tract")
    script = write_script(1.0, 4.0, random)
    vowel = replace(
        script,
        voicing=np.ones_like(script.voicing),
        frication=np.zeros_like(script.frication),
        formants_hz=np.tile([500.0, 1500.0, 2500.0], (len(script.voicing), 1)),
    )

    def first_two(tract: float) -> np.ndarray:
        talker = replace(TALKER, tract=tract, f0_hz=62.5, breath=0.0)
        audio = speak(talker, vowel, random_for("vowel"), Delivery(melody=0))
        spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), n=16000))
        envelope = np.convolve(np.log(spectrum + 1e-9), np.hanning(161) / 80, mode="same")
        return find_peaks(envelope[250:2200], prominence=0.5)[0][:2] + 250

    np.testing.assert_allclose(first_two(1.0), [500, 1500], rtol=0.08)
    np.testing.assert_allclose(first_two(1.2), [600, 1800], rtol=0.08)


def test_a_script_is_as_long_as_asked_and_within_its_bounds():
    script = write_script(1.5, 4.0, random_for("script"))
    assert script.samples == pytest.approx(1.5 * RATE, abs=HOP)
    for amplitude in (script.voicing, script.frication):
        assert amplitude.min() >= -1e-12
        assert amplitude.max() <= 1
    assert (np.diff(script.formants_hz.mean(axis=0)) > 0).all()


def test_a_flat_delivery_has_no_melody_and_a_stepped_one_few_pitches():
    script = write_script(2.0, 4.0, random_for("melody"))

    def contour(delivery: Delivery) -> np.ndarray:
        return melody(TALKER, script, random_for("drift"), delivery)

    assert np.ptp(contour(Delivery(melody=0.0))) == 0
    assert len(np.unique(contour(Delivery(step_semitones=2.0)))) < 8
    assert len(np.unique(contour(Delivery()))) > 100


def test_the_same_name_draws_the_same_talker_and_another_name_another():
    assert draw_talker(random_for("a")) == draw_talker(random_for("a"))
    assert draw_talker(random_for("a")) != draw_talker(random_for("b"))


def test_talkers_are_unlike_each_other():
    pitches = [draw_talker(random_for("talker", str(number))).f0_hz for number in range(40)]
    assert min(pitches) < 115
    assert max(pitches) > 190
