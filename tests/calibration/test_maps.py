from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from divided import gaussian, keys_of, terms, write_part, write_scores
from hypothesis import given, settings
from hypothesis import strategies as st

from spoofbench import judging
from spoofbench.calibration import development, fitted, logistic, maps
from spoofbench.calibration.maps import fit_isotonic, read_operating_point
from spoofbench.errors import (
    InvalidCalibration,
    InvalidProtocol,
    InvalidScores,
    InvalidSettings,
)
from spoofbench.plugins import catalogue
from spoofbench.protocols import load
from spoofbench.scores import ScoreTable
from spoofbench.terms import terms_of

OPERATION = fitted.operation_of(0.05, 1.0, 10.0)
FLAT = fitted.operation_of(0.5, 1.0, 1.0)


def cllr(llrs, bonafide):
    """Cost of log-likelihood ratios in bits, from its definition (Brümmer and du Preez 2006)."""
    own = np.log2(1 + np.exp(-llrs[bonafide])).mean()
    other = np.log2(1 + np.exp(llrs[~bonafide])).mean()
    return (own + other) / 2


def cost(scores, bonafide, threshold):
    """Expected cost of accepting from ``threshold`` on at 0.05, 1, 10, as a share of the best."""
    miss = (scores[bonafide] < threshold).mean()
    false_alarm = (scores[~bonafide] >= threshold).mean()
    return (0.95 * miss + 0.05 * 10 * false_alarm) / min(0.95, 0.05 * 10)


def isotonic(scores, bonafide):
    return fit_isotonic(np.array(scores, dtype=float), np.array(bonafide, dtype=bool), "a")


@pytest.fixture
def dev(tmp_path: Path) -> development.DevScores:
    there = terms(write_part(tmp_path, "dev"))
    scores = gaussian(keys_of(there), np.random.default_rng(1))
    return development.read_dev(
        [write_scores(tmp_path / "a.txt", there, scores)], there, negate=None
    )


@pytest.fixture
def file(dev, tmp_path: Path) -> Path:
    fitted.write(maps.fit(dev, method="affine", operation=OPERATION), tmp_path / "c.json")
    return tmp_path / "c.json"


@pytest.fixture
def steps(dev, tmp_path: Path) -> Path:
    fitted.write(maps.fit(dev, method="isotonic", operation=OPERATION), tmp_path / "i.json")
    return tmp_path / "i.json"


def test_the_threshold_of_the_challenge_costs_is_minus_the_logarithm_of_1_9():
    assert OPERATION.threshold == pytest.approx(-math.log(1.9))


def test_equal_costs_and_priors_have_the_threshold_0():
    assert FLAT.threshold == 0


@given(st.floats(0.01, 0.99), st.floats(0.1, 100), st.floats(0.1, 100), st.floats(-5, 5))
@settings(deadline=None)
def test_accepting_above_the_threshold_is_what_costs_less(p_spoof, c_miss, c_fa, llr):
    threshold = fitted.operation_of(p_spoof, c_miss, c_fa).threshold
    accepting = p_spoof * c_fa
    rejecting = (1 - p_spoof) * c_miss * math.exp(llr)
    if abs(llr - threshold) > 1e-9:
        assert (llr >= threshold) == (accepting < rejecting)


@pytest.mark.parametrize("costs", [(0.0, 1, 10), (1.0, 1, 10), (0.05, 0, 10), (0.05, 1, math.inf)])
def test_costs_that_make_no_sense_are_refused(costs):
    with pytest.raises(InvalidSettings, match="--p-spoof"):
        fitted.operation_of(*costs)


def test_the_raw_threshold_makes_the_decisions_of_the_threshold(dev):
    made = maps.fit(dev, method="affine", operation=OPERATION)
    scores = dev.tables[0].scores
    accepted = scores >= made.operation.raw_threshold
    assert (accepted == (made.map.apply(scores) >= OPERATION.threshold)).all()
    assert 0 < accepted.sum() < len(accepted)


