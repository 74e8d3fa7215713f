"""Decoded audio on disk: the same bits, bounded, mended, and nobody else's files touched."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spoofbench import audio
from spoofbench.audio import AudioCache
from spoofbench.errors import InvalidAudio, StorageError
from spoofbench.store import HOME, Store

RATE = 16_000
HEADER = 32
PLENTY = 1 << 30


class Decoder:
    """Gives zeros, as many as a file's name says, and notes for which files it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, file: Path, rate: int) -> audio.Audio:
        self.asked.append(file.name)
        return np.zeros(int(file.stem.partition("-")[2]), np.float32)


def recordings(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(name.encode())
    return [folder / name for name in names]


def held(folder: Path) -> list[Path]:
    return sorted((folder / HOME).glob("??/*.f32"))


def read(store: Store, file: Path, decoder: Decoder, rate: int = RATE, version: str = "1") -> bool:
    """Read ``file``; say whether it was there."""
    return store.read(file, rate, decoder, decoder=version).found


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    samples = 0.3 * np.random.default_rng(0).standard_normal(5_000)
    soundfile.write(tmp_path / "noise.flac", samples, RATE)
    return tmp_path / "noise.flac"


@pytest.mark.parametrize("rate", [RATE, 8_000])
def test_what_comes_out_has_the_bits_of_decoding(noise, tmp_path, rate):
    plain = audio.read(noise, rate)
    for _ in range(2):  # first made, then found, each by a store of its own
        cache = AudioCache(tmp_path, rate, 0, Store(tmp_path / "c", limit=PLENTY))
        given = cache.read(noise.name)
        assert given.dtype == np.float32
        assert given.tobytes() == plain.tobytes()
        assert not given.flags.writeable
    assert cache.budget.tally().hits == 1


def test_what_is_found_is_mapped_and_takes_no_memory(noise, tmp_path):
    cache = AudioCache(tmp_path, RATE, PLENTY, Store(tmp_path / "c", limit=PLENTY))
    cache.read(noise.name)
    base = cache.read(noise.name).base
    assert isinstance(base, np.memmap)
    assert cache.size == cache.budget.tally().held == 0


def test_a_changed_recording_another_rate_or_decoder_is_decoded_anew(tmp_path):
    (file,) = recordings(tmp_path, "a-10")
    store, decoder = Store(tmp_path / "c", limit=PLENTY), Decoder()
    assert [read(store, file, decoder) for _ in range(2)] == [False, True]
    assert not read(store, file, decoder, rate=8_000)
    assert not read(store, file, decoder, version="2")
    os.utime(file, ns=(1, 1))
    assert not read(store, file, decoder)
    file.write_bytes(b"longer than before")
    os.utime(file, ns=(1, 1))
    assert not read(store, file, decoder)
    assert read(store, file, decoder)


def test_two_recordings_of_one_name_are_two(tmp_path):
    (tmp_path / "x").mkdir()
    (one,) = recordings(tmp_path, "a-10")
    (other,) = recordings(tmp_path / "x", "a-10")
    store, decoder = Store(tmp_path / "c", limit=PLENTY), Decoder()
    assert not read(store, one, decoder)
    assert not read(store, other, decoder)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-4])


