"""Expected values follow from the definitions.

Bona fide scores are 1, 2, 3, 4. Attack X01 scores 0 throughout, so that every threshold in (0, 1]
parts it without an error. Attack X02 has the scores of the bona fide, so that the miss rate k/4
meets the false-alarm rate 1 - k/4 at 1/2. Pooled, the miss rate k/4 and the false-alarm rate
(4 - k)/8 meet on the line between k = 1 and k = 2, at 1/3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import write_keys

from spoofbench import judging, runs
from spoofbench.errors import (
    CorpusNotFound,
    InvalidProtocol,
    InvalidRun,
    InvalidScores,
    SpoofbenchError,
)
from spoofbench.groups import POOLED
from spoofbench.plugins import catalogue
from spoofbench.protocols import read
from spoofbench.rows import flipped, judge
from spoofbench.scores import ScoreTable
from spoofbench.specs import MetricSpec
from spoofbench.tables import MEAN, ResultTable, Row, worst_first
from spoofbench.tabulating import Tables, tabulate
from spoofbench.terms import Terms, terms_of

SCORES = (1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_keys(tmp_path / "corpus")
    return tmp_path / "corpus"


def terms(root: Path, *, limit_to: int | None = None) -> Terms:
    return terms_of(read(root / "keyed.toml"), catalogue(), root, limit_to=limit_to)


def judged(root: Path, scores: Sequence[float] = SCORES) -> dict[str, Row]:
    asked = terms(root)
    table = ScoreTable(trials=asked.trials, scores=np.array(scores))
    return {row.group: row for row in judge("mine", table, asked)}


def keep(root: Path, label: str, *, limit_to: int | None = None) -> Path:
    """Keep the scores as a run; a limited one as the program's own runs are kept."""
    asked = terms(root, limit_to=limit_to)
    by_name = dict(zip((trial.utterance for trial in terms(root).trials), SCORES, strict=True))
    table = ScoreTable.join(
        asked.trials, {t.utterance: by_name[t.utterance] for t in asked.trials}, source="test"
    )
    folder = judging.keep(table, label, asked, root.parent / "runs")
    if limit_to is not None:
        runs.write(runs.read(folder).model_copy(update={"limit": limit_to}), folder)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def made(*folders: Path, data: Path | None = None) -> Tables:
    return tabulate(folders, catalogue(), data=data)


@pytest.mark.parametrize(
    ("group", "eer"), [("X01", 0.0), ("X02", 1 / 2), (MEAN, 1 / 4), (POOLED, 1 / 3)]
)
def test_the_eer_of_each_group_is_what_arithmetic_says(root: Path, group: str, eer: float):
    assert judged(root)[group].values["eer"] == pytest.approx(eer, abs=1e-12)


def test_an_attack_is_judged_against_all_bona_fide_trials(root: Path):
    row = judged(root)["X01"]
    assert (row.bonafide, row.spoof) == (4, 4)


def test_the_rows_are_the_pooled_one_the_attacks_and_their_mean(root: Path):
    assert list(judged(root)) == [POOLED, "X01", "X02", MEAN]


def expected_costs(spoofs_accepted: float, *, miss: float, false_alarm: float) -> dict[str, float]:
    """Return both costs by their formulas, at the rates of a countermeasure's best threshold.

    The ASV system's threshold is the highest score that it rejects at its EER, -2: it accepts that
    one of three non-targets, and every target.
    """
    of_asv = 10 * 0.0095 / 3
    c1, c2 = 0.9405 - of_asv, 10 * 0.05 * spoofs_accepted
    by_countermeasure = c1 * miss + c2 * false_alarm
    return {
        "min-tdcf-2019": by_countermeasure / min(c1, c2),
        "min-tdcf-2021": (of_asv + by_countermeasure) / (of_asv + min(c1, c2)),
    }


