from __future__ import annotations

import json
import resource
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program import Outcome, run_program, run_python
from tiny import write_keys

from spoofbench.plugins import catalogue
from spoofbench.protocols import load

AASIST = "la-eval.aasist.txt"
RAWGAT = "la-eval.rawgat-st-mul.txt"
SCORES = (1.0, 2.0, 3.0, 4.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""In the order of `write_keys`: bona fide first, and above all spoofs."""


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    return write_keys(tmp_path / "corpus")


@pytest.fixture
def file(protocol: Path, tmp_path: Path) -> Path:
    file = tmp_path / "mine.txt"
    keys = (protocol.parent / "keys.txt").read_text().splitlines()
    utterances = [line.split()[0] for line in keys]
    pairs = zip(utterances, SCORES, strict=True)
    file.write_text("".join(f"{utterance} {score}\n" for utterance, score in pairs))
    return file


@pytest.fixture
def judge(file: Path, protocol: Path, spoofbench_cli) -> Callable[..., Outcome]:
    """Score the file, with further arguments."""
    given = ("score", file, "--protocol", protocol, "--data", protocol.parent)
    return lambda *more: spoofbench_cli(*given, *more)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_scores_become_a_table(judge):
    outcome = judge("--format", "markdown")
    assert (outcome.code, "| mine | 0.0000 |" in outcome.out) == (0, True)


def test_the_table_goes_to_standard_output_alone(judge):
    outcome = judge("--format", "json")
    assert [table["bonafide"] for table in json.loads(outcome.out)] == [4]


MISTAKES = {
    "NaN": ("B1 2.0", "B1 nan", "line 2: the score of B1 is nan"),
    "missing": ("B1 2.0\n", "", "1 trials without a score (B1)"),
    "extra": ("B1 2.0", "B1 2.0\nB9 1", "1 scores of other utterances (B9)"),
    "duplicate": ("B1 2.0", "B1 2.0\nB1 2.0", "line 3: B1 has a score already"),
    "wrong key": ("B1 2.0", "B1 spoof 2.0", "line 2: the key of B1 is 'spoof'"),
    "no number": ("B1 2.0", "B1 high", "line 2: the score is 'high'"),
    "columns": ("B1 2.0", "B1 a b c d 2.0", "line 2: 6 columns"),
}


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_ends_with_code_2_a_message_and_no_table(
    file: Path, judge, old: str, new: str, said: str
):
    edit(file, old, new)
    outcome = judge()
    assert (outcome.code, outcome.out, "Traceback" in outcome.err) == (2, "", False)
    assert said in outcome.err


def test_a_flipped_sign_is_said_with_the_way_out(file: Path, judge):
    file.write_text(file.read_text().replace(" ", " -"))
    outcome = judge()
    assert outcome.code == 2
    assert "the EER is above 50 %" in outcome.err
    assert "--negate" in outcome.err


def test_a_flipped_sign_may_be_turned_round(file: Path, judge):
    file.write_text(file.read_text().replace(" ", " -"))
    outcome = judge("--negate", "--format", "markdown")
    assert (outcome.code, "| mine | 0.0000 |" in outcome.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "markdwon"], "did you mean 'markdown'?"),
        (["--protocol", "la-evl"], "did you mean 'la-eval'?"),
        (["--data", "/no/such/folder"], "/no/such/folder (from --data) does not exist"),
    ],
)
def test_a_wrong_option_ends_with_code_2_and_a_message(judge, arguments: list[str], said: str):
    outcome = judge(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


def test_kept_scores_can_be_tabulated_later(judge, spoofbench_cli, tmp_path: Path):
    judge("--out", tmp_path / "runs")
    outcome = spoofbench_cli("table", tmp_path / "runs", "--format", "markdown")
    assert (outcome.code, "| mine | 0.0000 |" in outcome.out) == (0, True)


def test_a_mistake_keeps_nothing(file: Path, judge, tmp_path: Path):
    edit(file, "B1 2.0", "B1 nan")
    judge("--out", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.fixture(scope="module")
def expected(reference: Path) -> dict[str, Any]:
    return tomllib.loads((reference / "expected.toml").read_text())["scores"]


@pytest.fixture(scope="module")
def published(reference: Path) -> Outcome:
    """What the program prints for the two published score files."""
    files = [reference / "scores" / name for name in (AASIST, RAWGAT)]
    corpus = reference / "asvspoof2019-la"
    return run_program(
        "score", *files, "--protocol", "la-eval", "--data", corpus, "--format", "markdown"
    )


def cells(text: str, name: str) -> list[list[str]]:
    """Return the cells of the lines of Markdown tables that are called ``name``."""
    lines = [[cell.strip() for cell in s.split("|")[1:-1]] for s in text.splitlines() if "|" in s]
    return [line[1:] for line in lines if line[0] == name]


@pytest.mark.reference
@pytest.mark.parametrize(
    ("label", "numbers"),
    [
        ("la-eval.aasist", ["0.8295", "0.02753", "0.08854"]),
        ("la-eval.rawgat-st-mul", ["1.0601", "0.03354", "0.09417"]),
    ],
)
def test_published_scores_give_the_published_numbers(
    published: Outcome, label: str, numbers: list[str]
):
    (pooled,) = cells(published.out, label)
    assert pooled[:3] == numbers


@pytest.mark.reference
def test_rawgat_has_the_published_eer_of_each_attack(published: Outcome, expected: dict[str, Any]):
    by_attack = expected[RAWGAT]["eer_percent_by_attack"]
    printed = {attack: cells(published.out, attack)[0][2] for attack in by_attack}
    assert printed == {attack: f"{value:.2f}" for attack, value in by_attack.items()}


@pytest.mark.reference
def test_all_attacks_of_the_evaluation_set_are_there(published: Outcome):
    attacks = [f"A{number:02d}" for number in range(7, 20)]
    assert [attack for attack in attacks if cells(published.out, attack)] == attacks


@pytest.mark.reference
def test_the_trial_counts_stand_in_the_table(published: Outcome):
    assert "7,355 bona fide + 63,882 spoof trials" in published.out


PLAIN_READING = """
import sys
import numpy
for name in sys.argv[1:]:
    with open(name) as file:
        rows = [line.split() for line in file]
    last = {index: row[-1] for index, row in enumerate(rows)}
    kinds = [row[-2] for row in rows]
"""
"""The least that any program must do with the three files: split every line, and keep the parts."""


def process_seconds(*arguments: str | Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run_python(*arguments).code == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.reference
def test_scoring_takes_two_seconds_of_process_time_or_on_a_slow_machine_in_proportion(
    reference: Path,
):
    corpus, scores = reference / "asvspoof2019-la", reference / "scores" / AASIST
    protocol = load("la-eval", catalogue())
    files = (corpus / protocol.data.keys, corpus / protocol.tandem.scores, scores)
    command = ("-m", "spoofbench", "score", "--protocol", "la-eval", "--data", corpus, scores)
    seconds, least = zip(
        *((process_seconds(*command), process_seconds("-c", PLAIN_READING, *files)) for _ in "ab"),
        strict=True,
    )
    assert min(seconds) < max(2, 5 * min(least))


SCORE_AND_LIST_MODULES = """
import sys
from spoofbench.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("torch" in sys.modules, file=sys.stderr)
"""


def test_scoring_does_not_load_torch(file: Path, protocol: Path):
    arguments = ["score", file, "--protocol", protocol, "--data", protocol.parent]
    outcome = run_python("-c", SCORE_AND_LIST_MODULES, *arguments)
    assert outcome.err.split()[-1] == "False"