def flip(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 1
    file.write_bytes(whole)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def lie(file: Path) -> None:
    """Announce 2 ** 60 samples."""
    whole = bytearray(file.read_bytes())
    whole[8:16] = (1 << 60).to_bytes(8, "little")
    file.write_bytes(whole)


@pytest.mark.parametrize("damage", [cut, flip, empty, lie])
def test_what_is_damaged_is_made_anew(noise, tmp_path, damage):
    AudioCache(tmp_path, RATE, 0, Store(tmp_path / "c", limit=PLENTY)).read(noise.name)
    (file,) = held(tmp_path / "c")
    whole = file.read_bytes()
    damage(file)
    again = AudioCache(tmp_path, RATE, 0, Store(tmp_path / "c", limit=PLENTY))
    assert again.read(noise.name).tobytes() == audio.read(noise, RATE).tobytes()
    assert again.budget.tally().hits == 0
    assert file.read_bytes() == whole


def test_a_bad_recording_is_refused_as_without_a_store(tmp_path):
    cache = AudioCache(tmp_path, RATE, 0, Store(tmp_path / "c", limit=PLENTY))
    with pytest.raises(InvalidAudio, match="there is no such file"):
        cache.read("gone.wav")
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    with pytest.raises(InvalidAudio, match=r"bad\.wav: cannot be decoded"):
        cache.read("bad.wav")


# the bound


def test_the_least_recently_used_goes_when_the_limit_is_reached(tmp_path):
    files = recordings(tmp_path, "a-92", "b-92", "c-92", "d-92")
    each = HEADER + 4 * 92  # 400 bytes
    store, decoder = Store(tmp_path / "c", limit=3 * each), Decoder()
    a, b, c, d = files
    for file in (a, b, a, c, a, d):
        read(store, file, decoder)
    assert decoder.asked == [file.name for file in (a, b, c, d)]
    assert read(store, a, decoder), "it was used last but one"
    assert not read(store, b, decoder)


def test_no_more_is_ever_held_than_the_limit(tmp_path):
    random = np.random.default_rng(1)
    names = [f"{n}-{random.integers(1, 300)}" for n in range(60)]
    store, decoder = Store(tmp_path / "c", limit=5_000), Decoder()
    for file in recordings(tmp_path, *names):
        read(store, file, decoder)
        assert sum(path.stat().st_size for path in held(tmp_path / "c")) <= 5_000
    assert len(held(tmp_path / "c")) > 1


def test_what_alone_is_more_than_the_limit_is_given_and_not_kept(tmp_path):
    (file,) = recordings(tmp_path, "a-1000")
    store = Store(tmp_path / "c", limit=4_000)
    assert len(store.read(file, RATE, Decoder(), decoder="1").audio) == 1_000
    assert held(tmp_path / "c") == []


def test_a_lower_limit_is_kept_from_the_next_recording_on(tmp_path):
    one, two, three = recordings(tmp_path, "a-92", "b-92", "c-92")
    store, decoder = Store(tmp_path / "c", limit=PLENTY), Decoder()
    read(store, one, decoder)
    read(store, two, decoder)
    read(Store(tmp_path / "c", limit=400), three, decoder)
    assert len(held(tmp_path / "c")) == 1


@pytest.mark.parametrize("said", [None, "", "nonsense"])
def test_a_lost_count_is_counted_again(tmp_path, said):
    one, two = recordings(tmp_path, "a-92", "b-92")
    decoder = Decoder()
    read(Store(tmp_path / "c", limit=PLENTY), one, decoder)
    count = tmp_path / "c" / HOME / "bytes"
    count.unlink() if said is None else count.write_text(said)
    read(Store(tmp_path / "c", limit=400), two, decoder)
    assert len(held(tmp_path / "c")) == 1
    assert count.read_text() == "400"


def everything(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file, file.read_bytes()


def test_a_strangers_files_are_not_touched(tmp_path):
    strange = tmp_path / "c"
    for place in (strange, strange / "ab", strange / HOME, strange / HOME / "ab"):
        place.mkdir(parents=True, exist_ok=True)
        for name in ("thesis.tex", "a.f32", f"{'0' * 64}.f32"):
            (place / name).write_text("ten years of work")
    before = dict(everything(strange))
    store, decoder = Store(strange, limit=400), Decoder()
    for file in recordings(tmp_path, "a-92", "b-92", "c-92"):
        read(store, file, decoder)
    after = dict(everything(strange))
    assert {file: after.get(file) for file in before} == before
    assert len(after) - len(before) == 3, "one recording, the count and the lock"


# several at once, and a disk that is full


def hammer(folder: Path, corpus: Path, seed: int) -> None:
    store = Store(folder, limit=6_000)
    for place in np.random.default_rng(seed).integers(0, 12, size=60):
        given = store.read(corpus / f"{place}.wav", RATE, audio.read, decoder="1").audio
        assert given.tobytes() == audio.read(corpus / f"{place}.wav", RATE).tobytes()


def test_several_processes_share_it(tmp_path):
    random = np.random.default_rng(2)
    for place in range(12):
        samples = random.uniform(-1, 1, 100 + 20 * place).astype(np.float32)
        soundfile.write(tmp_path / f"{place}.wav", samples, RATE, subtype="FLOAT")
    context = get_context("fork")
    processes = [
        context.Process(target=hammer, args=(tmp_path / "c", tmp_path, seed)) for seed in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    sizes = sum(path.stat().st_size for path in held(tmp_path / "c"))
    assert sizes <= 6_000
    assert int((tmp_path / "c" / HOME / "bytes").read_text()) == sizes


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "c").write_text("a file")
    (file,) = recordings(tmp_path, "a-92")
    with pytest.raises(StorageError) as error:
        read(Store(tmp_path / "c", limit=PLENTY), file, Decoder())
    assert "--cache-dir" in error.value.hint


FULL = """
import resource, signal, sys
from pathlib import Path
from spoofbench.audio import AudioCache
from spoofbench.errors import StorageError
from spoofbench.store import Store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
root = Path(sys.argv[1])
try:
    AudioCache(root, 16_000, 0, Store(root / "c", limit=1 << 30)).read("noise.flac")
except StorageError as error:
    print(error, error.hint)
"""


def test_a_disk_that_fills_up_is_an_error_and_leaves_nothing_half_written(noise, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True
    )
    assert "File too large" in done.stdout  # as a limit says it; a full disk: No space left
    assert "--cache-limit" in done.stdout
    assert held(tmp_path / "c") == []
    assert not (tmp_path / "c" / HOME / "writing").exists()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 10_000
