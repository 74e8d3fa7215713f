from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm
from weighted import coarse

from spoofbench.metrics.calibration_quality import cllr, min_cllr, pool
from spoofbench.metrics.judged import Judged

continuous = st.lists(st.floats(-5, 5), min_size=1, max_size=30).map(np.array)


def judged(bonafide, spoof) -> Judged:
    return Judged(bonafide=np.array(bonafide, float), spoof=np.array(spoof, float))


def slow_pool(bonafide, spoof) -> list[tuple[int, int]]:
    """Pool adjacent violators by hand: one block per score, merged while their shares fall."""
    blocks: list[tuple[int, int]] = []
    for score in sorted({*bonafide.tolist(), *spoof.tolist()}):
        blocks.append((int(np.sum(bonafide == score)), int(np.sum(spoof == score))))
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            (b1, s1), (b0, s0) = blocks.pop(), blocks.pop()
            blocks.append((b0 + b1, s0 + s1))
    return blocks


def slow_min_cllr(bonafide, spoof) -> float:
    total = 0.0
    for own, others in slow_pool(bonafide, spoof):
        ratio = (own / bonafide.size) / (others / spoof.size) if others else math.inf
        total += own / bonafide.size * math.log2(1 + 1 / ratio) if own else 0
        total += others / spoof.size * math.log2(1 + ratio) if others else 0
    return total / 2


def test_scores_that_say_nothing_cost_one_bit():
    assert cllr(judged([0, 0, 0], [0, 0])) == pytest.approx(1, abs=1e-15)


@given(st.floats(-9, 9), st.integers(1, 9), st.integers(1, 9))
def test_the_same_score_for_all_trials_costs_one_bit_at_the_least(score, bonafide, spoof):
    same = judged(np.full(bonafide, score), np.full(spoof, score))
    assert min_cllr(same) == pytest.approx(1, abs=1e-15)


def test_the_cost_of_two_trials_counted_by_hand():
    # log2(1 + 1/3) for a bona fide trial three times as likely to be one, log2(1 + 1) for a spoof.
    trials = judged([math.log(3)], [0])
    assert cllr(trials) == pytest.approx((math.log2(4 / 3) + 1) / 2, abs=1e-12)


def test_the_least_cost_of_five_trials_counted_by_hand():
    # The spoof at 2 and the bona fide trial at 1 are pooled: half of two bona fide, a third
    # of three spoofs. The ratio is 3/2; all other trials are certain.
    trials = judged([1, 3], [0, 2, -1])
    assert min_cllr(trials) == pytest.approx(
        (math.log2(1 + 2 / 3) / 2 + math.log2(1 + 3 / 2) / 3) / 2, abs=1e-12
    )
    blocks = pool(trials.ranked)
    assert [blocks.bonafide.tolist(), blocks.spoof.tolist()] == [[0, 1, 1], [2, 1, 0]]


def test_certainty_that_is_wrong_is_dear_and_finite():
    assert cllr(judged([-1000], [1000])) == pytest.approx(1000 / math.log(2), rel=1e-12)
    assert cllr(judged([1000], [-1000])) == 0


@given(coarse, coarse)
def test_the_cost_is_what_a_loop_over_trials_gives(bonafide, spoof):
    expected = np.mean([math.log2(1 + math.exp(-s)) for s in bonafide]) / 2
    expected += np.mean([math.log2(1 + math.exp(s)) for s in spoof]) / 2
    assert cllr(judged(bonafide, spoof)) == pytest.approx(expected, abs=1e-12)


@given(coarse, coarse)
def test_the_least_cost_is_that_of_pooling_by_hand(bonafide, spoof):
    value = min_cllr(judged(bonafide, spoof))
    assert value == pytest.approx(slow_min_cllr(bonafide, spoof), abs=1e-12)


@given(continuous, continuous)
def test_the_least_cost_is_at_most_the_cost_and_one_bit(bonafide, spoof):
    trials = judged(bonafide, spoof)
    assert 0 <= min_cllr(trials) <= min(cllr(trials), 1) + 1e-12


@given(coarse, coarse, st.floats(0.1, 3), st.floats(-3, 3))
def test_no_affine_map_costs_less_than_the_least(bonafide, spoof, slope, offset):
    trials = judged(bonafide, spoof)
    mapped = judged(slope * bonafide + offset, slope * spoof + offset)
    assert min_cllr(trials) <= cllr(mapped) + 1e-12


@given(coarse, coarse)
def test_an_increasing_transform_leaves_the_least_cost_alone(bonafide, spoof):
    assert min_cllr(judged(bonafide, spoof)) == min_cllr(judged(np.exp(bonafide), np.exp(spoof)))


def test_no_monotone_map_found_by_an_optimiser_costs_less():
    random = np.random.default_rng(5)
    bonafide, spoof = random.normal(1, 1, 12), random.normal(-1, 1, 15)
    scores = np.sort(np.concatenate([bonafide, spoof]))

    def cost(steps):
        values = np.cumsum(np.append(steps[0], np.exp(steps[1:])))
        at = dict(zip(scores.tolist(), values.tolist(), strict=True))
        return cllr(judged([at[s] for s in bonafide.tolist()], [at[s] for s in spoof.tolist()]))

    start = np.append(-3.0, np.full(scores.size - 1, math.log(0.2)))
    found = minimize(cost, start, method="L-BFGS-B", bounds=[(-15, 15)] + [(-15, 3)] * 26).fun
    least = min_cllr(judged(bonafide, spoof))
    assert least - 1e-9 <= found <= least + 0.01


@pytest.mark.parametrize("distance", [1.0, 3.0])
def test_calibrated_normal_scores_cost_what_integration_gives(distance):
    # The LLR of two normal classes of unit variance is normal: N(d^2/2, d^2), N(-d^2/2, d^2).
    mean, trials = distance**2 / 2, 100_000
    quantiles = norm.ppf((np.arange(trials) + 0.5) / trials)
    scores = judged(mean + distance * quantiles, -mean + distance * quantiles)
    expected, _ = quad(
        lambda s: np.logaddexp(0, -s) / math.log(2) * norm.pdf(s, mean, distance),
        mean - 9 * distance,
        mean + 9 * distance,
    )
    assert cllr(scores) == pytest.approx(expected, abs=1e-5)
    assert min_cllr(scores) == pytest.approx(expected, abs=1e-3)
    assert min_cllr(scores) <= cllr(scores)


@pytest.mark.reference
def test_the_cost_of_a_published_system_is_the_known_one(
    published: Callable[[str], Any], expected: dict[str, Any]
):
    scores = published("la-eval.rawgat-st-mul.txt")
    trials = Judged(bonafide=scores.bonafide, spoof=scores.spoof)
    figure = expected["scores"]["la-eval.rawgat-st-mul.txt"]["cllr"]
    assert cllr(trials) == pytest.approx(figure, abs=5e-5)
    assert min_cllr(trials) < cllr(trials)
