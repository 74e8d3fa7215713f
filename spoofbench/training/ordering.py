"""In which order an epoch takes its utterances: by chance, or by chance among those of a length."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoofbench import audio
from spoofbench.errors import FailedTrials, InvalidAudio
from spoofbench.files import storage_errors, write_text
from spoofbench.terms import Terms
from spoofbench.trials import Trial

Places = NDArray[np.int64]
LENGTHS = "lengths.tsv"
"""In a training's folder: how long its utterances are, which decides its batches."""
_THREADS = 8


def plain(count: int, random: np.random.Generator) -> Places:
    """Return the places of ``count`` utterances in an order by chance, ``(count,)``."""
    return random.permutation(count)


def by_length(
    lengths: NDArray[np.int64], batch_size: int, buckets: int, random: np.random.Generator
) -> Places:
    """Return places whose batches hold utterances of similar length, ``(whole batches,)``.

    ``lengths`` ``(utterances,)`` are parted into ``buckets`` of equally many; batches are drawn
    within a bucket, those at a border from two, and come in an order by chance. With one bucket all
    is chance. The utterances left out are those that `plain` has last.
    """
    count = len(lengths) // batch_size * batch_size
    drawn = plain(len(lengths), random)[:count]
    rank = np.empty(count, np.int64)
    rank[np.argsort(lengths[drawn], kind="stable")] = np.arange(count)
    sorted_by_bucket = drawn[np.argsort(rank * buckets // count, kind="stable")]
    batches = sorted_by_bucket.reshape(-1, batch_size)
    return batches[random.permutation(len(batches))].reshape(-1)


def padding(lengths: NDArray[np.int64], batch_size: int) -> float:
    """Return which share of batches is padding, if ``lengths`` come in this order.

    ``lengths`` ``(utterances,)`` fill whole batches.
    """
    batches = lengths.reshape(-1, batch_size)
    return 1 - float(lengths.sum()) / float(batches.max(axis=1).sum() * batch_size)


def lengths_of(terms: Terms, rate: int, folder: Path) -> NDArray[np.int64]:
    """Return how many samples at ``rate`` each trial has, ``(trials,)``, as headers say it.

    They are read once, and kept in ``folder``. Raises `FailedTrials` for headers that cannot be
    read.
    """
    file = folder / LENGTHS
    known = _known(file)
    if known.keys() != {trial.utterance for trial in terms.trials}:
        known = _read(terms, rate)
        lines = (f"{utterance}\t{samples}\n" for utterance, samples in known.items())
        write_text(file, "".join(lines))
    return np.array([known[trial.utterance] for trial in terms.trials], np.int64)


def _known(file: Path) -> dict[str, int]:
    if not file.exists():
        return {}
    with storage_errors(file):
        lines = (line.rpartition("\t") for line in file.read_text("utf-8").splitlines())
    return {utterance: int(samples) for utterance, _, samples in lines if samples.isdecimal()}


def _read(terms: Terms, rate: int) -> dict[str, int]:
    def length(trial: Trial) -> int | str:
        try:
            return audio.length(terms.root / trial.audio, rate)
        except InvalidAudio as error:
            return str(error)

    with ThreadPoolExecutor(_THREADS) as threads:  # a file system may take long to answer
        found = list(threads.map(length, terms.trials))
    if bad := [reason for reason in found if isinstance(reason, str)]:
        raise FailedTrials(
            f"{len(bad):,} recordings have no header that can be read: {bad[0]}",
            hint="mend the recordings and give the same command again",
        )
    return {
        trial.utterance: int(samples) for trial, samples in zip(terms.trials, found, strict=True)
    }
