"""As many trials as ASVspoof 2021 DF has, judged in a few hundredths of a second."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from spoofbench.metrics.detection import eer, eer_point
from spoofbench.metrics.judged import AsvRates, Judged, TandemCosts
from spoofbench.metrics.tandem import min_tdcf_2019, min_tdcf_2021

Scores = NDArray[np.float64]


@pytest.fixture(scope="module")
def trials() -> Judged:
    random = np.random.default_rng(2021)
    return Judged(
        bonafide=random.normal(4, 1, 22_617),
        spoof=random.normal(0, 1, 589_212),
        asv=AsvRates(miss=0.0246, false_alarm=0.0246, spoof_false_alarm=0.7607),
        costs=TandemCosts(
            p_spoof=0.05,
            p_target=0.9405,
            p_nontarget=0.0095,
            c_miss=1.0,
            c_fa=10.0,
            c_fa_spoof=10.0,
        ),
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
