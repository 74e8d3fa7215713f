"""The tandem detection costs: what a countermeasure is worth in front of an ASV system.

Both take the ASV system as it is, at its own EER threshold, weigh the countermeasure's two rates
with it, C1 * P_miss + C2 * P_fa, and take the best threshold. They divide by different worst cases,
so their values differ by a factor of three on one score file: the year is part of their names.

The official scorers reject ``score <= threshold`` here and sort tied trials by class; the points at
which the minimum can lie are the same as those of `score < threshold` with ties merged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spoofbench.metrics.judged import AsvRates, Judged, TandemCosts


class TandemWeights(NamedTuple):
    """What the tandem costs without a countermeasure's errors (``c0``), and for each of its rates.

    ``c1`` weighs P_miss, ``c2`` P_fa of the countermeasure.
    """

    c0: float
    c1: float
    c2: float


def weights_2019(asv: AsvRates, costs: TandemCosts) -> TandemWeights:
    """Return the weights of min t-DCF 2019, whose ``c0`` is left out, thus 0.

    The costs of the countermeasure are ``c_miss`` and ``c_fa``, those of the ASV system. Source:
    Kinnunen et al., "t-DCF: a Detection Cost Function for the Tandem Assessment of Spoofing
    Countermeasures and Automatic Speaker Verification", Odyssey 2018; the evaluation plan of
    ASVspoof 2019.
    """
    missed = costs.p_target * (costs.c_miss - costs.c_miss * asv.miss)
    return TandemWeights(
        c0=0.0,
        c1=missed - costs.p_nontarget * costs.c_fa * asv.false_alarm,
        c2=costs.p_spoof * costs.c_fa * asv.spoof_false_alarm,
    )


def weights_2021(asv: AsvRates, costs: TandemCosts) -> TandemWeights:
    """Return the weights of min t-DCF 2021, the ASV-constrained form.

    Source: Kinnunen et al., "Tandem Assessment of Spoofing Countermeasures and Automatic Speaker
    Verification: Fundamentals", IEEE/ACM TASLP 28, 2020; the evaluation plan of ASVspoof 2021.
    """
    c0 = costs.p_target * costs.c_miss * asv.miss + costs.p_nontarget * costs.c_fa * asv.false_alarm
    return TandemWeights(
        c0=c0,
        c1=costs.p_target * costs.c_miss - c0,
        c2=costs.p_spoof * costs.c_fa_spoof * asv.spoof_false_alarm,
    )


def min_tdcf_2019(judged: Judged) -> float:
    """Return the least legacy t-DCF, over the better of accepting and rejecting all.

    Raises ValueError without an ASV system, and with one so bad that a weight is not positive.
    """
    weights = weights_2019(*_tandem(judged))
    if weights.c1 <= 0 or weights.c2 <= 0:
        raise ValueError(_no_sense("min t-DCF 2019", weights))
    return _least(judged, weights)


def min_tdcf_2021(judged: Judged) -> float:
    """Return the least ASV-constrained t-DCF, over the better of accepting and rejecting all.

    Raises ValueError without an ASV system, and with one so bad that a weight is negative or the
    cost to divide by is zero.
    """
    weights = weights_2021(*_tandem(judged))
    if weights.c1 < 0 or _default(weights) <= 0:
        raise ValueError(_no_sense("min t-DCF 2021", weights))
    return _least(judged, weights)


def _tandem(judged: Judged) -> tuple[AsvRates, TandemCosts]:
    if judged.asv is None or judged.costs is None:
        raise ValueError(
            "a t-DCF needs the rates of an ASV system and the costs of its errors: "
            "they come from the [tandem] table of a protocol"
        )
    return judged.asv, judged.costs


def _default(weights: TandemWeights) -> float:
    """Return the cost of the better of accepting and rejecting every trial."""
    return weights.c0 + min(weights.c1, weights.c2)


def _least(judged: Judged, weights: TandemWeights) -> float:
    points = judged.ranked.corners()
    cost = weights.c0 + weights.c1 * points.miss + weights.c2 * points.false_alarm
    return float(np.min(cost) / _default(weights))


def _no_sense(metric: str, weights: TandemWeights) -> str:
    return (
        f"{metric} makes no sense with this ASV system: a countermeasure's misses would weigh "
        f"{weights.c1:g} and its false alarms {weights.c2:g}; check the ASV scores and their sign"
    )
