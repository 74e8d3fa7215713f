from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tiny import write_keys

from spoofbench.evaluation import as_they_are, cell_of, evaluators, under_weights
from spoofbench.metrics.judged import Judged
from spoofbench.plugins import catalogue
from spoofbench.protocols import read
from spoofbench.specs import MetricSpec
from spoofbench.terms import Terms, terms_of

EER = catalogue().metrics.get("eer").spec


@pytest.fixture
def terms(tmp_path: Path) -> Terms:
    protocol = read(write_keys(tmp_path))
    return terms_of(protocol, catalogue(), tmp_path)


def mean_of_bona_fide(judged: Judged) -> float:
    """A metric that knows nothing of weights."""
    return float(judged.bonafide.mean())


def simple(**changes) -> MetricSpec:
    return MetricSpec(
        name="mean",
        target="test_evaluation:mean_of_bona_fide",
        summary="The mean bona fide score.",
        title="mean",
        **changes,
    )


def scores(terms: Terms, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=len(terms.trials))


def test_a_cell_knows_which_trial_each_of_its_sorted_scores_is_of(terms: Terms):
    values = scores(terms)
    for group in terms.groups:
        cell = cell_of(values, group, terms)
        assert cell.judged.bonafide.tolist() == values[cell.bonafide].tolist()
        assert cell.judged.spoof.tolist() == values[cell.spoof].tolist()
        assert sorted(cell.spoof.tolist()) == group.spoof.tolist()


def test_weights_reach_the_scores_of_their_trials(terms: Terms):
    values = scores(terms)
    weights = np.arange(len(terms.trials))
    cell = cell_of(values, terms.groups[0], terms)
    again = cell.reweighted(weights).repeated()
    bonafide = [t.bonafide for t in terms.trials]
    wanted = np.sort(np.repeat(values[bonafide], weights[bonafide]))
    assert again.bonafide.tolist() == wanted.tolist()


def test_a_metric_without_weights_is_given_repeated_trials(terms: Terms):
    cell = cell_of(scores(terms), terms.groups[0], terms)
    weights = np.zeros(len(terms.trials), dtype=np.int64)
    weights[cell.bonafide[0]] = 3
    weights[cell.bonafide[1]] = 1
    weights[cell.spoof[0]] = 1
    evaluate = evaluators([simple()])["mean"]
    low, high = cell.judged.bonafide[:2]
    assert evaluate(cell.reweighted(weights)) == pytest.approx((3 * low + high) / 4)


def test_a_metric_with_weights_is_given_them(terms: Terms):
    cell = cell_of(scores(terms), terms.groups[0], terms)
    judged = cell.reweighted(np.full(len(terms.trials), 2))
    assert evaluators([simple(weighted=True)])["mean"](judged) == mean_of_bona_fide(cell.judged)


def test_equal_weights_leave_a_metric_as_it_is(terms: Terms):
    values = scores(terms)
    cells = [cell_of(values, group, terms) for group in terms.groups]
    evaluate = [evaluators([EER])["eer"]]
    again = under_weights(cells, evaluate, [np.full(len(terms.trials), n) for n in (1, 2, 5)])
    assert again.shape == (3, len(cells), 1)
    once = as_they_are(cells, evaluate)
    assert (again[0] == once).all()
    step = 1 / (4 * 4)  # a quarter of the rarer class's step: with more trials steps are finer
    assert np.abs(again - once).max() <= step


def test_what_cannot_be_computed_is_not_a_number(terms: Terms):
    cell = cell_of(scores(terms), terms.groups[0], terms)
    evaluate = [evaluators([EER])["eer"]]
    only_bonafide = np.array([int(trial.bonafide) for trial in terms.trials])
    values = under_weights([cell, None], evaluate, [only_bonafide])
    assert np.isnan(values).all()


def test_a_group_without_one_class_has_no_cell(terms: Terms):
    group = terms.groups[0]
    alone = type(group)(
        by="codec",
        name="gsm",
        within=True,
        bonafide=group.bonafide[:0],
        spoof=group.spoof,
        asv=None,
        joint=None,
    )
    assert cell_of(scores(terms), alone, terms) is None
    assert math.isnan(as_they_are([None], [evaluators([EER])["eer"]])[0, 0])


def test_every_replicate_is_told(terms: Terms):
    cell = cell_of(scores(terms), terms.groups[0], terms)
    told = []
    ones = np.ones(len(terms.trials), dtype=np.int64)
    under_weights([cell], [evaluators([EER])["eer"]], [ones] * 4, lambda: told.append(1))
    assert len(told) == 4
