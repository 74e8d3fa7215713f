"""In which order an epoch takes its utterances: by chance, or by chance among those of a length."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoofbench import audio
from spoofbench.errors import FailedTrials, InvalidAudio
from spoofbench.files import storage_errors, write_text
from spoofbench.processes import Processes
from spoofbench.terms import Terms
from spoofbench.training.recipe import Recipe
from spoofbench.trials import Trial

Places = NDArray[np.int64]
LENGTHS = "lengths.tsv"
"""In a training's folder: how long its utterances are, which decides its batches."""
_THREADS = 8


class Order:
    """The order of the train utterances in each epoch, which only the seed decides.

    With ``recipe.length_buckets`` lengths decide, too: they are read, and written into ``folder``,
    by the first of the ``processes``; ``note`` is told what that spares. Raises `FailedTrials` for
    headers that cannot be read.
    """

    def __init__(
        self,
        terms: Terms,
        recipe: Recipe,
        *,
        seed: int,
        rate: int,
        folder: Path,
        processes: Processes,
        note: Callable[[str], None],
    ) -> None:
        self._trials = terms.trials
        self._recipe = recipe
        self._seed = seed
        self._lengths: NDArray[np.int64] | None = None
        if recipe.length_buckets > 1:
            if processes.is_first:  # which writes what the others read
                lengths_of(terms, rate, folder)
            processes.wait_for_all()
            self._lengths = lengths_of(terms, rate, folder)
            note(_spared(self._lengths, recipe.batch_size, recipe.length_buckets))

    def of(self, epoch: int) -> list[Trial]:
        """Return the trials in the order of ``epoch``; those of incomplete batches may be out."""
        random, recipe = np.random.default_rng([self._seed, epoch]), self._recipe
        places = (
            plain(len(self._trials), random)
            if self._lengths is None
            else by_length(self._lengths, recipe.batch_size, recipe.length_buckets, random)
        )
        return [self._trials[place] for place in places]


def _spared(lengths: NDArray[np.int64], batch_size: int, buckets: int) -> str:
    """Say how much padding there is with ``buckets``, and without."""
    one, several = (
        padding(
            lengths[by_length(lengths, batch_size, count, np.random.default_rng(0))], batch_size
        )
        for count in (1, buckets)
    )
    return (
        f"{buckets} groups of similar length: {100 * several:.1f} % of a batch is padding, "
        f"instead of {100 * one:.1f} %"
    )


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
