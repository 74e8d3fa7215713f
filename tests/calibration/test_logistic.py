from __future__ import annotations

import numpy as np
import pytest
from divided import gaussian
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from spoofbench.calibration.logistic import Logistic, fit
from spoofbench.errors import InvalidCalibration

LOG_ODDS = float(np.log(1.9))


def drawn(seed: int, *, trials: int = 1000, mu: float = 1.0, share: float = 0.3):
    random = np.random.default_rng(seed)
    bonafide = np.arange(trials) < share * trials
    return gaussian(bonafide, random, mu=mu), bonafide


def one(scores, bonafide, *, log_odds: float = LOG_ODDS, ridge: float = 0.0) -> Logistic:
    scores = np.asarray(scores, dtype=float)[:, None]
    return fit(scores, np.asarray(bonafide, dtype=bool), ["a"], log_odds=log_odds, ridge=ridge)


def cross_entropy(theta, scores, bonafide, log_odds):
    """The cost as it is defined: mean surprise of each class, weighed by the prior."""
    posterior = expit(scores @ theta[:-1] + theta[-1] + log_odds)
    prior = expit(log_odds)
    own, other = posterior[bonafide], posterior[~bonafide]
    return -prior * np.log(own).mean() - (1 - prior) * np.log(1 - other).mean()


@pytest.mark.parametrize("mu", [0.5, 1.0, 1.5])
def test_two_gaussians_give_the_slope_and_offset_of_their_likelihood_ratio(mu):
    fits = [one(*drawn(seed, trials=5000, mu=mu)) for seed in range(40)]
    for found, true in (([f.weights[0] for f in fits], 2 * mu), ([f.offset for f in fits], 0.0)):
        standard_error = np.std(found) / np.sqrt(len(found))
        assert abs(np.mean(found) - true) < 4 * standard_error


@pytest.mark.parametrize("log_odds", [-2.0, 0.0, LOG_ODDS])
def test_another_minimiser_of_the_cost_as_defined_finds_the_same(log_odds):
    scores, bonafide = drawn(3)
    systems = np.column_stack([scores, drawn(4)[0]])
    found = fit(systems, bonafide, ["a", "b"], log_odds=log_odds)
    other = minimize(cross_entropy, np.zeros(3), (systems, bonafide, log_odds), tol=1e-8)
    assert np.allclose([*found.weights, found.offset], other.x, atol=1e-4)


@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(0.05, 0.6))
@settings(max_examples=30, deadline=None)
def test_the_mean_posterior_is_the_prior(seed, log_odds, share):
    scores, bonafide = drawn(seed, trials=400, share=share)
    posterior = expit(one(scores, bonafide, log_odds=log_odds).apply(scores[:, None]) + log_odds)
    prior = expit(log_odds)
    mean = prior * posterior[bonafide].mean() + (1 - prior) * posterior[~bonafide].mean()
    assert mean == pytest.approx(prior, abs=1e-6)


@given(st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
@settings(max_examples=30, deadline=None)
def test_the_scale_of_scores_does_not_matter(scale, shift):
    scores, bonafide = drawn(5)
    moved = scale * (scores + shift)
    before = one(scores, bonafide).apply(scores[:, None])
    assert np.allclose(one(moved, bonafide).apply(moved[:, None]), before, atol=1e-6)


def test_classes_exchanged_give_the_negated_ratio():
    scores, bonafide = drawn(6)
    before, after = one(scores, bonafide), one(scores, ~bonafide, log_odds=-LOG_ODDS)
    assert (after.weights[0], after.offset) == pytest.approx((-before.weights[0], -before.offset))


def test_how_many_there_are_of_a_class_does_not_matter():
    scores, bonafide = drawn(7)
    twice = np.concatenate([scores, scores[bonafide]])
    keys = np.concatenate([bonafide, bonafide[bonafide]])
    before, after = one(scores, bonafide), one(twice, keys)
    assert (after.weights[0], after.offset) == pytest.approx((before.weights[0], before.offset))


def test_a_standardised_weight_is_that_of_scores_with_a_deviation_of_one():
    scores, bonafide = drawn(8)
    found = one(scores, bonafide)
    assert found.standardised[0] == pytest.approx(found.weights[0] * np.std(scores))


@pytest.mark.parametrize(
    ("scores", "bonafide", "said"),
    [
        ([1, 2, 3], [1, 1, 1], "all trials are bona fide"),
        ([1, 2, 3], [0, 0, 0], "all trials are spoof"),
        ([1, 1, 1], [0, 1, 0], "a: all scores are the same"),
        ([1, np.nan, 3], [0, 1, 0], "not finite"),
        ([1, np.inf, 3], [0, 1, 0], "not finite"),
        ([1, 1e200, 3], [0, 1, 0], "too large"),
        ([1, 2, 3, 4], [0, 0, 1, 1], "no threshold on dev makes an error"),
        ([1, 2, 3, 4], [1, 1, 0, 0], "no threshold on dev makes an error"),
        ([1, 2, 2, 3], [0, 0, 1, 1], "no threshold on dev makes an error"),
    ],
)
def test_scores_without_a_lowest_cost_are_refused(scores, bonafide, said):
    with pytest.raises(InvalidCalibration, match=said):
        one(scores, bonafide)


def test_the_way_out_of_separated_classes_is_named():
    with pytest.raises(InvalidCalibration) as raised:
        one([1, 2, 3, 4], [0, 0, 1, 1])
    assert "--ridge 0.01" in raised.value.hint


def test_systems_that_only_together_separate_the_classes_are_refused():
    bonafide = np.array([True, True, False, False])
    systems = np.array([[0.0, 2.0], [2.0, 0.0], [0.0, 0.0], [1.0, 0.5]])
    with pytest.raises(InvalidCalibration, match="a, b: no threshold"):
        fit(systems, bonafide, ["a", "b"], log_odds=0.0)


def test_a_system_given_twice_is_refused():
    scores, bonafide = drawn(9)
    with pytest.raises(InvalidCalibration, match="one of a, b follow from the others"):
        fit(np.column_stack([scores, 2 * scores + 1]), bonafide, ["a", "b"], log_odds=0.0)


def test_scores_that_an_outlier_makes_indistinguishable_are_refused():
    scores, bonafide = drawn(10)
    scores[-1] = -1e38
    with pytest.raises(InvalidCalibration, match="lie so far from the others"):
        one(scores, bonafide)


def test_a_far_outlier_on_the_right_side_changes_little():
    scores, bonafide = drawn(11)
    moved = scores.copy()
    moved[np.argmin(scores)] = -1e9
    assert one(moved, bonafide).weights[0] == pytest.approx(one(scores, bonafide).weights[0], 1e-2)


def test_a_ridge_makes_separated_classes_finite_and_a_stronger_one_flatter():
    slopes = [
        one([1, 2, 3, 4], [0, 0, 1, 1], ridge=ridge).weights[0] for ridge in (0.001, 0.01, 0.1)
    ]
    assert np.isfinite(slopes).all()
    assert slopes == sorted(slopes, reverse=True)


def test_a_ridge_shares_the_weight_between_equal_systems():
    scores, bonafide = drawn(12)
    twice = np.column_stack([scores, scores])
    found = fit(twice, bonafide, ["a", "b"], log_odds=0.0, ridge=0.01)
    assert found.weights[0] == pytest.approx(found.weights[1])