def test_affine_calibration_undoes_what_was_done_to_ratios(dev):
    known = 2 * dev.tables[0].scores
    bonafide = dev.bonafide
    made = maps.fit(dev, method="affine", operation=FLAT)
    assert cllr(made.map.apply(dev.tables[0].scores), bonafide) <= cllr(known, bonafide)
    assert cllr(known, bonafide) < cllr(dev.tables[0].scores, bonafide)


@given(st.integers(0, 10_000), st.floats(0.01, 50), st.floats(-20, 20), st.floats(0.2, 1.5))
@settings(max_examples=30, deadline=None)
def test_affine_calibration_never_raises_the_cllr_of_dev(seed, scale, shift, mu):
    bonafide = np.arange(500) < 200
    scores = scale * gaussian(bonafide, np.random.default_rng(seed), mu=mu) + shift
    found = logistic.fit(scores[:, None], bonafide, ["a"], log_odds=0.0)
    after = found.apply(scores[:, None])
    assert cllr(after, bonafide) <= cllr(scores, bonafide) + 1e-12
    assert cllr(after, bonafide) <= 1


def test_scores_that_fall_with_bona_fide_speech_are_refused(tmp_path: Path):
    there = terms(write_part(tmp_path, "dev"))
    scores = -gaussian(keys_of(there), np.random.default_rng(1))
    file = write_scores(tmp_path / "a.txt", there, scores)
    dev = development.read_dev([file], there, negate=False)
    with pytest.raises(InvalidCalibration, match="higher scores do not mean more bona fide"):
        maps.fit(dev, method="affine", operation=OPERATION)
    with pytest.raises(InvalidCalibration, match="higher scores do not mean more bona fide"):
        maps.fit(dev, method="isotonic", operation=OPERATION)


def test_a_score_too_large_to_calibrate_is_refused(dev):
    made = maps.fit(dev, method="affine", operation=OPERATION)
    table = ScoreTable(trials=dev.terms.trials, scores=np.full(1000, 1.7e308))
    with pytest.raises(InvalidScores, match=r"mine: the score of dev-0 is too large"):
        maps.apply(made, table, "mine")


def test_pools_and_imaginary_trials_are_counted_by_hand():
    found = isotonic([0, 1, 2, 3], [0, 0, 1, 1])
    # With a bona fide trial at 0 and a spoof at 3 there are 3 of each class; two pools hold 1 and 2
    assert found.scores == (0, 1, 2, 3)
    assert found.llrs == pytest.approx([-math.log(2)] * 2 + [math.log(2)] * 2)


def test_unseen_scores_lie_on_lines_between_pools_and_are_level_beyond():
    found = isotonic([0, 1, 2, 3], [0, 0, 1, 1])
    unseen = np.array([-1e9, 0.5, 1.25, 1.5, 2.5, 1e9])
    expected = np.array([-1, -1, -0.5, 0, 1, 1]) * math.log(2)
    assert found.apply(unseen) == pytest.approx(expected)


