from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from spoofbench import batches
from spoofbench.audio import AudioCache
from spoofbench.batches import Batch, First, RandomCrop, Whole, Work
from spoofbench.errors import StorageError
from spoofbench.store import Store
from spoofbench.trials import Trial

CPU = torch.device("cpu")

RATE = 16_000


def trial(name: str, *, bonafide: bool = True) -> Trial:
    return Trial(
        utterance=name,
        speaker="s",
        attack="-" if bonafide else "X01",
        bonafide=bonafide,
        audio=f"{name}.wav",
    )


@pytest.fixture
def counted(tmp_path: Path) -> list[Trial]:
    """Seven recordings; sample ``i`` of recording ``n`` is ``(100 n + i) / 1000``."""
    for number in range(7):
        samples = (100 * number + np.arange(5 + number)) / 1000
        soundfile.write(tmp_path / f"u{number}.wav", samples, RATE, subtype="FLOAT")
    return [trial(f"u{number}", bonafide=number % 2 == 0) for number in range(7)]


def cache(root: Path) -> AudioCache:
    return AudioCache(root, RATE, 1 << 20)


def load(work: list[Work], root: Path, *, workers: int = 0, crop: batches.Crop) -> list[Batch]:
    return list(batches.loader(work, cache=cache(root), crop=crop, workers=workers))


def test_trials_are_cut_into_batches_in_their_order():
    plan = batches.plan([trial(name) for name in "abcde"], 2, epoch=3)
    assert [[t.utterance for t in work.trials] for work in plan] == [["a", "b"], ["c", "d"], ["e"]]
    assert [(work.place, work.epoch) for work in plan] == [(0, 3), (1, 3), (2, 3)]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_come_in_order_however_many_workers_read(counted, tmp_path, workers):
    loaded = load(batches.plan(counted, 2), tmp_path, workers=workers, crop=First(4))
    assert [batch.place for batch in loaded] == [0, 1, 2, 3]
    assert [name for batch in loaded for name in batch.utterances] == [f"u{n}" for n in range(7)]
    assert torch.cat([batch.bonafide for batch in loaded]).tolist() == [
        True, False, True, False, True, False, True,
    ]  # fmt: skip
    first_samples = torch.cat([batch.audio[:, 0] for batch in loaded])
    assert torch.equal(first_samples, torch.arange(7) * 100 / 1000)


def test_shorter_utterances_are_padded_with_zeros_behind_their_length(counted, tmp_path):
    (batch,) = load(batches.plan(counted[:3], 3), tmp_path, crop=Whole())
    assert batch.lengths.tolist() == [5, 6, 7]
    assert batch.audio.shape == (3, 7)
    assert batch.audio[0].tolist() == pytest.approx([0, 0.001, 0.002, 0.003, 0.004, 0, 0])


def test_utterances_too_short_for_the_model_are_repeated(counted, tmp_path):
    (batch,) = load(batches.plan(counted[:1], 1), tmp_path, crop=Whole(at_least=7))
    assert batch.audio[0].tolist() == pytest.approx([0, 0.001, 0.002, 0.003, 0.004, 0, 0.001])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_recording_stands_aside_and_the_others_of_its_batch_remain(
    counted, tmp_path, workers
):
    (tmp_path / "u1.wav").write_bytes(b"no audio")
    (tmp_path / "u2.wav").unlink()
    first, second = load(batches.plan(counted[:4], 3), tmp_path, workers=workers, crop=First(4))
    assert first.utterances == ("u0",)
    assert first.audio.shape == (1, 4)
    assert first.bonafide.tolist() == [True]
    assert [failure.utterance for failure in first.failures] == ["u1", "u2"]
    assert str(tmp_path / "u2.wav") in first.failures[1].reason
    assert second.utterances == ("u3",)
    assert second.failures == ()


def test_a_batch_of_bad_recordings_only_is_empty(tmp_path):
    (batch,) = load(batches.plan([trial("gone")], 1), tmp_path, crop=First(4))
    assert batch.audio.shape[0] == 0
    assert batch.utterances == ()


def crops(root: Path, work: list[Work], *, seed: int = 5, workers: int = 0) -> dict[str, int]:
    """The sample at which each utterance's crop starts, told from its first value."""
    loaded = load(work, root, crop=RandomCrop(samples=3, seed=seed), workers=workers)
    return {
        name: round(1000 * float(row[0])) % 100
        for batch in loaded
        for name, row in zip(batch.utterances, batch.audio, strict=True)
    }