@pytest.mark.parametrize("metric", ["min-tdcf-2019", "min-tdcf-2021"])
def test_a_countermeasure_that_errs_never_costs_what_the_asv_system_alone_does(
    tmp_path: Path, metric: str
):
    write_keys(tmp_path, asv=True)
    row = judged(tmp_path, [1.0] * 4 + [0.0] * 8)[POOLED]
    expected = expected_costs(3 / 4, miss=0, false_alarm=0)
    assert row.values[metric] == pytest.approx(expected[metric])


@pytest.mark.parametrize("metric", ["min-tdcf-2019", "min-tdcf-2021"])
def test_a_countermeasure_that_says_the_same_of_everything_costs_one(tmp_path: Path, metric: str):
    write_keys(tmp_path, asv=True)
    assert judged(tmp_path, [1.0] * 12)[POOLED].values[metric] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("group", "accepted"), [("X01", 1 / 2), ("X02", 1), (POOLED, 3 / 4)], ids=str
)
@pytest.mark.parametrize("metric", ["min-tdcf-2019", "min-tdcf-2021"])
def test_an_attack_is_weighed_by_how_often_the_asv_system_accepts_it(
    tmp_path: Path, metric: str, group: str, accepted: float
):
    # Half of the spoofs outrank all bona fide trials: it is cheapest to accept these and no others.
    write_keys(tmp_path, asv=True)
    rows = judged(tmp_path, [1.0] * 4 + [0.0, 0.0, 2.0, 2.0] * 2)
    expected = expected_costs(accepted, miss=0, false_alarm=1 / 2)
    assert rows[group].values[metric] == pytest.approx(expected[metric])


def test_an_attack_without_asv_trials_has_an_eer_and_no_tandem_cost(tmp_path: Path):
    write_keys(tmp_path, asv=True)
    asv = tmp_path / "asv.txt"
    asv.write_text("".join(line for line in asv.open() if not line.startswith("X02")))
    values = judged(tmp_path)["X02"].values
    assert values["eer"] == 0.5
    assert math.isnan(values["min-tdcf-2019"])


def test_a_mean_over_attacks_of_which_one_has_no_value_has_none(tmp_path: Path):
    write_keys(tmp_path, asv=True)
    asv = tmp_path / "asv.txt"
    asv.write_text("".join(line for line in asv.open() if not line.startswith("X02")))
    assert math.isnan(judged(tmp_path)[MEAN].values["min-tdcf-2021"])


def test_a_tandem_metric_without_an_asv_system_is_a_fault_of_the_protocol(root: Path):
    edit(root / "keyed.toml", '"eer"', '"min-tdcf-2021"')
    with pytest.raises(InvalidProtocol, match=r"min-tdcf-2021 .*\[tandem\]"):
        terms(root)


def test_an_unknown_metric_is_named_with_the_nearest_one(root: Path):
    edit(root / "keyed.toml", '"eer"', '"err"')
    with pytest.raises(SpoofbenchError, match="no metric 'err'"):
        terms(root)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [(SCORES, False), ([-score for score in SCORES], True), ([0.0] * 12, False)],
    ids=["right", "wrong", "useless"],
)
def test_scores_are_flipped_if_the_eer_is_above_one_half(
    root: Path, scores: Sequence[float], expected: bool
):
    table = ScoreTable(trials=terms(root).trials, scores=np.array(scores))
    assert flipped(table) is expected


def test_runs_on_equal_terms_share_a_table(root: Path):
    (table,) = made(keep(root, "one"), keep(root, "two")).tables
    assert table.runs == ("one", "two")


def test_runs_of_one_label_are_told_apart(root: Path, tmp_path: Path):
    first = keep(root, "same")
    second = first.rename(tmp_path / "moved")
    (table,) = made(keep(root, "same"), second).tables
    assert table.runs == ("same", "same (2)")


def test_a_table_is_computed_from_the_files_of_the_run(root: Path):
    (table,) = made(keep(root, "one")).tables
    assert table.pooled()[0].values["eer"] == pytest.approx(1 / 3)


