from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tiny import write_keys

from spoofbench import judging, runs
from spoofbench.errors import InvalidRun, InvalidScores
from spoofbench.plugins import catalogue
from spoofbench.protocols import read
from spoofbench.terms import Terms, terms_of

# Two of four bona fide and one of eight spoofs are on the wrong side of 0: the EER is below 1/2.
SCORES = (-1.0, -2.0, 3.0, 4.0, 0.5, -3.0, -4.0, -5.0, -6.0, -7.0, -8.0, -9.0)


@pytest.fixture
def terms(tmp_path: Path) -> Terms:
    file = write_keys(tmp_path / "corpus")
    return terms_of(read(file), catalogue(), file.parent)


@pytest.fixture
def right(terms: Terms, tmp_path: Path) -> Path:
    return write(tmp_path / "right.txt", terms, SCORES)


@pytest.fixture
def wrong(terms: Terms, tmp_path: Path) -> Path:
    return write(tmp_path / "wrong.txt", terms, [-score for score in SCORES])


def write(file: Path, terms: Terms, scores: list[float] | tuple[float, ...]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pairs = zip(terms.trials, scores, strict=True)
    file.write_text("".join(f"{trial.utterance} {score}\n" for trial, score in pairs))
    return file


def eer(terms: Terms, *files: Path, negate: bool | None = None) -> float:
    return (
        judging.table_of(judging.systems_of(files, terms, negate=negate), terms)
        .pooled()[0]
        .values["eer"]
    )


def test_a_flipped_sign_is_an_error_that_says_so(terms: Terms, wrong: Path):
    with pytest.raises(InvalidScores, match=r"wrong\.txt: the EER is above 50 %.*the sign is flip"):
        judging.read(wrong, terms, negate=None)


def test_the_error_of_a_flipped_sign_says_what_to_do(terms: Terms, wrong: Path):
    with pytest.raises(InvalidScores) as raised:
        judging.read(wrong, terms, negate=None)
    assert "--negate" in raised.value.hint
    assert "--no-negate" in raised.value.hint


def test_negated_scores_give_what_right_ones_give(terms: Terms, right: Path, wrong: Path):
    assert eer(terms, wrong, negate=True) == eer(terms, right)


def test_scores_may_be_taken_as_they_are(terms: Terms, wrong: Path):
    assert eer(terms, wrong, negate=False) > 0.5


def test_negated_scores_are_stamped(terms: Terms, wrong: Path):
    table = judging.table_of(judging.systems_of([wrong], terms, negate=True), terms)
    assert table.stamps == ("wrong: scores negated (--negate)",)


def test_flipped_scores_that_are_taken_as_they_are_are_stamped(terms: Terms, wrong: Path):
    table = judging.table_of(judging.systems_of([wrong], terms, negate=False), terms)
    assert "wrong: EER above 50 %" in table.stamps[0]


def test_right_scores_need_no_stamp(terms: Terms, right: Path):
    assert judging.table_of(judging.systems_of([right], terms, negate=None), terms).stamps == ()


def test_scores_with_many_ties_are_stamped_with_how_many_differ(tmp_path: Path):
    file = write_keys(tmp_path / "large", bonafide=20, each=20)
    large = terms_of(read(file), catalogue(), file.parent)
    coarse = write(tmp_path / "coarse.txt", large, [1.0] * 20 + [0.0] * 40)
    stamps = judging.table_of(judging.systems_of([coarse], large, negate=None), large).stamps
    assert "coarse: only 2 distinct scores for 60 trials" in stamps[0]


def test_files_stand_side_by_side_called_by_their_names(terms: Terms, right: Path, tmp_path: Path):
    other = write(tmp_path / "la.other.txt", terms, SCORES)
    assert judging.table_of(judging.systems_of([right, other], terms, negate=None), terms).runs == (
        "right",
        "la.other",
    )


def test_files_of_one_name_are_told_apart(terms: Terms, right: Path, tmp_path: Path):
    other = write(tmp_path / "other" / "right.txt", terms, SCORES)
    assert judging.table_of(judging.systems_of([right, other], terms, negate=None), terms).runs == (
        "right",
        "right (2)",
    )


def test_kept_scores_are_a_run_without_a_model(terms: Terms, right: Path, tmp_path: Path):
    table = judging.read(right, terms, negate=None)
    folder = judging.keep(table, "right", terms, tmp_path / "runs")
    assert runs.is_finished(folder)
    assert runs.read(folder).terms is None


def test_kept_scores_lie_below_their_protocol(terms: Terms, right: Path, tmp_path: Path):
    table = judging.read(right, terms, negate=None)
    folder = judging.keep(table, "right", terms, tmp_path / "runs")
    assert folder == tmp_path / "runs" / "keyed" / "right"


def test_a_run_is_not_overwritten(terms: Terms, right: Path, wrong: Path, tmp_path: Path):
    table = judging.read(right, terms, negate=None)
    folder = judging.keep(table, "right", terms, tmp_path / "runs")
    before = (folder / "scores.tsv").read_text()
    with pytest.raises(InvalidRun, match="is a run already"):
        judging.keep(table.negated(), "right", terms, tmp_path / "runs")
    assert (folder / "scores.tsv").read_text() == before


def notes_of(terms: Terms, file: Path) -> list[str]:
    said: list[str] = []
    judging.systems_of([file], terms, negate=None, note=said.append)
    return said


def test_the_format_of_a_file_is_said(terms: Terms, right: Path):
    assert notes_of(terms, right) == ["right: 2021 two columns"]


def test_names_that_are_spelt_otherwise_are_said(terms: Terms, right: Path):
    right.write_text(right.read_text().replace(" ", ".flac "))
    assert notes_of(terms, right)[1].startswith("right: 12 utterances are spelt otherwise")


def test_scores_of_other_subsets_are_not_used_and_said(terms: Terms, right: Path):
    eval_only = replace(terms, left_out=frozenset({"P1", "P2", "P3"}))
    with right.open("a") as file:
        file.write("P1 9\nP3 -9\n")
    assert notes_of(eval_only, right)[1:] == [
        "right: 2 scores of trials that the protocol leaves out (other subsets) were not used"
    ]
    assert eer(eval_only, right) == eer(terms, write(right, terms, SCORES))


def test_the_column_that_is_asked_for_is_judged(terms: Terms, right: Path):
    lines = right.read_text().splitlines()
    right.write_text(
        "utt spoofed real\n" + "".join(li.replace(" ", " 1.5 ") + "\n" for li in lines)
    )
    assert list(judging.read(right, terms, negate=None, column="real").scores) == list(SCORES)


def test_the_command_takes_a_column_and_points_to_the_doctor_without(
    terms: Terms, right: Path, spoofbench_cli
):
    lines = right.read_text().splitlines()
    right.write_text("".join(f"{line} 1.5\n" for line in lines))
    protocol = terms.root / "keyed.toml"
    given = ("score", right, "--protocol", protocol, "--data", terms.root)
    refused, taken = spoofbench_cli(*given), spoofbench_cli(*given, "--column", "2")
    assert (refused.code, taken.code) == (2, 0)
    assert f"spoofbench doctor {right} --protocol {protocol}" in refused.err
    assert "right: 3 columns between blanks: utterance in column 1, score in column 2" in taken.err


def kept(right: Path, terms: Terms, out: Path, label: str = "right") -> Path:
    return judging.keep(judging.read(right, terms, negate=None), label, terms, out)


def test_a_run_under_a_condition_is_not_taken_for_the_clean_one(
    terms: Terms, right: Path, tmp_path: Path
):
    folder = kept(right, terms, tmp_path / "runs")
    record = runs.read(folder)
    under = runs.Terms(
        model=runs.ModelRecord(name="m", target="a:b", plugin="p", distribution="d", version="1"),
        weights=runs.WeightsRecord(source="none"),
        fingerprint=terms.fingerprint,
        samples=None,
        precision="fp32",
        device="cpu",
        condition=runs.ConditionRecord(text="babble@5", seed=1, augmentations=()),
    )
    runs.write(record.model_copy(update={"terms": under}), folder)
    (system,) = judging.systems_of([folder], terms, negate=None)
    assert system.label == "right [babble@5]"


@pytest.mark.parametrize("label", ["../../escaped", "/escaped", "a\\..\\b", "x/y"])
def test_a_label_never_leads_out_of_the_workspace(
    terms: Terms, right: Path, tmp_path: Path, label: str
):
    folder = kept(right, terms, tmp_path / "runs", label)
    assert folder.parent == tmp_path / "runs" / "keyed"
    assert runs.read(folder).label == label


@pytest.mark.parametrize("label", ["", ".", ".."])
def test_a_label_that_names_no_folder_is_refused(
    terms: Terms, right: Path, tmp_path: Path, label: str
):
    with pytest.raises(InvalidRun, match="names no folder"):
        kept(right, terms, tmp_path / "runs", label)


def test_what_is_said_of_a_score_file_does_not_hold_for_a_run_beside_it(
    terms: Terms, right: Path, wrong: Path, tmp_path: Path
):
    folder = kept(right, terms, tmp_path / "runs")
    table = wrong.read_text().splitlines()
    wide = tmp_path / "wide.csv"
    wide.write_text(
        "utterance,other,mine\n"
        + "".join(f"{','.join([*line.split(), line.split()[1]])}\n" for line in table)
    )
    systems = judging.systems_of([folder, wide], terms, negate=True, column="mine")
    assert systems[0].table.scores.tolist() == systems[1].table.scores.tolist()
    assert systems[0].remarks == ()
    assert systems[1].remarks == ("wide: scores negated (--negate)",)