def test_random_crops_do_not_depend_on_workers_batches_or_order(counted, tmp_path):
    expected = crops(tmp_path, batches.plan(counted, 2))
    assert crops(tmp_path, batches.plan(counted, 2), workers=2) == expected
    assert crops(tmp_path, batches.plan(counted, 7)) == expected
    assert crops(tmp_path, batches.plan(counted[::-1], 3)) == expected


def test_random_crops_depend_on_seed_and_on_epoch(counted, tmp_path):
    first = crops(tmp_path, batches.plan(counted, 2, epoch=1))
    assert crops(tmp_path, batches.plan(counted, 2, epoch=2)) != first
    assert crops(tmp_path, batches.plan(counted, 2, epoch=1), seed=6) != first


@pytest.mark.parametrize("workers", [0, 1])
def test_loading_leaves_the_global_random_states_as_they_were(counted, tmp_path, workers):
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    crops(tmp_path, batches.plan(counted, 2), workers=workers)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)


def test_the_work_of_a_loader_may_change_between_passes(counted, tmp_path):
    work = batches.plan(counted[:2], 2)
    loader = batches.loader(work, cache=cache(tmp_path), crop=First(4), workers=1)
    (before,) = loader
    work[:] = batches.plan(counted[2:4], 2)
    (after,) = loader
    assert before.utterances == ("u0", "u1")
    assert after.utterances == ("u2", "u3")


def test_an_augmented_batch_does_not_write_into_the_cache(counted, tmp_path):
    loader = batches.loader(
        batches.plan(counted[:1], 1), cache=cache(tmp_path), crop=First(4), workers=0
    )
    (batch,) = loader
    batch.audio.mul_(0)
    (again,) = loader
    assert again.audio[0].tolist() == pytest.approx([0, 0.001, 0.002, 0.003])


def test_the_number_of_workers_is_what_was_asked_for():
    assert batches.workers_for(0, CPU) == 0
    assert batches.workers_for(3, CPU) == 3


@pytest.mark.parametrize(
    ("cores", "device", "workers"),
    [(1, "cpu", 0), (2, "cpu", 0), (8, "cpu", 2), (64, "cpu", 4), (2, "cuda", 1), (64, "cuda", 8)],
)
def test_a_model_on_the_processor_is_left_most_of_the_cores(cores, device, workers, monkeypatch):
    monkeypatch.setattr(batches.os, "cpu_count", lambda: cores)
    assert batches.workers_for(None, torch.device(device)) == workers


def test_workers_fill_copies_of_the_cache_and_heed_one_budget(counted, tmp_path):
    held = cache(tmp_path)
    work = batches.plan([counted[6]], 1) * 8  # each worker reads the longest, 11 samples
    loader = batches.loader(work, cache=held, crop=First(4), workers=2)
    list(loader)
    assert held.budget.tally() == (2 * 4 * 11, 6, 8), "each decodes it once"
    assert held.size == 0, "nothing is held in this process"
    held.budget.capacity = 4 * 10
    list(loader)
    assert held.budget.tally() == (0, 6, 16)


def test_what_ends_a_pass_keeps_its_hint_across_the_border_of_a_process(counted, tmp_path):
    (tmp_path / "store").write_text("a file where a folder should be")
    full = AudioCache(tmp_path, RATE, 0, Store(tmp_path / "store", limit=1 << 20))
    work = batches.plan(counted[:1], 1)
    (batch,) = batches.loader(work, cache=full, crop=First(4), workers=1)
    assert isinstance(batch.error, StorageError)
    assert "--cache-dir" in batch.error.hint


def test_workers_and_later_passes_find_what_one_stored(counted, tmp_path):
    def pass_over(workers: int) -> tuple[int, int]:
        stored = AudioCache(tmp_path, RATE, 0, Store(tmp_path / "store", limit=1 << 20))
        work = batches.plan(counted, 2)
        list(batches.loader(work, cache=stored, crop=First(4), workers=workers))
        return stored.budget.tally()[1:]

    assert [pass_over(workers) for workers in (2, 0, 1)] == [(0, 7), (7, 7), (7, 7)]
