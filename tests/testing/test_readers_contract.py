"""The contract of readers, on the tiny corpus and on readers that were sabotaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from spoofbench.plugins import catalogue
from spoofbench.protocols import Data, read
from spoofbench.testing import datasets
from spoofbench.testing.clauses import Broken, Check, NotApplicable
from spoofbench.testing.datasets import DatasetSubject
from spoofbench.trials import Trial


@pytest.fixture
def good(tiny: Path) -> DatasetSubject:
    spec = catalogue().datasets.get("table").spec
    data = read(tiny / "tiny-eval.toml").data
    return DatasetSubject(spec=spec, reader=spec.resolve(), data=data, root=tiny)


@pytest.mark.parametrize("clause", datasets.CLAUSES)
def test_the_reader_that_comes_along_keeps_its_contract(clause: Check, good: DatasetSubject):
    clause(good)


def test_without_a_corpus_nothing_can_be_said(good: DatasetSubject):
    with pytest.raises(NotApplicable):
        datasets.no_audio_is_opened(replace(good, root=None))


Change = Callable[[list[Trial], Path], Sequence[Trial]]
calls: list[int] = []


def turned(trials: list[Trial], root: Path) -> Sequence[Trial]:
    calls.append(1)
    return trials[:: 1 if len(calls) % 2 else -1]


def opened(trials: list[Trial], root: Path) -> Sequence[Trial]:
    soundfile.info(str(root / trials[0].audio))
    soundfile.read(str(root / trials[0].audio))
    return trials


SABOTAGED: list[tuple[Check, Change]] = [
    (datasets.trials_come_in_one_order, turned),
    (datasets.trials_come_in_one_order, lambda trials, root: [*trials, trials[0]]),
    (datasets.both_classes_are_told_apart, lambda trials, root: [t for t in trials if t.bonafide]),
    (
        datasets.audio_stays_inside_the_corpus,
        lambda trials, root: [replace(trials[0], audio="../outside.flac"), *trials[1:]],
    ),
    (datasets.no_audio_is_opened, opened),
]


@pytest.mark.parametrize(("clause", "change"), SABOTAGED)
def test_a_sabotaged_reader_breaks_the_clause(clause: Check, change: Change, good: DatasetSubject):
    def reader(data: Data, root: Path) -> Sequence[Trial]:
        return change(list(good.reader(data, root)), root)

    with pytest.raises(Broken):
        clause(replace(good, reader=reader))


def test_a_reader_that_fails_in_its_own_way_breaks_the_clause(good: DatasetSubject):
    def careless(data: Data, root: Path) -> Sequence[Trial]:
        (root / data.keys).read_text()
        return []

    with pytest.raises(Broken, match="FileNotFoundError"):
        datasets.a_corpus_that_is_not_there_is_told(replace(good, reader=careless))
    with pytest.raises(Broken, match="0 trials"):
        datasets.a_corpus_that_is_not_there_is_told(replace(good, reader=lambda data, root: []))


def test_every_clause_about_readers_is_proven():
    proven = {clause for clause, _ in SABOTAGED} | {datasets.a_corpus_that_is_not_there_is_told}
    assert proven == set(datasets.CLAUSES)
