import ctypes
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from spoofbench import audio
from spoofbench.audio import AudioCache
from spoofbench.errors import InvalidAudio

RATE = 16_000


def tone(seconds: float, rate: int = RATE, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def cut_in_half(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


# what is read


def test_sixteen_bit_samples_are_fractions_of_full_scale(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.array([0, 16384, -32768, 32767], np.int16), RATE)
    read = audio.read(tmp_path / "a.wav", RATE)
    assert read.dtype == np.float32
    assert read.tolist() == [0.0, 0.5, -1.0, 32767 / 32768]


def test_twenty_four_bit_samples_keep_their_precision(tmp_path: Path):
    smallest = 2.0**-23
    soundfile.write(tmp_path / "a.flac", np.array([smallest, -0.5]), RATE, subtype="PCM_24")
    assert audio.read(tmp_path / "a.flac", RATE).tolist() == [smallest, -0.5]


def test_the_channels_of_a_stereo_file_are_averaged(tmp_path: Path):
    left_and_right = np.array([[0.5, 0.0], [0.25, 0.75], [-0.5, 0.5]])
    soundfile.write(tmp_path / "a.wav", left_and_right, RATE)
    assert audio.read(tmp_path / "a.wav", RATE).tolist() == [0.25, 0.5, 0.0]


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_another_rate_is_converted_as_a_polyphase_filter_converts_it(tmp_path: Path, rate: int):
    soundfile.write(tmp_path / "a.wav", tone(0.5, rate), rate, subtype="FLOAT")
    ours = audio.read(tmp_path / "a.wav", RATE)
    theirs = resample_poly(tone(0.5, rate), RATE // 8_000, rate // 8_000)
    assert len(ours) == len(theirs) == RATE // 2
    middle = slice(1_000, -1_000)  # the filters differ in how they begin and end
    np.testing.assert_allclose(ours[middle], theirs[middle], atol=1e-3)
    np.testing.assert_allclose(ours[middle], tone(0.5)[middle], atol=1e-3)


def test_a_file_of_one_sample_is_one_sample(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.array([0.5]), RATE)
    assert audio.read(tmp_path / "a.wav", RATE).tolist() == [0.5]


def test_a_wav_written_to_a_pipe_announces_no_true_size_and_is_read(tmp_path: Path):
    file = tmp_path / "a.wav"
    soundfile.write(file, tone(0.1), RATE, subtype="PCM_16")
    header = bytearray(file.read_bytes())
    header[40:44] = b"\xff\xff\xff\xff"  # what ffmpeg writes when it cannot go back
    file.write_bytes(header)
    assert len(audio.read(file, RATE)) == RATE // 10


# what is refused


def refusal(file: Path, rate: int = RATE) -> str:
    with pytest.raises(InvalidAudio) as error:
        audio.read(file, rate)
    assert str(file) in str(error.value)
    return str(error.value)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path):
    assert "there is no such file" in refusal(tmp_path / "a.flac")


def test_an_empty_file_is_refused(tmp_path: Path):
    (tmp_path / "a.flac").touch()
    assert "cannot be decoded" in refusal(tmp_path / "a.flac")


def test_a_folder_is_refused(tmp_path: Path):
    assert "cannot be decoded" in refusal(tmp_path)


def test_a_file_without_a_header_is_refused(tmp_path: Path):
    (tmp_path / "a.raw").write_bytes(bytes(1_000))
    assert "cannot be decoded" in refusal(tmp_path / "a.raw")


def test_a_text_file_is_refused(tmp_path: Path):
    (tmp_path / "a.wav").write_text("<html>404 Not Found</html>")
    assert "cannot be decoded" in refusal(tmp_path / "a.wav")


def test_a_file_without_samples_is_refused(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), RATE)
    assert "holds no samples" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["a.flac", "a.wav", "a.aiff", "a.au", "a.ogg", "a.mp3"])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str):
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    soundfile.write(tmp_path / name, noise, RATE)
    assert len(audio.read(tmp_path / name, RATE)) == RATE
    cut_in_half(tmp_path / name)
    refusal(tmp_path / name)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_float_file_with_a_value_that_is_not_finite_is_refused(tmp_path: Path, value: float):
    samples = tone(0.01)
    samples[7] = value
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    assert "not finite" in refusal(tmp_path / "a.wav")


def test_one_sample_at_48_kHz_is_too_short_for_16_kHz(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.array([0.5]), 48_000)
    assert "too short" in refusal(tmp_path / "a.wav")


# length

COUNTED = np.arange(5, dtype=np.float32)


def test_a_longer_waveform_loses_its_end():
    assert audio.first(COUNTED, 3).tolist() == [0, 1, 2]


def test_a_shorter_waveform_is_repeated_from_its_start():
    assert audio.first(COUNTED, 12).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]


def test_a_random_crop_of_a_shorter_waveform_repeats_it_from_its_start():
    crop = audio.random_crop(COUNTED, 7, np.random.default_rng(0))
    assert crop.tolist() == [0, 1, 2, 3, 4, 0, 1]


