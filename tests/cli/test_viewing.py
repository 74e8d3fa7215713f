"""What a user wants to see: `--ci`, `--by`, `--metrics`, `--worst-first`, `--threshold`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_uncertainty import SPEAKERS, written

EER = {"A00": 0.0, "A01": 0.5, "A02": 0.25, "A03": 0.0}
"""The last of these scores decides: attacks A01 and A02 score like some bona fide trials."""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    written(folder, [f"S{number:02d}" for number in range(SPEAKERS)])
    return folder


@pytest.fixture
def scores(corpus: Path, tmp_path: Path) -> Path:
    """Bona fide trials score 1 and 2 in turn; A01 does too, A02 scores 1 and 0, the others 0."""
    levels = {"A00": (0, 0), "A01": (1, 2), "A02": (1, 0), "A03": (0, 0), "-": (1, 2)}
    seen: dict[str, int] = {}
    lines = []
    for line in (corpus / "keys.txt").read_text().splitlines():
        _, utterance, attack, _ = line.split()
        seen[attack] = seen.get(attack, 0) + 1
        lines.append(f"{utterance} {levels[attack][seen[attack] % 2]}\n")
    (tmp_path / "mine.txt").write_text("".join(lines))
    return tmp_path / "mine.txt"


@pytest.fixture
def table(corpus: Path, scores: Path, spoofbench_cli) -> Callable[..., Any]:
    def table(*options: str) -> Any:
        outcome = spoofbench_cli(
            "score", scores, "--protocol", corpus / "talkers.toml", "--data", corpus,
            "--format", "json", *options,
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
        return json.loads(outcome.out)[0]

    return table


def groups(table: Any, by: str = "attack") -> list[str]:
    return [row["group"] for row in table["rows"] if row["by"] == by]


def test_groups_come_in_the_order_of_their_names(table):
    assert groups(table()) == ["A00", "A01", "A02", "A03", "mean"]


def test_the_worst_group_comes_first_on_request(table):
    assert groups(table("--worst-first")) == ["A01", "A02", "A00", "A03", "mean"]


def test_the_worst_group_has_the_lowest_of_a_metric_that_is_better_when_higher(table):
    assert groups(table("--worst-first", "--metrics", "auc"))[:2] == ["A01", "A02"]


def test_other_metrics_can_be_asked_for(table):
    assert list(table("--metrics", "min-dcf,auc")["metrics"]) == ["min-dcf", "auc"]


def test_other_metrics_are_other_terms(table):
    assert table()["fingerprint"] != table("--metrics", "min-dcf")["fingerprint"]


def test_results_can_be_broken_down_by_speaker(table):
    asked = table("--by", "speaker")
    assert len(groups(asked, "speaker")) == SPEAKERS + 1
    counts = [row["bonafide"] for row in asked["rows"] if row["by"] == "speaker"]
    assert counts == [20] * SPEAKERS + [20 * SPEAKERS]  # the last is the mean over speakers


def test_the_breakdown_can_be_left_out(table):
    assert [row["group"] for row in table("--by", "none")["rows"]] == ["pooled"]


def test_two_columns_can_be_crossed(table):
    asked = table("--by", "speaker x attack")
    assert len(groups(asked, "speaker x attack")) == SPEAKERS * 4 + 1


def test_intervals_are_there_on_request_and_say_how_they_were_made(table):
    asked = table("--ci", "speaker", "--replicates", "100", "--ci-level", "0.9")
    assert set(asked["rows"][0]["intervals"]) == {"eer", "accuracy-at-eer"}
    assert "90 % intervals: percentile bootstrap by speaker, 100 replicates" in asked["notes"][0]
    assert "intervals" not in table()["rows"][0]


def test_what_a_threshold_does_can_be_seen(table):
    pooled = table("--threshold", "0.5")["rows"][0]
    # All bona fide trials score 1 or 2; all of A01 and half of A02 do, of four attacks.
    assert pooled["miss-at-threshold"] == 0
    assert pooled["false-alarm-at-threshold"] == pytest.approx(3 / 8)
    assert pooled["balanced-accuracy"] == pytest.approx(1 - 3 / 16)


@pytest.mark.parametrize("threshold", ["nan", "inf", "missing.json"])
def test_a_threshold_that_is_none_is_refused(corpus, scores, spoofbench_cli, threshold: str):
    outcome = spoofbench_cli(
        "score", scores, "--protocol", corpus / "talkers.toml", "--data", corpus,
        "--threshold", threshold,
    )  # fmt: skip
    assert outcome.code == 2
    assert threshold in outcome.err


def test_kept_runs_can_be_seen_in_the_same_ways(corpus, scores, tmp_path, spoofbench_cli):
    given = ("--protocol", corpus / "talkers.toml", "--data", corpus)
    assert spoofbench_cli("score", scores, *given, "--out", tmp_path / "runs").code == 0
    outcome = spoofbench_cli(
        "table", tmp_path / "runs", "--format", "json", "--metrics", "eer,auc", "--by", "speaker",
        "--ci", "trial", "--replicates", "50",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    (asked,) = json.loads(outcome.out)
    assert list(asked["metrics"]) == ["eer", "auc"]
    assert len(groups(asked, "speaker")) == SPEAKERS + 1
    assert "intervals" in asked["rows"][0]


def test_scores_that_are_no_ratios_are_called_so_where_a_metric_takes_them_for_ratios(
    corpus, tmp_path, spoofbench_cli
):
    """Scores with the right order and the wrong scale: surer than sure of too many errors."""
    keys = (line.split() for line in (corpus / "keys.txt").read_text().splitlines())
    lines = [f"{name} {1000 + (key == 'bonafide')}\n" for _, name, _, key in keys]
    (tmp_path / "wild.txt").write_text("".join(lines))
    given = ("score", tmp_path / "wild.txt", "--protocol", corpus / "talkers.toml", "--data")
    warned = spoofbench_cli(*given, corpus, "--metrics", "eer,cllr")
    assert "wild: the scores are no log-likelihood ratios" in warned.out
    assert "are no log-likelihood ratios" not in spoofbench_cli(*given, corpus).out


def test_the_threshold_of_a_calibration_can_be_used(corpus, scores, tmp_path, spoofbench_cli):
    text = (corpus / "talkers.toml").read_text()
    (corpus / "dev.toml").write_text(text.replace('role = "eval"', 'role = "dev"'))
    keys = (line.split() for line in (corpus / "keys.txt").read_text().splitlines())
    (corpus / "eval-keys.txt").write_text("".join(f"Z{s} Z{u} {a} {k}\n" for s, u, a, k in keys))
    (corpus / "talkers.toml").write_text(text.replace('"keys.txt"', '"eval-keys.txt"'))
    judged = tmp_path / "judged.txt"
    judged.write_text("".join(f"Z{line}\n" for line in scores.read_text().splitlines()))
    fitted = spoofbench_cli(
        "calibrate", "--dev", scores, "--dev-protocol", corpus / "dev.toml", "--apply", judged,
        "--protocol", corpus / "talkers.toml", "--data", corpus, "--out", tmp_path / "llr",
    )  # fmt: skip
    assert fitted.code == 0, fitted.err
    used = spoofbench_cli(
        "score", tmp_path / "llr" / "applied" / "judged.txt", "--protocol",
        corpus / "talkers.toml", "--data", corpus, "--threshold",
        tmp_path / "llr" / "calibration.json", "--format", "json",
    )  # fmt: skip
    assert used.code == 0, used.err
    (table,) = json.loads(used.out)
    assert "threshold -0.641854: a score of that or more is accepted" in table["notes"]
    assert 0 <= table["rows"][0]["miss-at-threshold"] <= 1


@pytest.mark.parametrize(
    "option",
    [("--ci-level", "0.9"), ("--ci-method", "bca"), ("--replicates", "50"), ("--ci-seed", "3")],
    ids=lambda option: option[0],
)
def test_an_option_of_a_bootstrap_that_is_not_asked_for_is_refused(
    corpus, scores, spoofbench_cli, option
):
    given = ("score", scores, "--protocol", corpus / "talkers.toml", "--data", corpus)
    outcome = spoofbench_cli(*given, *option)
    assert outcome.code == 2
    assert f"{option[0]} would change nothing" in outcome.err
    assert spoofbench_cli(*given, "--ci", "trial", *option).code == 0
