from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_uncertainty import SPEAKERS, written

from spoofbench import comparing
from spoofbench.errors import InvalidScores, InvalidSettings
from spoofbench.judging import System
from spoofbench.scores import ScoreTable
from spoofbench.statistics.paired import resolution
from spoofbench.tables import ResultTable
from spoofbench.terms import Terms
from spoofbench.uncertainty import Uncertainty

BY_SPEAKER = Uncertainty(unit="speaker", replicates=300)


@pytest.fixture
def terms(tmp_path: Path) -> Terms:
    return written(tmp_path, [f"S{number:02d}" for number in range(SPEAKERS)])


def system(label: str, terms: Terms, *, separation: float, noise: float = 0.0) -> System:
    """A system of this separation; all share their errors but for some ``noise`` of their own."""
    shared = np.random.default_rng(11).normal(size=len(terms.trials))
    own = np.random.default_rng(len(label)).normal(size=len(terms.trials))
    bonafide = np.array([trial.bonafide for trial in terms.trials])
    scores = separation * bonafide + shared + noise * own
    return System(label=label, table=ScoreTable(trials=terms.trials, scores=scores), remarks=())


def compared(terms: Terms, *systems: System, metric: str = "eer", **changes) -> ResultTable:
    ranked_by = comparing.ranking_metric(metric, terms)
    return comparing.compare(systems, terms, BY_SPEAKER, rank_by=ranked_by, **changes)


def test_the_best_system_comes_first(terms: Terms):
    table = compared(
        terms, system("weak", terms, separation=0.5), system("good", terms, separation=2)
    )
    assert table.runs == ("good", "weak")
    assert table.ranking.leaders[0] == "good"


def test_a_higher_accuracy_is_better(terms: Terms):
    weak, good = system("weak", terms, separation=0.5), system("good", terms, separation=2)
    assert compared(terms, weak, good, metric="accuracy-at-eer").runs == ("good", "weak")


def test_a_clearly_worse_system_is_in_another_rank_group(terms: Terms):
    weak, good = system("weak", terms, separation=0.5), system("good", terms, separation=2)
    placing = compared(terms, weak, good).ranking.placings["weak"]
    assert placing.group == 2
    assert placing.adjusted == resolution(BY_SPEAKER.replicates)
    assert placing.difference.interval.low > 0


def test_a_system_and_its_copy_share_a_rank_group(terms: Terms):
    one = system("one", terms, separation=1)
    copy = System(label="copy", table=one.table, remarks=())
    placings = compared(terms, one, copy).ranking.placings
    assert {placing.group for placing in placings.values()} == {1}
    assert placings["copy"].difference.value == 0
    assert placings["copy"].difference.p_value == 1


def test_an_increasing_transform_of_the_scores_is_the_same_system(terms: Terms):
    one = system("one", terms, separation=1)
    table = ScoreTable(trials=terms.trials, scores=np.exp(one.table.scores))
    placings = compared(terms, one, System(label="exp", table=table, remarks=())).ranking.placings
    assert placings["exp"].difference.interval[:2] == (0, 0)


def test_the_difference_is_that_of_the_values(terms: Terms):
    table = compared(
        terms, system("weak", terms, separation=1), system("good", terms, separation=2)
    )
    good, weak = table.pooled()
    difference = weak.values["eer"] - good.values["eer"]
    assert table.ranking.placings["weak"].difference.value == pytest.approx(difference)


def test_systems_that_share_their_errors_are_told_apart_where_their_intervals_overlap(
    terms: Terms,
):
    """Pairing is what a comparison adds to two intervals."""
    table = compared(terms, system("b", terms, separation=1.5), system("a", terms, separation=1.7))
    better, worse = table.pooled()
    assert better.intervals["eer"].high > worse.intervals["eer"].low
    assert table.ranking.placings[worse.run].group == 2


def test_every_replicate_is_told_once_for_all_systems(terms: Terms):
    told = []
    one, two = system("one", terms, separation=1), system("second", terms, separation=1)
    compared(terms, one, two, advance=lambda: told.append(1))
    assert len(told) == BY_SPEAKER.replicates


def test_a_comparison_needs_two_systems(terms: Terms):
    with pytest.raises(InvalidScores, match="two"):
        compared(terms, system("one", terms, separation=1))


def test_a_ranking_needs_a_metric_that_is_measured(terms: Terms):
    with pytest.raises(InvalidSettings, match="eer, accuracy-at-eer"):
        comparing.ranking_metric("cllr", terms)


def test_the_first_metric_ranks_if_none_is_named(terms: Terms):
    assert comparing.ranking_metric("", terms).name == "eer"


def test_many_systems_get_as_many_replicates_as_holm_s_correction_needs():
    few = Uncertainty(unit="speaker", replicates=100)
    assert comparing.enough(few, 2).replicates == 100
    many = comparing.enough(few, 21).replicates
    assert resolution(many, tests=20) < 0.05 <= resolution(many - 1, tests=20)


def test_speakers_are_drawn_where_they_are_known(terms: Terms, tmp_path: Path):
    assert comparing.best_unit(terms) == "speaker"
    (tmp_path / "unknown").mkdir()
    assert comparing.best_unit(written(tmp_path / "unknown", ["-"])) == "trial"
