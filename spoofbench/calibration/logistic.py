"""Prior-weighted logistic regression: the scores of one or several systems become one LLR."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoofbench.errors import InvalidCalibration

Floats = NDArray[np.float64]

GRADIENT = 1e-6
"""Largest slope, per standard deviation, of a cost that counts as the lowest."""
DEPENDENT = 1e-10
"""Smallest eigenvalue of the systems' correlation below which one of them says nothing new."""
PARTED = 1e-6
"""Mean distance from a plane that parts the classes, in standard deviations, that counts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logistic:
    """The log-likelihood ratio ``scores @ weights + offset``.

    ``weights`` ``(systems,)``; ``standardised`` ``(systems,)`` are the same per standard deviation
    of each system's scores, so that they can be compared.
    """

    weights: Floats
    offset: float
    standardised: Floats

    def apply(self, scores: Floats) -> Floats:
        """Return the log-likelihood ratios ``(trials,)`` of ``scores`` ``(trials, systems)``."""
        llrs: Floats = scores @ self.weights + self.offset
        return llrs


def fit(
    scores: Floats,
    bonafide: NDArray[np.bool_],
    names: Sequence[str],
    *,
    log_odds: float,
    ridge: float = 0.0,
) -> Logistic:
    """Fit weights and an offset to ``scores`` ``(trials, systems)`` of the systems ``names``.

    ``bonafide`` ``(trials,)`` are the true classes. Minimised is the mean cross-entropy of each
    class, weighed by effective prior odds (``log_odds``, bona fide over spoof, natural log), as a
    share of what saying nothing costs (Brümmer and du Preez 2006). ``ridge`` adds half of itself
    times the squared length of the standardised weights.

    Raises `InvalidCalibration` where there is no single lowest cost: one class, scores that are not
    finite or all the same, classes that the scores part without an error, dependent systems.
    """
    if not bonafide.any() or bonafide.all():
        raise InvalidCalibration(
            f"all trials are {'bona fide' if bonafide.any() else 'spoof'}: "
            "a calibration needs both classes",
            hint="fit on a dev protocol that has both",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = scores.mean(axis=0), scores.std(axis=0)
    _check_scale(deviation, names)
    x = (scores - mean) / deviation
    _check_outliers(scores, x, names)
    if ridge == 0:
        _check_determined(x, bonafide, names)
    weights, offset = _minimum(x, bonafide, log_odds, ridge)
    return Logistic(
        weights=weights / deviation,
        offset=float(offset - weights @ (mean / deviation)),
        standardised=weights,
    )


def _check_scale(deviation: Floats, names: Sequence[str]) -> None:
    for name, spread in zip(names, deviation, strict=True):
        if not math.isfinite(spread):
            raise InvalidCalibration(
                f"{name}: some scores are not finite, or too large to compute with",
                hint="find out why the model gave such a score",
            )
        if spread == 0:
            raise InvalidCalibration(
                f"{name}: all scores are the same, so that they say nothing",
                hint="find out why the model judges every trial alike",
            )


def _check_outliers(scores: Floats, x: Floats, names: Sequence[str]) -> None:
    """Raise if most scores became equal when they were standardised to ``x``."""
    for name, given, made in zip(names, scores.T, x.T, strict=True):
        if np.unique(made).size < np.unique(given).size / 2:
            raise InvalidCalibration(
                f"{name}: some scores, up to {np.abs(given).max():.3g}, lie so far from the others "
                "that these cannot be told apart",
                hint="find out why the model gave such a score",
            )


def _check_determined(x: Floats, bonafide: NDArray[np.bool_], names: Sequence[str]) -> None:
    if np.linalg.eigvalsh(x.T @ x / len(x))[0] < DEPENDENT:
        raise InvalidCalibration(
            f"the scores of one of {', '.join(names)} follow from the others', so that no weights "
            "are better than all others",
            hint="leave that one out; is a file given twice? or share the weight with --ridge 0.01",
        )
    if _separated(x, bonafide):
        raise InvalidCalibration(
            f"{', '.join(names)}: no threshold on dev makes an error, so that the more certain a "
            "calibration, the lower its cost, without end",
            hint="fit on dev scores with errors, or keep it finite by a rule: --ridge 0.01, or "
            "(for one system) --method isotonic",
        )


def _separated(x: Floats, bonafide: NDArray[np.bool_]) -> bool:
    """Say whether some plane has no bona fide trial below it and no spoof above it.

    Then there is no lowest cost (Albert and Anderson 1984). Trials may lie in the plane, if not
    all do.
    """
    if x.shape[1] == 1:
        own, other = x[bonafide, 0], x[~bonafide, 0]
        return bool(own.min() >= other.max() or own.max() <= other.min())
    from scipy.optimize import linprog

    sides = np.column_stack([x, np.ones(len(x))]) * np.where(bonafide, 1.0, -1.0)[:, None]
    found = linprog(-sides.mean(axis=0), A_ub=-sides, b_ub=np.zeros(len(sides)), bounds=(-1.0, 1.0))
    return found.fun is None or found.fun < -PARTED


def _minimum(
    x: Floats, bonafide: NDArray[np.bool_], log_odds: float, ridge: float
) -> tuple[Floats, float]:
    """Return the weights ``(systems,)`` and the offset of lowest cost, by Newton's method."""
    from scipy.optimize import minimize
    from scipy.special import expit

    design = np.column_stack([x, np.ones(len(x))])
    prior = float(expit(log_odds))
    entropy = -prior * _log_expit(log_odds) - (1 - prior) * _log_expit(-log_odds)
    share = np.where(bonafide, prior / bonafide.sum(), float(expit(-log_odds)) / (~bonafide).sum())
    share /= entropy
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 0.0

    def cost(theta: Floats) -> tuple[float, Floats]:
        logit = design @ theta + log_odds
        surprise = np.logaddexp(0.0, np.where(bonafide, -logit, logit))
        slope = design.T @ (share * (expit(logit) - bonafide)) + penalty * theta
        return float(share @ surprise + penalty @ theta**2 / 2), slope

    def curvature(theta: Floats) -> Floats:
        logit = design @ theta + log_odds
        spread = share * expit(logit) * expit(-logit)
        bent: Floats = (design * spread[:, None]).T @ design + np.diag(penalty)
        return bent

    found = minimize(
        cost,
        np.zeros(design.shape[1]),
        jac=True,
        hess=curvature,
        method="trust-exact",
        options={"gtol": GRADIENT / 1000, "max_trust_radius": 1e9},
    )
    theta = np.asarray(found.x, dtype=np.float64)
    if not np.isfinite(theta).all() or not np.abs(cost(theta)[1]).max() < GRADIENT:
        raise InvalidCalibration(
            f"the fit does not settle: {found.message}",
            hint="do a few scores lie far from all others? spoofbench doctor looks for that; "
            "--ridge 0.01 holds the weights",
        )
    return theta[:-1], float(theta[-1])


def _log_expit(logit: float) -> float:
    """Return the logarithm of the probability that has this logit."""
    return -float(np.logaddexp(0.0, -logit))