def best_of_all_rising(share, weights):
    """Weighted isotonic regression by its max-min formula (Robertson, Wright and Dykstra 1988)."""

    def mean(i, j):
        return (share[i : j + 1] @ weights[i : j + 1]) / weights[i : j + 1].sum()

    n = range(len(share))
    return [max(min(mean(i, j) for j in n if j >= k) for i in n if i <= k) for k in n]


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=4, max_size=25))
@settings(max_examples=200, deadline=None)
def test_pooling_agrees_with_the_max_min_formula(trials):
    scores = np.array([score for score, _ in trials], dtype=float)
    bonafide = np.array([own for _, own in trials])
    if bonafide.all() or not bonafide.any():
        return
    values = np.unique(scores)
    own = np.array([(bonafide & (scores == v)).sum() for v in values], dtype=float)
    other = np.array([(~bonafide & (scores == v)).sum() for v in values], dtype=float)
    own[0] += 1
    other[-1] += 1
    own, other = own / own.sum(), other / other.sum()
    share = np.array(best_of_all_rising(own / (own + other), own + other))
    if np.ptp(share) < 1e-12:
        with pytest.raises(InvalidCalibration):
            isotonic(scores, bonafide)
    else:
        expected = np.log(share / (1 - share))
        assert isotonic(scores, bonafide).apply(values) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 10_000), st.integers(20, 90), st.integers(20, 90), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_isotonic_ratios_never_fall_and_are_bounded_by_the_counts(seed, own, other, digits):
    random = np.random.default_rng(seed)
    bonafide = np.arange(own + other) < own
    found = isotonic(np.round(gaussian(bonafide, random, mu=2.0), digits), bonafide)
    llrs = found.apply(np.linspace(-10, 10, 2001))
    assert (np.diff(llrs) >= 0).all()
    assert llrs[0] > -math.log(own + 1) - 1e-9
    assert llrs[-1] < math.log(other + 1) + 1e-9


def test_isotonic_ratios_come_near_to_the_true_ones_where_there_are_many_trials():
    bonafide = np.arange(200_000) < 100_000
    scores = gaussian(bonafide, np.random.default_rng(2))
    places = np.linspace(-2, 2, 9)
    assert isotonic(scores, bonafide).apply(places) == pytest.approx(2 * places, abs=0.4)


def test_isotonic_ratios_of_dev_cost_no_more_than_affine_ones_but_for_the_imaginary_trials():
    bonafide = np.arange(4000) < 2000
    scores = gaussian(bonafide, np.random.default_rng(3))
    line = logistic.fit(scores[:, None], bonafide, ["a"], log_odds=0.0)
    rising = isotonic(scores, bonafide).apply(scores)
    assert cllr(rising, bonafide) < cllr(line.apply(scores[:, None]), bonafide)


def test_the_order_of_equal_scores_does_not_matter():
    scores, bonafide = np.repeat([0.0, 1.0, 2.0], 4), np.array([0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1])
    assert isotonic(scores, bonafide) == isotonic(scores[::-1], bonafide[::-1])


def test_the_proportion_of_the_classes_does_not_count():
    random = np.random.default_rng(4)
    bonafide = np.arange(20_000) < 2_000
    balanced = np.arange(20_000) < 10_000
    places = np.array([-0.5, 0.0, 0.5])
    for keys in (bonafide, balanced):
        found = isotonic(gaussian(keys, random), keys)
        assert found.apply(places) == pytest.approx(2 * places, abs=0.5)


@pytest.mark.parametrize(
    ("scores", "bonafide"),
    [([1, 2], [1, 1]), ([1, 2], [0, 0]), ([1, math.nan, 2], [0, 1, 1]), ([5, 5, 5], [0, 1, 1])],
)
def test_scores_without_isotonic_calibration_are_refused(scores, bonafide):
    with pytest.raises(InvalidCalibration):
        isotonic(scores, bonafide)


def test_a_ridge_for_isotonic_calibration_is_refused(dev):
    with pytest.raises(InvalidSettings, match="no use"):
        maps.fit(dev, method="isotonic", operation=OPERATION, ridge=0.1)


@pytest.mark.parametrize("ridge", [-1.0, math.nan, math.inf])
def test_a_ridge_that_makes_no_sense_is_refused(dev, ridge):
    with pytest.raises(InvalidSettings, match="0 or more"):
        maps.fit(dev, method="affine", operation=OPERATION, ridge=ridge)


def test_a_calibration_is_read_as_it_was_written(dev, tmp_path: Path):
    for method in ("affine", "isotonic"):
        made = maps.fit(dev, method=method, operation=OPERATION)
        fitted.write(made, tmp_path / "c.json")
        assert maps.read(tmp_path / "c.json") == made