def test_a_table_says_how_many_trials_there_were(root: Path):
    (table,) = made(keep(root, "one")).tables
    assert (table.bonafide, table.spoof) == (4, 8)


def test_runs_of_other_fingerprints_make_two_tables(root: Path, tmp_path: Path):
    write_keys(tmp_path / "more", each=3)
    one = keep(root, "one")
    other = judging.keep(
        ScoreTable(trials=(t := terms(tmp_path / "more")).trials, scores=np.arange(10.0)),
        "other",
        t,
        tmp_path / "runs",
    )
    assert len(made(one, other).tables) == 2


def test_a_second_table_has_a_reason(root: Path):
    limited = keep(root, "limited", limit_to=4)
    (reason,) = made(keep(root, "whole"), limited).reasons
    assert "the trials differ: 12 and 4" in reason


def test_one_table_needs_no_reason(root: Path):
    assert made(keep(root, "one"), keep(root, "two")).reasons == ()


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("keyed.toml", '"eer", ', "", "the metrics differ"),
        ("keyed.toml", 'by = ["attack"]', "by = []", "the groups differ"),
        ("keyed.toml", "c_fa = 10.0", "c_fa = 5.0", "the keys, the ASV scores or the costs differ"),
    ],
)
def test_the_reason_says_what_differs(tmp_path: Path, file: str, old: str, new: str, reason: str):
    root = tmp_path / "corpus"
    write_keys(root, asv=True)
    edit(root / "keyed.toml", "[tandem]", "[tandem]\nc_fa = 10.0")
    one = keep(root, "one")
    edit(root / file, old, new)
    assert reason in made(one, keep(root, "other")).reasons[0]


def test_the_reason_names_protocols_that_differ(root: Path):
    one = keep(root, "one")
    edit(root / "keyed.toml", '"eer", ', "")
    other = keep(root, "other")
    record = runs.read(other)
    renamed = record.protocol.model_copy(update={"name": "renamed"})
    runs.write(record.model_copy(update={"protocol": renamed}), other)
    assert "the protocols differ: keyed and renamed" in made(one, other).reasons[0]


def test_every_table_of_a_limited_run_is_stamped(root: Path):
    (table,) = made(keep(root, "limited", limit_to=4)).tables
    assert "limited: 4 of 12 trials" in table.stamps[0]


def test_a_limited_run_is_judged_on_its_own_trials(root: Path):
    (table,) = made(keep(root, "limited", limit_to=4)).tables
    assert (table.bonafide, table.spoof) == (2, 2)


def test_every_table_of_a_protocol_has_its_stamp(root: Path):
    edit(root / "keyed.toml", "schema = 1", 'schema = 1\nstamp = "no human speech"')
    (table,) = made(keep(root, "one")).tables
    assert table.stamps == ("no human speech",)


def test_a_run_that_ranks_spoofs_above_bona_fide_is_stamped(root: Path):
    asked = terms(root)
    table = ScoreTable(trials=asked.trials, scores=-np.array(SCORES))
    folder = judging.keep(table, "wrong", asked, root.parent / "runs")
    assert "wrong: EER above 50 %" in made(folder).tables[0].stamps[0]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("keys.txt", "B0 -", "B9 -"), ("keys.txt", "X01-0 X01", "X01-0 X02")],
)
def test_a_key_file_that_was_changed_is_refused(root: Path, file: str, old: str, new: str):
    folder = keep(root, "one")
    edit(root / file, old, new)
    with pytest.raises(InvalidRun, match="was made on other terms"):
        made(folder)


def test_asv_scores_that_were_changed_are_refused(tmp_path: Path):
    write_keys(tmp_path / "corpus", asv=True)
    folder = keep(tmp_path / "corpus", "one")
    edit(tmp_path / "corpus" / "asv.txt", "target 2", "target 2.5")
    with pytest.raises(InvalidRun, match="was made on other terms"):
        made(folder)


