import math
import pickle
import sys

import numpy as np
import pytest
import torch
from pyroomacoustics.experimental import measure_rt60

from spoofbench import Context
from spoofbench.errors import MissingExtra
from spoofbench_rooms import images
from spoofbench_rooms.decay import rt60, with_rt60
from spoofbench_rooms.simulated import Room

RATE = 16_000


def context(seed: int = 1, rate: int = RATE) -> Context:
    return Context(rate=rate, random=torch.Generator().manual_seed(seed), utterance="u")


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def click(seconds: float) -> torch.Tensor:
    audio = torch.zeros(int(seconds * RATE))
    audio[0] = 1.0
    return audio


def decaying(seconds: float, length_s: float) -> np.ndarray:
    time = np.arange(int(length_s * RATE)) / RATE
    return np.exp(-math.log(1000) * time / seconds)


@pytest.mark.parametrize("seconds", [0.2, 0.7, 2.0])
def test_an_exponential_that_falls_by_60_db_in_a_time_has_that_rt60(seconds: float):
    assert rt60(decaying(seconds, 2 * seconds), RATE) == pytest.approx(seconds, rel=1e-3)


def test_the_early_decay_does_not_count_in_an_rt60():
    """The first 5 dB are left out: a direct sound on top changes nothing once it is that small."""
    response = decaying(0.5, 1.0)
    with_direct = response.copy()
    with_direct[0] += math.sqrt(np.sum(response**2))
    assert rt60(with_direct, RATE) == pytest.approx(0.5, rel=0.01)


def test_an_rt60_is_unknown_where_the_response_does_not_decay_far_enough():
    assert math.isnan(rt60(np.ones(3), RATE))
    assert math.isnan(rt60(np.zeros(100), RATE))


def test_the_window_turns_one_reverberation_time_into_another():
    shaped = with_rt60(decaying(0.5, 2.0), RATE, 0.8)
    np.testing.assert_allclose(shaped[: RATE // 2], decaying(0.8, 0.5), rtol=0.01)


@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.8, 1.2])
def test_the_rt60_of_what_comes_out_is_the_level(seconds: float):
    heard = Room().apply(click(2 * seconds), seconds, noted := context()).numpy()
    assert measure_rt60(heard, RATE, decay_db=30) == pytest.approx(seconds, rel=0.02)
    assert measure_rt60(heard, RATE, decay_db=20) == pytest.approx(seconds, rel=0.15)
    assert noted.notes["rt60_s"] == pytest.approx(seconds, rel=0.01)


@pytest.mark.parametrize("seconds", [0.1, 3.0])
def test_the_rt60_at_the_bounds_is_within_five_percent_in_every_room(seconds: float):
    for number in range(0, images.ROOMS, 4):
        random = np.random.default_rng(number)
        made = images.response(images.geometry(number), seconds, RATE, random)
        assert rt60(made, RATE) == pytest.approx(seconds, rel=0.05)


def test_the_first_reflection_is_where_the_nearest_wall_puts_it():
    """Mirrored at each of six walls, the talker is heard from the nearest mirror image first."""
    room = images.geometry(3)
    mirrored = np.repeat(room.source[None], 6, axis=0)
    for axis in range(3):
        mirrored[axis, axis] *= -1
        mirrored[axis + 3, axis] = 2 * room.size[axis] - room.source[axis]
    path_m = np.linalg.norm(mirrored - room.microphone, axis=1)
    direct_m = np.linalg.norm(room.source - room.microphone)
    expected = (path_m.min() - direct_m) / images.SPEED_OF_SOUND * RATE
    made = images.response(room, 0.6, RATE, np.random.default_rng(0))
    after = 8
    assert after + np.argmax(made[after : int(expected) + 6]) == pytest.approx(expected, abs=1)


