"""Trials with ties and with weights, for the tests of metrics."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from spoofbench.metrics.judged import AsvRates, JointScores, Judged, TandemCosts

Scores = NDArray[np.float64]

COSTS = TandemCosts(
    p_spoof=0.05, p_target=0.9405, p_nontarget=0.0095, c_miss=1.0, c_fa=10.0, c_fa_spoof=10.0
)
ASV = AsvRates(miss=132 / 5370, false_alarm=820 / 33327, spoof_false_alarm=48592 / 63882)

coarse = st.lists(st.integers(-4, 4), min_size=1, max_size=14).map(
    lambda values: np.array(values, dtype=np.float64)
)
"""Few scores of few values: most are tied, within a class and across."""


@st.composite
def joint_trials(draw: st.DrawFn, *, most: int = 14) -> JointScores:
    """Trials of all three kinds with few different scores of both systems."""
    trials = draw(st.integers(3, most))
    some = st.lists(st.integers(-3, 3), min_size=trials, max_size=trials)
    others = draw(st.lists(st.integers(0, 2), min_size=trials - 3, max_size=trials - 3))
    kind = np.array(draw(st.permutations([0, 1, 2, *others])), dtype=np.int8)
    return JointScores(kind=kind, cm=np.array(draw(some)), asv=np.array(draw(some)))


@st.composite
def weighted_trials(draw: st.DrawFn) -> Judged:
    """Trials of everything that a metric may ask for, reweighted, some of them to nothing."""
    judged = Judged(
        bonafide=draw(coarse),
        spoof=draw(coarse),
        asv=ASV,
        costs=COSTS,
        joint=draw(joint_trials()),
    )
    assert judged.joint is not None
    return judged.reweighted(
        draw(weights(judged.bonafide.size)),
        draw(weights(judged.spoof.size)),
        draw(weights(judged.joint.kind.size, judged.joint.kind)),
    )


@st.composite
def weights(
    draw: st.DrawFn, trials: int, kind: NDArray[np.int8] | None = None
) -> NDArray[np.int64]:
    """Weights from 0 to 4 that leave something of each kind."""
    values = np.array(draw(st.lists(st.integers(0, 4), min_size=trials, max_size=trials)))
    kinds = np.zeros(trials, dtype=np.int8) if kind is None else kind
    for one in np.unique(kinds):
        mine = np.flatnonzero(kinds == one)
        if not values[mine].any():
            values[draw(st.sampled_from(mine.tolist()))] = draw(st.integers(1, 4))
    return values.astype(np.int64)
