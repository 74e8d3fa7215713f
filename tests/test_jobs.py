from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import write_corpus, write_keys

from spoofbench.contracts import Progress
from spoofbench.errors import CorpusNotFound
from spoofbench.jobs.job import Job
from spoofbench.jobs.preparing import training_of
from spoofbench.jobs.request import Request, Voice
from spoofbench.plugins import catalogue
from spoofbench.processes import joined
from spoofbench.protocols import read
from spoofbench.robustness.pool import POOL_BYTES
from spoofbench.settings import remember_corpus, settings


@contextmanager
def silent(what: str, unit: str) -> Iterator[Progress]:
    yield lambda done, total: None


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A job whose --data names the folder ``keyed`` of the test."""
    request = Request(
        model="aasist",
        data=tmp_path / "keyed",
        out=tmp_path / "runs",
        limit=None,
        device="cpu",
        precision="fp32",
        batch_size=2,
        workers=0,
        seed=1,
    )
    with joined() as processes:
        yield Job.of(
            request, catalogue(), processes, Voice(note=lambda text: None, progress=silent)
        )


def test_the_option_names_the_folder_of_the_protocol_s_own_corpus(job: Job, tmp_path: Path):
    protocol = read(write_keys(tmp_path / "keyed"))
    for trial in ("B0", "B1", "B2", "B3", *(f"X0{a}-{i}" for a in (1, 2) for i in range(4))):
        (tmp_path / "keyed" / f"{trial}.flac").touch()
    assert job.terms(protocol).root == tmp_path / "keyed"


def test_a_corpus_that_is_trained_on_lies_where_the_settings_say(job: Job, tmp_path: Path):
    write_corpus(tmp_path / "tiny")
    remember_corpus("tiny", tmp_path / "tiny")
    settings.cache_clear()
    train, dev = (read(tmp_path / "tiny" / f"tiny-{part}.toml") for part in ("train", "dev"))
    task = training_of(job, train, dev, given="keyed").task
    assert (task.train.root, task.dev.root) == (tmp_path / "tiny", tmp_path / "tiny")


def test_the_option_does_not_stand_in_for_a_corpus_that_nobody_set(job: Job, tmp_path: Path):
    write_corpus(tmp_path / "keyed")
    train, dev = (read(tmp_path / "keyed" / f"tiny-{part}.toml") for part in ("train", "dev"))
    assert training_of(job, train, dev).task.train.root == tmp_path / "keyed"
    with pytest.raises(CorpusNotFound, match="no folder is set"):
        training_of(job, train, dev, given="keyed")


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_in_training_too_all_workers_share_the_memory_for_the_speech_of_others(
    job: Job, tmp_path: Path, workers: int
):
    write_corpus(tmp_path / "keyed")
    train, dev = (read(tmp_path / "keyed" / f"tiny-{part}.toml") for part in ("train", "dev"))
    changes = {"augment": ["white@10"], "batch_size": 2}
    job = replace(job, request=replace(job.request, workers=workers))
    augmenter = training_of(job, train, dev, changes=changes).task.augmenter
    assert augmenter is not None
    assert augmenter.pool is not None
    copies = max(workers, 1)
    assert augmenter.pool.cache.budget.capacity * copies == POOL_BYTES


def test_what_a_crash_may_lose_is_asked_for_in_minutes(job: Job, tmp_path: Path):
    write_corpus(tmp_path / "keyed")
    train, dev = (read(tmp_path / "keyed" / f"tiny-{part}.toml") for part in ("train", "dev"))
    often = replace(job, request=replace(job.request, checkpoint_every=0.5))
    assert training_of(often, train, dev).task.checkpoint_seconds == 30
    assert training_of(job, train, dev).task.checkpoint_seconds == 600


def test_a_micro_batch_that_is_asked_for_is_part_of_the_terms(job: Job, tmp_path: Path):
    """A batch norm sees it, so that other weights come of it."""
    write_corpus(tmp_path / "keyed")
    train, dev = (read(tmp_path / "keyed" / f"tiny-{part}.toml") for part in ("train", "dev"))
    small = replace(job, request=replace(job.request, micro_batch=2))
    whole, parts = (training_of(one, train, dev) for one in (job, small))
    assert (parts.terms.micro_batch, parts.task.micro_batch) == (2, 2)
    assert parts.task.folder != whole.task.folder