def test_image_sources_end_before_any_is_missing():
    """Going to more reflections adds none before the time up to which all are there."""
    acoustics = images.library()
    for number in range(0, images.ROOMS, 7):
        room = images.geometry(number)
        shoebox = acoustics.ShoeBox(room.size, max_order=40)
        shoebox.add_source(room.source)
        shoebox.add_microphone(room.microphone)
        shoebox.image_source_model()
        source = shoebox.sources[0]
        distance = np.linalg.norm(source.images - room.microphone[:, None], axis=0)
        more = distance[source.orders > 20]
        assert more.min() / images.SPEED_OF_SOUND > room.complete_s


def test_rooms_are_as_large_as_they_are_said_to_be_and_nobody_stands_in_the_wall():
    for number in range(images.ROOMS):
        room = images.geometry(number)
        assert 1.0 <= np.linalg.norm(room.source - room.microphone) <= 2.5
        for place in (room.source, room.microphone):
            assert (place >= 0.5).all()
            assert (place <= room.size - 0.5).all()


def test_walls_take_what_eyring_says():
    """RT60 = 24 ln 10 V / (c S (-ln(1 - a))), here for a cube of 3 m."""
    side = np.full(3, 3.0)
    room = images.Geometry(size=side, source=side / 3, microphone=side / 2)
    absorption = room.absorption(0.5)
    back = 24 * math.log(10) * 27 / (343 * 54 * -math.log(1 - absorption))
    assert back == pytest.approx(0.5)


def test_length_level_and_place_in_time_stay():
    audio = noise(2 * RATE)
    audio[: RATE // 2] = 0
    heard = Room().apply(audio, 0.4, context())
    assert heard.shape == audio.shape
    assert float((heard**2).mean()) == pytest.approx(float((audio**2).mean()), rel=1e-4)
    assert float(heard[: RATE // 2].abs().max()) < 1e-6
    spectra = np.fft.rfft(heard.numpy()), np.fft.rfft(audio.numpy())
    assert int(np.argmax(np.fft.irfft(spectra[0] * spectra[1].conj()))) == 0


def test_more_reverberation_is_further_from_the_speech():
    audio = noise(RATE)
    heard = [Room().apply(audio, level, context()) for level in (0.2, 0.4, 0.6, 0.8, 1.2)]
    distances = [float((wet - audio).norm()) for wet in heard]
    assert distances == sorted(distances)


def test_the_seed_draws_the_room():
    audio, room = noise(4000), Room()
    names = {}
    for seed in range(60):
        heard = room.apply(audio, 0.3, noted := context(seed))
        names.setdefault(noted.notes["room"], heard)
        assert torch.equal(heard, names[noted.notes["room"]])
    assert 12 < len(names) <= images.ROOMS  # 60 draws of 20 miss more than 7 once in millions


def test_a_room_that_has_been_used_sounds_as_in_a_new_process():
    audio = noise(4000)
    used = Room()
    for seed in range(5):
        used.apply(audio, 0.3, context(seed))
    fresh = pickle.loads(pickle.dumps(Room()))  # noqa: S301
    assert torch.equal(used.apply(audio, 0.3, context(4)), fresh.apply(audio, 0.3, context(4)))


def test_silence_stays_silent_in_a_room():
    heard = Room().apply(torch.zeros(500), 0.5, noted := context())
    assert not heard.any()
    assert noted.notes["undefined"] == "silence"


@pytest.mark.parametrize("samples", [1, 50, 1600])
def test_even_the_shortest_speech_is_heard(samples: int):
    heard = Room().apply(noise(samples), 1.2, context())
    assert len(heard) == samples
    assert torch.isfinite(heard).all()


def test_rooms_exist_at_other_sample_rates():
    heard = Room().apply(click(1.0)[:8000], 0.4, context(rate=8000)).numpy()
    assert measure_rt60(heard, 8000, decay_db=30) == pytest.approx(0.4, rel=0.02)


def test_without_pyroomacoustics_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(MissingExtra) as raised:
        Room().ready()
    assert raised.value.hint == "pip install 'spoofbench[rooms]'"
    with pytest.raises(MissingExtra):
        Room().apply(noise(100), 0.4, context())