def test_a_file_says_what_it_was_fitted_on(dev, file: Path):
    table = json.loads(file.read_text())
    assert table["source"]["sha256"] == dev.sources[0].sha256
    assert (table["dev"]["protocol"], table["dev"]["fingerprint"]) == (
        "dev",
        dev.terms.fingerprint,
    )
    assert (table["dev"]["bonafide"], table["dev"]["spoof"]) == (300, 700)


def test_the_operating_point_is_what_the_file_says(file: Path):
    table = json.loads(file.read_text())
    point = read_operating_point(file)
    assert (point.p_spoof, point.c_miss, point.c_fa) == (0.05, 1.0, 10.0)
    assert point.threshold == pytest.approx(-math.log(1.9))
    line = table["map"]
    assert line["slope"] * point.raw_threshold + line["offset"] == pytest.approx(point.threshold)
    assert (point.negated, point.dev_protocol) == (False, "dev")


def test_an_isotonic_operating_point_has_no_raw_threshold(steps: Path):
    assert read_operating_point(steps).raw_threshold is None


def changed(file: Path, where: str, value: object) -> Path:
    """Write ``value`` into a place of the file such as ``map.slope``."""
    table = json.loads(file.read_text())
    *path, last = where.split(".")
    inner = table
    for part in path:
        inner = inner[part]
    inner[last] = value
    file.write_text(json.dumps(table))
    return file


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("schema", 2, "schema"),
        ("kind", "fusion", "kind"),
        ("extra", 1, "extra"),
        ("map.method", "cubic", "map"),
        ("map.slope", -1.0, "slope"),
        ("map.slope", "1.5", "slope"),
        ("map.slope", math.nan, "slope"),
        ("map.offset", math.inf, "offset"),
        ("map.slope", 1e6, "raw_threshold"),
        ("operation.raw_threshold", 5.0, "raw_threshold"),
        ("operation.raw_threshold", None, "raw_threshold"),
        ("operation.threshold", 0.5, "the costs give"),
        ("operation.p_spoof", 0.5, "the costs give"),
        ("operation.c_miss", -1.0, "c_miss"),
        ("source.sha256", "../../etc/passwd", "sha256"),
        ("dev.spoof", 0, "spoof"),
    ],
)
def test_a_file_that_was_changed_is_refused(file: Path, where, value, said):
    with pytest.raises(InvalidCalibration, match=said):
        maps.read(changed(file, where, value))


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("map.scores", [0.0, 0.0], "2 scores"),
        ("map.llrs", [], "llrs"),
        ("operation.raw_threshold", 1.0, "has no raw_threshold"),
    ],
)
def test_an_isotonic_file_that_was_changed_is_refused(steps: Path, where, value, said):
    with pytest.raises(InvalidCalibration, match=said):
        maps.read(changed(steps, where, value))


@pytest.mark.parametrize(
    ("scores", "llrs", "said"),
    [
        ([0.0, 0.0, 1.0], [-1.0, 0.0, 1.0], "scores do not rise"),
        ([0.0, 1.0, 2.0], [-1.0, -2.0, 1.0], "llrs fall"),
    ],
)
def test_points_out_of_order_are_refused(steps: Path, scores, llrs, said):
    changed(steps, "map.scores", scores)
    with pytest.raises(InvalidCalibration, match=said):
        maps.read(changed(steps, "map.llrs", llrs))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"null", b'{"kind": "other"}'])
