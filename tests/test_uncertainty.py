from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spoofbench import scores
from spoofbench.errors import InvalidSettings
from spoofbench.plugins import catalogue
from spoofbench.protocols import load, read
from spoofbench.rows import judge
from spoofbench.scores import ScoreTable
from spoofbench.tables import MEAN, Row
from spoofbench.terms import Terms, terms_of
from spoofbench.uncertainty import Uncertainty, method_of

PROTOCOL = """\
schema = 1
title = "Talkers"
role = "eval"

[data]
reader = "table"
corpus = "talkers"
keys = "keys.txt"
columns = ["speaker", "utterance", "attack", "key"]
audio = "{utterance}.flac"

[report]
metrics = ["eer", "accuracy-at-eer"]
by = ["attack"]
"""
SPEAKERS = 12
EACH = 20
"""Bona fide trials, and spoofs, of each speaker."""


@pytest.fixture
def terms(tmp_path: Path) -> Terms:
    return written(tmp_path, [f"S{number:02d}" for number in range(SPEAKERS)])


def written(folder: Path, speakers: Sequence[str]) -> Terms:
    lines = []
    for speaker in speakers:
        for number in range(EACH):
            attack = f"A{number % 4:02d}"
            lines.append(f"{speaker} B-{speaker}-{number} - bonafide\n")
            lines.append(f"{speaker} X-{speaker}-{number} {attack} spoof\n")
    (folder / "keys.txt").write_text("".join(lines))
    (folder / "talkers.toml").write_text(PROTOCOL)
    return terms_of(read(folder / "talkers.toml"), catalogue(), folder)


def table(terms: Terms, *, of_speakers: float = 0.0) -> ScoreTable:
    """Scores that are better for bona fide trials, and differ by speaker as much as asked."""
    random = np.random.default_rng(3)
    shift = {f"S{number:02d}": random.normal() * of_speakers for number in range(SPEAKERS)}
    values = [1.5 * t.bonafide + shift[t.speaker] + random.normal() for t in terms.trials]
    return ScoreTable(trials=terms.trials, scores=np.array(values))


def pooled(terms: Terms, of: ScoreTable, **options) -> Row:
    options = {"unit": "trial", "replicates": 200} | options
    return judge("mine", of, terms, uncertainty=Uncertainty(**options))[0]


def width(row: Row) -> float:
    return row.intervals["eer"].high - row.intervals["eer"].low


@pytest.mark.parametrize("unit", ["trial", "speaker", "attack", "speaker+attack"])
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_an_interval_holds_the_number_that_it_is_of(terms: Terms, unit: str, method: str):
    row = pooled(terms, table(terms), unit=unit, method=method_of(method))
    interval = row.intervals["eer"]
    assert interval.low < row.values["eer"] < interval.high


def test_the_number_itself_is_that_without_an_interval(terms: Terms):
    plain = judge("mine", table(terms), terms)
    assert [row.values for row in plain] == [
        row.values
        for row in judge("mine", table(terms), terms, uncertainty=Uncertainty(unit="trial"))
    ]


def test_every_row_and_metric_has_an_interval(terms: Terms):
    rows = judge("mine", table(terms), terms, uncertainty=Uncertainty(unit="speaker"))
    assert [row.group for row in rows] == ["pooled", "A00", "A01", "A02", "A03", MEAN]
    assert {tuple(row.intervals) for row in rows} == {("eer", "accuracy-at-eer")}


def test_a_seed_gives_the_same_interval_again_and_another_seed_another(terms: Terms):
    scored = table(terms)
    first, again, other = (pooled(terms, scored, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.intervals != other.intervals


def test_speakers_that_differ_make_an_interval_by_speaker_wider_than_one_by_trial(terms: Terms):
    differing = table(terms, of_speakers=2.0)
    by_trial, by_speaker = (pooled(terms, differing, unit=u) for u in ("trial", "speaker"))
    assert width(by_speaker) > 1.5 * width(by_trial)


def test_a_surer_interval_is_wider(terms: Terms):
    scored = table(terms)
    assert width(pooled(terms, scored, level=0.99)) > width(pooled(terms, scored, level=0.8))


def test_an_interval_by_trial_is_as_wide_as_theory_says(terms: Terms):
    """At a crossing of two smooth distributions, independent classes: delta method.

    EER = Phi(-d/2) for N(d, 1) against N(0, 1), and its variance is p (1 - p) (1/n + 1/m) / 4.
    """
    row = pooled(terms, table(terms), replicates=1000)
    eer = row.values["eer"]
    deviation = np.sqrt(eer * (1 - eer) * 2 / (SPEAKERS * EACH)) / 2
    assert width(row) == pytest.approx(2 * 1.96 * deviation, rel=0.25)


def test_the_interval_of_the_mean_over_attacks_is_that_of_the_mean(terms: Terms):
    """With one attack, the mean over attacks is that attack."""
    one = replace(terms, groups=terms.groups[:2])
    _, attack, mean = judge("mine", table(terms), one, uncertainty=Uncertainty(unit="trial"))
    assert (mean.group, mean.intervals) == (MEAN, attack.intervals)


def test_trials_whose_speakers_are_unknown_cannot_be_drawn_by_speaker(tmp_path: Path):
    unknown = written(tmp_path, ["-"])
    values = ScoreTable(trials=unknown.trials, scores=np.arange(2.0 * EACH))
    with pytest.raises(InvalidSettings, match="no interval by speaker") as raised:
        judge("mine", values, unknown, uncertainty=Uncertainty(unit="speaker"))
    assert "trial" in raised.value.hint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unit": "codec"}, "--ci codec"),
        ({"unit": "trial", "level": 1.0}, "--ci-level"),
        ({"unit": "trial", "level": 0.2}, "--ci-level"),
        ({"unit": "trial", "replicates": 20}, "--replicates 20"),
    ],
)
def test_a_bootstrap_that_makes_no_sense_is_refused(options: dict, said: str):
    with pytest.raises(InvalidSettings, match=said):
        Uncertainty(**options)


def test_a_method_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(InvalidSettings, match="percentile, bca"):
        method_of("normal")


@pytest.mark.reference
def test_a_thousand_speaker_replicates_of_eer_and_tdcf_on_la_eval_take_less_than_five_seconds(
    reference: Path,
):
    known = catalogue()
    terms = terms_of(load("la-eval", known), known, reference / "asvspoof2019-la")
    chosen = tuple(m for m in terms.metrics if m.name in ("eer", "min-tdcf-2019"))
    asked = replace(terms, metrics=chosen, groups=terms.groups[:1])
    scored = scores.read(reference / "scores" / "la-eval.rawgat-st-mul.txt", terms.trials)
    started = time.process_time()
    (row,) = judge("r", scored, asked, uncertainty=Uncertainty(unit="speaker"))
    assert time.process_time() - started < 5
    assert row.intervals["eer"].low < 0.010601 < row.intervals["eer"].high
