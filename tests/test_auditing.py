from __future__ import annotations

from pathlib import Path

import pytest

from spoofbench import auditing, runs
from spoofbench.plugins import catalogue
from spoofbench.runs import ModelRecord, RunRecord, WeightsRecord
from spoofbench.statistics.intervals import Interval
from spoofbench.tables import ResultTable, Row

EER = next(catalogue().metrics.get(name).spec for name in ("eer",))


def record(model: str, *, audit: bool = False) -> RunRecord:
    from spoofbench.protocols import load

    protocol = load(
        "toy-eval" if "toy-eval" in catalogue().protocols.names() else "toy", catalogue()
    )
    asked = protocol.model_copy(
        update={"report": protocol.report.model_copy(update={"audit": audit})}
    )
    return RunRecord(
        label=model,
        terms=runs.Terms(
            model=ModelRecord(name=model, target="", plugin="", distribution="", version=""),
            weights=WeightsRecord(source="none"),
            fingerprint="f",
            samples=None,
            precision="fp32",
            device="cpu",
        ),
        protocol=asked,
        fingerprint="f",
        corpus="",
        trials=10,
        versions={},
        finished="",
    )


def row(run: str, eer: float, ends: tuple[float, float] | None = None) -> Row:
    own = Interval(*ends, level=0.95, method="percentile", replicates=100) if ends else None
    intervals = {"eer": own} if own else {}
    return Row(
        run=run,
        by="",
        group="pooled",
        bonafide=5,
        spoof=5,
        values={"eer": eer},
        intervals=intervals,
    )


def said(*rows: Row, audit: bool = False) -> ResultTable:
    table = ResultTable(
        title="T", fingerprint="f", bonafide=5, spoof=5, stamps=(), metrics=(EER,), rows=rows
    )
    records = [record(own.run, audit=audit) for own in rows]
    return auditing.explained(table, records, catalogue())


def test_the_share_is_that_of_the_way_from_chance():
    """From 50 to 10 % are 40 points; the shortcut, at 30 %, goes 20 of them: half."""
    notes = said(row("aasist", 0.10), row("shortcut-channel", 0.30)).notes
    assert "shortcut-channel goes 50 % by itself" in notes[-1]


def test_the_strongest_shortcut_counts():
    notes = said(
        row("aasist", 0.10), row("shortcut-channel", 0.45), row("shortcut-silence", 0.20)
    ).notes
    assert "shortcut-silence goes 75 % by itself" in notes[-1]
    assert notes[0].startswith("shortcut: shortcut-silence")


@pytest.mark.parametrize(
    ("model", "shortcut", "words"),
    [
        (0.30, 0.20, "nothing here shows that it hears more than that"),
        (0.55, 0.20, "no better than chance"),
        (0.10, 0.60, "goes 0 % by itself"),
    ],
)
def test_what_a_model_shows(model: float, shortcut: float, words: str):
    assert words in said(row("aasist", model), row("shortcut-channel", shortcut)).notes[-1]


@pytest.mark.parametrize(
    ("eer", "ends", "words"),
    [
        (0.40, (0.35, 0.45), "that alone tells the classes apart"),
        (0.40, (0.35, 0.55), "says nothing of the class"),
        (0.60, (0.55, 0.65), "the other way about"),
        (0.40, None, "that alone tells the classes apart"),
    ],
)
def test_what_a_shortcut_shows_hangs_on_its_interval(
    eer: float, ends: tuple[float, float] | None, words: str
):
    assert words in said(row("shortcut-channel", eer, ends)).notes[0]


def test_a_table_without_shortcuts_stays_as_it_is_unless_it_asks_for_them():
    assert said(row("aasist", 0.1)).notes == ()
    (stamp,) = said(row("aasist", 0.1), audit=True).stamps
    assert stamp.startswith("shortcuts were not measured: spoofbench audit --protocol")


def test_runs_of_other_protocols_bring_no_shortcuts(tmp_path: Path):
    folder = tmp_path / "aasist-1"
    runs.write(record("aasist"), folder)
    assert auditing.with_shortcuts([folder], catalogue()) == [folder]
