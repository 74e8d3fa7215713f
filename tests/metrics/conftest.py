"""Published scores, for the tests of metrics."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from spoofbench.metrics.judged import AsvScores, TandemCosts


class PublishedScores(NamedTuple):
    """Scores of a countermeasure, with the attack of each spoof."""

    bonafide: NDArray[np.float64]
    spoof: NDArray[np.float64]
    attack: NDArray[np.str_]


@pytest.fixture
def costs() -> TandemCosts:
    """The costs and priors of the ASVspoof challenges."""
    return TandemCosts(
        p_spoof=0.05,
        p_target=0.95 * 0.99,
        p_nontarget=0.95 * 0.01,
        c_miss=1.0,
        c_fa=10.0,
        c_fa_spoof=10.0,
    )


@pytest.fixture(scope="session")
def expected(reference: Path) -> dict[str, Any]:
    """What published scores and ASV scores must give."""
    return tomllib.loads((reference / "expected.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def published(reference: Path) -> Callable[[str], PublishedScores]:
    """Read a published score file: utterance, attack, key, score."""

    def read(name: str) -> PublishedScores:
        lines = (reference / "scores" / name).read_text(encoding="utf-8").splitlines()
        _, attacks, keys, scores = zip(*(line.split() for line in lines), strict=True)
        score, bonafide = np.array(scores, dtype=np.float64), np.array(keys) == "bonafide"
        return PublishedScores(score[bonafide], score[~bonafide], np.array(attacks)[~bonafide])

    return read


@pytest.fixture(scope="session")
def published_asv(reference: Path) -> Callable[[str], AsvScores]:
    """Read the ASV scores of a part of ASVspoof 2019 LA: attack, key, score."""

    def read(part: str) -> AsvScores:
        folder = reference / "asvspoof2019-la" / "ASVspoof2019_LA_asv_scores"
        file = folder / f"ASVspoof2019.LA.asv.{part}.gi.trl.scores.txt"
        lines = file.read_text(encoding="utf-8").splitlines()
        attacks, keys, scores = map(np.array, zip(*map(str.split, lines), strict=True))
        score = scores.astype(np.float64)
        return AsvScores(
            target=score[keys == "target"],
            nontarget=score[keys == "nontarget"],
            spoof=score[keys == "spoof"],
            attack=attacks[keys == "spoof"],
        )

    return read
