"""Metrics that need both scores of each trial, from a protocol file to a table."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tiny import write_keys

from spoofbench.metrics.judged import TandemCosts
from spoofbench.metrics.sasv import min_adcf

ASV = {"B0": ("target", 3.0), "B1": ("target", 1.0), "B2": ("nontarget", -2.0)}
COSTS = TandemCosts(
    p_spoof=0.05, p_target=0.9405, p_nontarget=0.0095, c_miss=1.0, c_fa=10.0, c_fa_spoof=10.0
)


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    file = write_keys(tmp_path / "corpus", asv=True)
    spoofs = {f"X{a}-{i}": ("spoof", 0.5 * i) for a in ("01", "02") for i in range(4)}
    lines = [f"{name} {key} {score}\n" for name, (key, score) in (ASV | spoofs).items()]
    (tmp_path / "corpus" / "asv.txt").write_text("".join(lines))
    text = file.read_text()
    file.write_text(text + 'columns = ["utterance", "key", "score"]\n')
    return file


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    names = [f"B{n}" for n in range(4)] + [f"X{a}-{i}" for a in ("01", "02") for i in range(4)]
    values = np.linspace(4, -4, len(names))
    file = tmp_path / "mine.txt"
    file.write_text("".join(f"{n} {v!r}\n" for n, v in zip(names, values.tolist(), strict=True)))
    return file


def test_joint_metrics_use_both_scores_of_the_trials_that_have_both(
    protocol: Path, scores: Path, spoofbench_cli
):
    outcome = spoofbench_cli(
        "score", scores, "--protocol", protocol, "--data", protocol.parent, "--format", "json",
        "--metrics", "a-dcf,t-eer",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    pooled = json.loads(outcome.out)[0]["rows"][0]
    by_name = dict(line.split() for line in scores.read_text().splitlines())
    rho = 0.05 / (0.05 + 0.0095)

    def fused(kind: str) -> np.ndarray:
        lines = (line.split() for line in (protocol.parent / "asv.txt").read_text().splitlines())
        pairs = [(float(by_name[name]), float(asv)) for name, key, asv in lines if key == kind]
        return np.array(
            [-math.log((1 - rho) * math.exp(-asv) + rho * math.exp(-cm)) for cm, asv in pairs]
        )

    expected = min_adcf(fused("target"), fused("nontarget"), fused("spoof"), COSTS)
    assert pooled["a-dcf"] == pytest.approx(expected)
    assert 0 <= pooled["t-eer"] <= 0.5


def test_a_joint_metric_without_utterances_in_the_asv_scores_is_refused(
    tmp_path: Path, scores: Path, spoofbench_cli
):
    file = write_keys(tmp_path / "other", asv=True)
    outcome = spoofbench_cli(
        "score", scores, "--protocol", file, "--data", file.parent, "--metrics", "t-eer"
    )
    assert outcome.code == 2
    assert "t-eer needs the ASV score of each trial by its utterance" in outcome.err