def test_a_random_crop_starts_everywhere_equally_often():
    random = np.random.default_rng(0)
    starts = [int(audio.random_crop(COUNTED, 3, random)[0]) for _ in range(3_000)]
    found, counts = np.unique(starts, return_counts=True)
    assert found.tolist() == [0, 1, 2]
    assert counts.min() > 1_000 - 5 * np.sqrt(3_000 * 1 / 3 * 2 / 3)  # five standard deviations


@given(length=st.integers(1, 50), samples=st.integers(1, 120))
def test_every_sample_of_the_repeated_waveform_is_the_one_at_its_place_modulo_the_length(
    length: int, samples: int
):
    repeated = audio.first(np.arange(length, dtype=np.float32), samples)
    assert repeated.tolist() == [place % length for place in range(samples)]


# the cache


def counting_cache(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capacity: int
) -> tuple[AudioCache, list[str]]:
    """A cache whose decodings are counted; a file's stem is its length in samples."""
    decoded: list[str] = []

    def decode(file: Path, rate: int) -> audio.Audio:
        decoded.append(file.name)
        return np.zeros(int(file.name.rpartition("-")[2]), np.float32)

    monkeypatch.setattr(audio, "read", decode)
    return AudioCache(folder, RATE, capacity), decoded


def test_what_was_read_is_not_decoded_again(tmp_path, monkeypatch):
    cache, decoded = counting_cache(tmp_path, monkeypatch, 400)
    assert cache.read("a-100") is cache.read("a-100")
    assert decoded == ["a-100"]


def test_the_least_recently_used_waveform_is_dropped_first(tmp_path, monkeypatch):
    cache, decoded = counting_cache(tmp_path, monkeypatch, 2 * 4 * 100)
    for file in ("a-100", "b-100", "a-100", "c-100", "a-100", "b-100"):
        cache.read(file)
    assert decoded == ["a-100", "b-100", "c-100", "b-100"]


def test_a_waveform_larger_than_the_cache_is_given_but_not_kept(tmp_path, monkeypatch):
    cache, decoded = counting_cache(tmp_path, monkeypatch, 4 * 100)
    cache.read("a-50")
    assert len(cache.read("b-101")) == 101
    assert cache.size == 4 * 50
    cache.read("a-50")
    assert decoded == ["a-50", "b-101"]


@given(files=st.lists(st.integers(1, 30), max_size=60), capacity=st.integers(0, 4 * 60))
def test_the_cache_never_holds_more_bytes_than_it_may(files: list[int], capacity: int):
    with pytest.MonkeyPatch.context() as patch:
        cache, _ = counting_cache(Path(), patch, capacity)
        for samples in files:
            cache.read(f"x-{samples}")
            assert cache.size <= capacity


def test_what_the_cache_gives_cannot_be_written_to(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", tone(0.01), RATE)
    held = AudioCache(tmp_path, RATE, 1 << 20).read("a.wav")
    with pytest.raises(ValueError, match="read-only"):
        held[0] = 1.0


def test_a_cache_whose_budget_falls_drops_the_least_recently_used_when_next_read(
    tmp_path, monkeypatch
):
    cache, decoded = counting_cache(tmp_path, monkeypatch, 4 * 400)
    for file in ("a-100", "b-100", "c-100", "a-100"):
        cache.read(file)
    cache.budget.capacity = 4 * 100
    assert cache.budget.tally().held == 4 * 300, "until it is read"
    cache.read("a-100")
    assert cache.size == cache.budget.tally().held == 4 * 100
    assert decoded == ["a-100", "b-100", "c-100"]


def test_a_budget_may_grow_again(tmp_path, monkeypatch):
    cache, decoded = counting_cache(tmp_path, monkeypatch, 0)
    cache.read("a-100")
    cache.budget.capacity = 4 * 100
    cache.read("a-100")
    cache.read("a-100")
    assert decoded == ["a-100", "a-100"]


def test_readings_are_counted_and_how_many_found_what_they_wanted(tmp_path, monkeypatch):
    cache, _ = counting_cache(tmp_path, monkeypatch, 4 * 400)
    assert cache.budget.tally().hit_share == 0
    for file in ("a-100", "b-100", "a-100", "a-100"):
        cache.read(file)
    before = cache.budget.tally()
    assert (before.held, before.hits, before.reads, before.hit_share) == (4 * 200, 2, 4, 0.5)
    cache.read("c-100")
    assert cache.budget.tally().since(before) == (4 * 300, 0, 1)


def test_memory_that_a_cache_gives_up_goes_back_to_the_system(tmp_path):
    """It would stay with the C library, between blocks that are still in use."""
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("not glibc")
    random = np.random.default_rng(0)
    for number in range(300):
        samples = np.zeros(int(random.integers(16_000, 48_000)), np.float32)
        soundfile.write(tmp_path / f"{number}.wav", samples, RATE, subtype="FLOAT")
    process = psutil.Process()
    cache = AudioCache(tmp_path, RATE, 20_000_000)
    for number in random.integers(0, 300, size=1_000):  # some stay, others come and go
        cache.read(f"{number}.wav")
    before, held = process.memory_info().rss, cache.size
    cache.budget.capacity = held // 4
    cache.heed()
    assert before - process.memory_info().rss > 0.8 * 0.75 * held
