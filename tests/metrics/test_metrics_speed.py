"""As many trials as ASVspoof 2021 DF has, judged in a few hundredths of a second."""

from __future__ import annotations

import timeit

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from spoofbench.metrics.detection import eer, eer_point
from spoofbench.metrics.judged import AsvRates, JointScores, Judged, TandemCosts
from spoofbench.metrics.tandem import min_tdcf_2019, min_tdcf_2021
from spoofbench_metrics.plugin import spoofbench_metrics

Scores = NDArray[np.float64]


ASV = AsvRates(miss=0.0246, false_alarm=0.0246, spoof_false_alarm=0.7607)
COSTS = TandemCosts(
    p_spoof=0.05, p_target=0.9405, p_nontarget=0.0095, c_miss=1.0, c_fa=10.0, c_fa_spoof=10.0
)


@pytest.fixture(scope="module")
def trials() -> Judged:
    random = np.random.default_rng(2021)
    return Judged(
        bonafide=random.normal(4, 1, 22_617),
        spoof=random.normal(0, 1, 589_212),
        asv=ASV,
        costs=COSTS,
    )


@pytest.fixture(scope="module")
def replicate() -> Judged:
    """A bootstrap replicate of as many trials as ASVspoof 2019 LA eval has."""
    random = np.random.default_rng(2019)
    kind = np.repeat(np.arange(3, dtype=np.int8), [5_370, 33_327, 63_882])
    joint = JointScores(
        kind=kind,
        cm=random.normal(np.where(kind == 2, 0, 4), 1),
        asv=random.normal(np.array([4.0, 0.0, 3.0])[kind], 1),
    )
    judged = Judged(
        bonafide=random.normal(4, 1, 7_355),
        spoof=random.normal(0, 1, 63_882),
        asv=ASV,
        costs=COSTS,
        joint=joint,
    )
    for spec in spoofbench_metrics():
        spec.resolve()(judged)
    return judged.reweighted(
        *(random.multinomial(n, np.full(n, 1 / n)) for n in (7_355, 63_882, kind.size))
    )


def official_eer(bonafide: Scores, spoof: Scores) -> float:
    """Sort all scores together and reject one trial after the other, as the official scorers do."""
    scores = np.concatenate([bonafide, spoof])
    is_bonafide = np.arange(scores.size) < bonafide.size
    is_bonafide = is_bonafide[np.argsort(scores, kind="stable")]
    miss = np.append(0, np.cumsum(is_bonafide)) / bonafide.size
    false_alarm = np.append(spoof.size, spoof.size - np.cumsum(~is_bonafide)) / spoof.size
    nearest = np.argmin(np.abs(miss - false_alarm))
    return float((miss[nearest] + false_alarm[nearest]) / 2)


def all_three(judged: Judged) -> tuple[float, float, float]:
    return eer(judged), min_tdcf_2019(judged), min_tdcf_2021(judged)


@pytest.mark.benchmark(group="EER and both tandem costs of 611,829 trials")
def test_the_eer_and_both_tandem_costs_of_611829_trials(
    benchmark: BenchmarkFixture, trials: Judged
):
    rate, of_2019, of_2021 = benchmark(all_three, trials)
    # Two normal distributions four deviations apart: P(x < -2) = 2.275 %.
    assert rate == pytest.approx(0.02275, abs=0.002)
    assert 0 < of_2019 < of_2021 < 1


@pytest.mark.benchmark(group="EER of 611,829 trials")
@pytest.mark.parametrize("way", ["classes apart", "official"])
def test_the_eer_of_611829_trials_is_the_same_in_either_way(
    benchmark: BenchmarkFixture, trials: Judged, way: str
):
    def apart(bonafide: Scores, spoof: Scores) -> float:
        return eer_point(bonafide, spoof).eer

    value = benchmark(
        apart if way == "classes apart" else official_eer, trials.bonafide, trials.spoof
    )
    assert value == apart(trials.bonafide, trials.spoof)


def fastest(call) -> float:
    """Return the seconds of the fastest of many calls: the one that was disturbed least."""
    return min(timeit.repeat(call, number=1, repeat=25))


@pytest.mark.parametrize("spec", spoofbench_metrics(), ids=lambda spec: spec.name)
def test_a_replicate_takes_less_than_putting_the_scores_in_order(spec, replicate: Judged):
    # What is in order once stays so. Of the time that a stable ordering takes, a fifth is allowed
    # to metrics of the 71,237 trials, all of it to those of the 102,579 joint ones.
    metric = spec.resolve()
    scores = np.concatenate([replicate.bonafide, replicate.spoof])
    shuffled = np.random.default_rng(1).permutation(scores)
    ordering = fastest(lambda: np.argsort(shuffled, kind="stable"))
    assert fastest(lambda: metric(replicate)) < (ordering if spec.needs_joint else ordering / 5)