def test_a_corpus_that_has_gone_is_an_error_that_says_where_it_was(root: Path):
    folder = keep(root, "one")
    root.rename(root.parent / "moved")
    with pytest.raises(CorpusNotFound, match=str(root)) as raised:
        made(folder)
    assert "--data" in raised.value.hint


def test_a_corpus_that_was_moved_is_found_through_the_option(root: Path):
    folder = keep(root, "one")
    moved = root.rename(root.parent / "moved")
    assert len(made(folder, data=moved).tables) == 1


@pytest.mark.parametrize("limit_to", [None, 4])
def test_a_run_without_its_scores_is_an_error_that_names_the_folder(
    root: Path, limit_to: int | None
):
    folder = keep(root, "one", limit_to=limit_to)
    (folder / "scores.tsv").unlink()
    with pytest.raises(SpoofbenchError, match=str(folder)):
        made(folder)


def test_a_frame_has_a_line_for_each_row_and_a_column_for_each_metric(root: Path):
    (table,) = made(keep(root, "one")).tables
    frame = table.frame()
    assert list(frame["group"]) == [POOLED, "X01", "X02", MEAN]
    assert frame["eer"].to_list() == pytest.approx([1 / 3, 0, 1 / 2, 1 / 4])


def test_the_groups_of_a_table_do_not_hold_the_pooled_row(root: Path):
    (table,) = made(keep(root, "one")).tables
    assert [row.group for row in table.groups()["attack"]] == ["X01", "X02", MEAN]


def test_a_table_needs_trials_of_both_classes(root: Path):
    asked = terms(root)
    alone = replace(asked, groups=(replace(asked.groups[0], spoof=asked.groups[0].spoof[:0]),))
    table = ScoreTable(trials=asked.trials, scores=np.array(SCORES))
    with pytest.raises(InvalidScores, match="all trials are of one class"):
        judge("mine", table, alone)


def test_the_mean_over_attacks_counts_bona_fide_trials_once(root: Path):
    found = judged(root)
    assert (found[MEAN].bonafide, found[MEAN].spoof) == (4, 8)


def ordered(values: dict[str, dict[str, float]], *, higher: bool = False) -> list[str]:
    """Return the order in which `worst_first` puts the groups, given by run and group."""
    metric = MetricSpec(name="m", target="a:b", summary="", title="m", higher_is_better=higher)
    rows = [
        Row(run=run, by=by, group=group, bonafide=1, spoof=1, values={"m": value})
        for run, groups in values.items()
        for by, group, value in [
            ("", POOLED, 0.5),
            *(("attack", group, value) for group, value in groups.items()),
            ("attack", MEAN, 0.5),
        ]
    ]
    made = ResultTable(
        title="",
        fingerprint="",
        bonafide=1,
        spoof=1,
        stamps=(),
        metrics=(metric,),
        rows=tuple(rows),
    )
    by_run: dict[str, list[str]] = {}
    for row in worst_first(made).rows:
        by_run.setdefault(row.run, []).append(row.group)
    assert len({tuple(order) for order in by_run.values()}) == 1, "each run has its own order"
    return next(iter(by_run.values()))


def test_the_worst_group_of_the_first_run_comes_first_in_every_run():
    values = {"one": {"A": 0.1, "B": 0.3}, "two": {"A": 0.9, "B": 0.2}}
    assert ordered(values) == [POOLED, "B", "A", MEAN]


def test_the_worst_group_has_the_lowest_of_what_is_better_when_higher():
    assert ordered({"one": {"A": 0.3, "B": 0.1}}, higher=True) == [POOLED, "B", "A", MEAN]


def test_groups_without_a_number_come_last_but_for_the_mean():
    assert ordered({"one": {"A": math.nan, "B": 0.1, "C": 0.3}}) == [POOLED, "C", "B", "A", MEAN]