def test_what_is_no_calibration_file_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(InvalidCalibration):
        maps.read(tmp_path / "c.json")
    with pytest.raises(InvalidCalibration):
        read_operating_point(tmp_path / "c.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(InvalidCalibration, match="cannot be read"):
        read_operating_point(tmp_path / "none.json")


def test_an_eval_protocol_is_not_fitted_on(tmp_path: Path):
    there = terms(write_part(tmp_path, "eval"))
    with pytest.raises(InvalidProtocol, match="eval is an eval protocol") as raised:
        development.read_dev([tmp_path / "a.txt"], there, negate=None)
    assert "--dev-protocol" in raised.value.hint


def test_the_dev_protocol_of_the_judged_one_is_taken_if_none_is_named():
    known = catalogue()
    chosen = development.dev_protocol_of(None, load("la-eval", known), known)
    assert chosen.name == load("la-eval", known).dev


def test_shared_utterances_are_refused(tmp_path: Path):
    dev = terms(write_part(tmp_path, "dev", called="same"))
    other = terms(write_part(tmp_path, "eval", called="same"))
    with pytest.raises(InvalidCalibration, match=r"1,000 utterances .* \(same-0, same-1"):
        development.check_apart(dev, other)


def test_utterances_of_another_corpus_that_are_called_alike_are_remarked(tmp_path: Path):
    dev = terms(write_part(tmp_path / "a", "dev", called="same"))
    other = terms(write_part(tmp_path / "b", "eval", called="same", corpus="other"))
    (remark,) = development.check_apart(dev, other)
    assert "1,000 utterances" in remark


def test_shared_speakers_are_remarked(tmp_path: Path):
    dev = terms(write_part(tmp_path, "dev", speaker="ann"))
    other = terms(write_part(tmp_path, "eval", speaker="ann"))
    (remark,) = development.check_apart(dev, other)
    assert remark.startswith("5 speakers are in dev too (ann0, ann1, ann2, ...)")


def test_parts_that_share_nothing_are_not_remarked(tmp_path: Path):
    dev, other = terms(write_part(tmp_path, "dev")), terms(write_part(tmp_path, "eval"))
    assert development.check_apart(dev, other) == ()


def test_a_train_protocol_is_remarked(tmp_path: Path):
    dev = terms(write_part(tmp_path, "dev", role="train"))
    (remark,) = development.check_apart(dev, terms(write_part(tmp_path, "eval")))
    assert "a train protocol" in remark


def test_dev_scores_of_one_class_are_refused(tmp_path: Path):
    there = terms(write_part(tmp_path, "dev", spoof=0))
    scores = gaussian(keys_of(there), np.random.default_rng(1))
    file = write_scores(tmp_path / "a.txt", there, scores)
    dev = development.read_dev([file], there, negate=None)
    for method in ("affine", "isotonic"):
        with pytest.raises(InvalidCalibration, match="both classes"):
            maps.fit(dev, method=method, operation=OPERATION)


@pytest.mark.reference
@pytest.mark.parametrize("method", ["affine", "isotonic"])
def test_a_published_system_is_calibrated_for_speakers_that_were_not_fitted_on(
    reference: Path, method: str
):
    known = catalogue()
    there = terms_of(load("la-eval", known), known, reference / "asvspoof2019-la")
    table = judging.read(reference / "scores" / "la-eval.rawgat-st-mul.txt", there, negate=None)
    assert cllr(table.scores, table.bonafide) == pytest.approx(0.0663, abs=5e-5)
    assert cost(table.scores, table.bonafide, -math.log(1.9)) == pytest.approx(0.0444, abs=5e-5)
    own = np.isin(table.column("speaker"), sorted(set(table.column("speaker")))[::2])
    scores, bonafide = table.scores[own], table.bonafide[own]
    if method == "affine":
        log_odds = -OPERATION.threshold
        found = logistic.fit(scores[:, None], bonafide, ["a"], log_odds=log_odds)
        llrs = found.apply(table.scores[:, None])
    else:
        llrs = isotonic(scores, bonafide).apply(table.scores)
    before, after, keys = table.scores[~own], llrs[~own], table.bonafide[~own]
    assert cllr(after, keys) < cllr(before, keys)
    assert cost(after, keys, OPERATION.threshold) < cost(before, keys, OPERATION.threshold)
