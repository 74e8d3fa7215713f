import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from spoofbench import Context
from spoofbench.errors import InvalidCondition
from spoofbench_rooms.recorded import RoomRecordings

RATE = 16_000


def context(folder: Path, seed: int = 1) -> Context:
    random = torch.Generator().manual_seed(seed)
    return Context(rate=RATE, random=random, utterance="u", source=str(folder))


def write_response(file: Path, *, delay: int, echo: int = 0, rate: int = RATE) -> None:
    """Write a response of a direct sound after ``delay`` samples, half of it ``echo`` later."""
    samples = np.zeros(rate // 4)
    samples[delay] = 0.8
    if echo:
        samples[delay + echo] = 0.4
    soundfile.write(file, samples, rate, subtype="FLOAT")


def speech(samples: int = RATE) -> torch.Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(2)) * 0.1


def test_a_response_that_is_only_delay_changes_nothing(tmp_path: Path):
    write_response(tmp_path / "far.wav", delay=700)
    heard = RoomRecordings().apply(speech(), math.nan, noted := context(tmp_path))
    torch.testing.assert_close(heard, speech(), atol=1e-6, rtol=1e-5)
    assert noted.notes["response"] == "far.wav"


def test_an_echo_is_added_where_it_belongs_at_the_same_level(tmp_path: Path):
    write_response(tmp_path / "wall.wav", delay=300, echo=100)
    audio = speech()
    expected = audio.clone()
    expected[100:] += 0.5 * audio[:-100]
    expected *= audio.norm() / expected.norm()
    heard = RoomRecordings().apply(audio, math.nan, context(tmp_path))
    torch.testing.assert_close(heard, expected, atol=1e-6, rtol=1e-4)


def test_the_rt60_of_a_recorded_response_is_noted(tmp_path: Path):
    time = np.arange(RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(RATE)
    decay = noise * 10 ** (-3 * time / 0.5)
    decay[0] = 5.0
    soundfile.write(tmp_path / "hall.wav", 0.1 * decay, RATE, subtype="FLOAT")
    RoomRecordings().apply(speech(), math.nan, noted := context(tmp_path))
    assert noted.notes["rt60_s"] == pytest.approx(0.5, rel=0.05)


def test_responses_are_drawn_from_the_whole_folder_and_alike_for_a_seed(tmp_path: Path):
    for number in range(3):
        write_response(tmp_path / f"{number}.wav", delay=10, echo=50 + number)
    rooms, drawn = RoomRecordings(), {}
    for seed in range(30):
        heard = rooms.apply(speech(), math.nan, noted := context(tmp_path, seed))
        name = noted.notes["response"]
        assert torch.equal(heard, drawn.setdefault(name, heard))
    assert set(drawn) == {"0.wav", "1.wav", "2.wav"}


def test_a_response_at_another_rate_is_converted(tmp_path: Path):
    write_response(tmp_path / "cd.wav", delay=4410, echo=441, rate=44_100)
    audio = torch.zeros(2000)
    audio[200] = 1.0
    heard = RoomRecordings().apply(audio, math.nan, context(tmp_path))
    assert int(heard.abs().argmax()) == 200
    assert int(heard[300:].abs().argmax()) + 300 == 360


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_without_responses_is_an_error(tmp_path: Path, make: bool):
    folder = tmp_path / "responses"
    if make:
        folder.mkdir()
    with pytest.raises(InvalidCondition, match="responses"):
        RoomRecordings().apply(speech(), math.nan, context(folder))


def test_a_silent_response_is_an_error_and_not_silence(tmp_path: Path):
    soundfile.write(tmp_path / "nothing.wav", np.zeros(1000), RATE)
    with pytest.raises(InvalidCondition, match="silent"):
        RoomRecordings().apply(speech(), math.nan, context(tmp_path))


def test_silence_stays_silent_in_a_recorded_room(tmp_path: Path):
    write_response(tmp_path / "wall.wav", delay=3, echo=9)
    heard = RoomRecordings().apply(torch.zeros(100), math.nan, noted := context(tmp_path))
    assert not heard.any()
    assert noted.notes["undefined"] == "silence"
