"""Every number of docs/reference/published.md, computed again from the published score files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spoofbench import asv, scores
from spoofbench.metrics.detection import eer_point
from spoofbench.metrics.tandem import weights_2019, weights_2021
from spoofbench.plugins import catalogue
from spoofbench.protocols import load
from spoofbench.rows import judge
from spoofbench.scores import ScoreTable
from spoofbench.tables import MEAN, Row
from spoofbench.terms import Terms, terms_of
from spoofbench.uncertainty import Uncertainty
from spoofbench.views import View

pytestmark = pytest.mark.reference

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "published.md"
FILES = {"aasist": "la-eval.aasist.txt", "rawgat-st": "la-eval.rawgat-st-mul.txt"}
METRICS = ("eer", "min-tdcf-2019", "min-tdcf-2021", "min-dcf", "act-dcf", "cllr")


def section(title: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its header."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip()[1:-1].split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in row] for row in rows[2:]]


def decimals(text: str) -> int:
    return len(text.split()[0].partition(".")[2])


def assert_stated(text: str, value: float) -> None:
    """Assert that ``text`` is ``value`` with as many digits as it has, in % if it says so."""
    shown = 100 * value if text.endswith("%") else value
    assert f"{shown:.{decimals(text)}f}" == text.removesuffix("%").strip()


@pytest.fixture(scope="module")
def terms(reference: Path) -> Terms:
    known = catalogue()
    protocol = View(metrics=METRICS, by=("attack", "speaker")).revise(load("la-eval", known))
    return terms_of(protocol, known, reference / "asvspoof2019-la")


@pytest.fixture(scope="module")
def read(reference: Path, terms: Terms) -> dict[str, ScoreTable]:
    folder = reference / "scores"
    return {name: scores.read(folder / file, terms.trials) for name, file in FILES.items()}


@pytest.fixture(scope="module")
def rows(read: dict[str, ScoreTable], terms: Terms) -> dict[tuple[str, str, str], Row]:
    made = [row for name, table in read.items() for row in judge(name, table, terms)]
    return {(row.run, row.by, row.group): row for row in made}


def test_every_pooled_result_is_what_the_page_says(rows):
    stated = section("Pooled")
    assert len(stated) == 9
    for name, metric, here, _ in stated:
        assert_stated(here, rows[name, "", "pooled"].values[metric])


def test_every_published_result_is_met_at_its_digits(rows):
    published = [(name, metric, text) for name, metric, _, text in section("Pooled") if text]
    assert len(published) == 4
    for name, metric, text in published:
        value = rows[name, "", "pooled"].values[metric]
        shown = 100 * value if text.endswith("%") else value
        # The papers cut or round the last digit: 0.03354 is 0.0335 in one, 0.8295 is 0.83.
        assert shown == pytest.approx(float(text.split()[0]), abs=0.6 * 10 ** -decimals(text))


def by_attack() -> Iterator[tuple[str, str]]:
    for cells in section("By attack"):
        yield from ((g, eer) for g, eer in zip(cells[::2], cells[1::2], strict=True) if g)


def test_every_attack_s_eer_is_what_the_page_says(rows):
    stated = dict(by_attack())
    assert len(stated) == 14
    for group, text in stated.items():
        row = rows["rawgat-st", "" if group == "pooled" else "attack", group]
        assert f"{100 * row.values['eer']:.2f}" == text


def test_the_mean_over_attacks_is_what_the_page_says(rows):
    (stated,) = re.findall(r"mean over these attacks is ([\d.]+) %", PAGE.read_text())
    assert f"{100 * rows['rawgat-st', 'attack', MEAN].values['eer']:.2f}" == stated


def test_the_eers_of_speakers_are_as_far_apart_as_the_page_says(rows):
    (low, high) = re.findall(r"bona fide trials: from (\d+) to ([\d.]+) %", PAGE.read_text())[0]
    eers = [row.values["eer"] for key, row in rows.items() if key[:2] == ("rawgat-st", "speaker")]
    of_speakers = np.array(eers[:-1])
    assert f"{100 * np.nanmin(of_speakers):g}" == low
    assert f"{100 * np.nanmax(of_speakers):.2f}" == high


@pytest.mark.parametrize("unit", ["trial", "speaker", "attack"])
def test_every_interval_is_what_the_page_says_and_near_the_one_that_it_cites(
    unit: str, read: dict[str, ScoreTable], terms: Terms
):
    (cells,) = [cells for cells in section("By speaker") if cells[0] == unit]
    here, cited = ([float(end) for end in cell.strip("[]").split(",")] for cell in cells[1:])
    asked = replace(terms, groups=terms.groups[:1], metrics=terms.metrics[:1])
    own = Uncertainty(unit=unit, replicates=2_000)
    (row,) = judge("r", read["rawgat-st"], asked, uncertainty=own)
    ends = [100 * row.intervals["eer"].low, 100 * row.intervals["eer"].high]
    assert ends == pytest.approx(here, abs=0.0051)
    assert ends == pytest.approx(cited, abs=0.08)


def test_a_system_that_says_the_same_of_every_trial_has_the_eer_that_the_page_says(terms: Terms):
    same = ScoreTable(trials=terms.trials, scores=np.zeros(len(terms.trials)))
    eer = judge("same", same, terms)[0].values["eer"]
    assert_stated(section("Trivial systems")[0][2], eer)


def test_a_system_that_calls_every_trial_a_spoof_has_the_accuracy_that_the_page_says(terms: Terms):
    spoofs = sum(not trial.bonafide for trial in terms.trials)
    assert_stated(section("Trivial systems")[1][2], spoofs / len(terms.trials))


@pytest.mark.parametrize("column", [1, 2])
def test_every_rate_of_the_asv_system_is_what_the_page_says(reference: Path, column: int):
    protocol = load(("la-dev", "la-eval")[column - 1], catalogue())
    system = asv.of(protocol, reference / "asvspoof2019-la")
    rates = system.rates()
    stated = {cells[0]: cells[column] for cells in section("The ASV system")}
    assert_stated(stated["EER"], eer_point(system.target, system.nontarget).eer)
    assert_stated(stated["threshold"], system.threshold)
    assert_stated(stated["P_miss_asv"], rates.miss)
    assert_stated(stated["P_fa_asv"], rates.false_alarm)
    assert_stated(stated["P_miss_spoof_asv"], 1 - rates.spoof_false_alarm)


def test_the_weights_of_the_tandem_costs_are_what_the_page_says(terms: Terms):
    stated = dict(re.findall(r"(C\d) = ([\d.]+)", PAGE.read_text()))
    rates = terms.asv.rates()
    for weights in (weights_2019(rates, terms.costs), weights_2021(rates, terms.costs)):
        assert_stated(stated["C1"], weights.c1)
        assert_stated(stated["C2"], weights.c2)
    assert_stated(stated["C0"], weights_2021(rates, terms.costs).c0)
