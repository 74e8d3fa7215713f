"""What the doctor finds in score files that are made for it, and the copies that it corrects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program import Outcome
from tiny import write_keys

from spoofbench import judging
from spoofbench.doctor import examination
from spoofbench.doctor.examination import Examination, Overlap, examine, mend
from spoofbench.doctor.findings import EerRange, Finding, eer_range
from spoofbench.errors import InvalidScores
from spoofbench.metrics.detection import eer_point
from spoofbench.plugins import catalogue
from spoofbench.protocols import read
from spoofbench.score_files.formats import parse
from spoofbench.terms import Terms, terms_of

LINES = (
    *("B0 2.5", "B1 3.5", "B2 4.5", "B3 -0.75"),
    *("X01-0 -1.5", "X01-1 -2.5", "X01-2 -3.5", "X01-3 0.25"),
    *("X02-0 -5.5", "X02-1 -6.5", "X02-2 -7.5", "X02-3 -8.5"),
)
"""In the order of `write_keys`: one bona fide trial and one spoof stand on the wrong side of 0."""


@pytest.fixture
def terms(tmp_path: Path) -> Terms:
    file = write_keys(tmp_path / "corpus")
    return terms_of(read(file), catalogue(), file.parent)


Look = Callable[..., Examination]


@pytest.fixture
def look(terms: Terms, tmp_path: Path) -> Look:
    """Examine a file of these lines."""

    def run(
        lines: Sequence[str],
        *,
        column: str | None = None,
        overlaps: Sequence[Overlap] = (),
        left_out: frozenset[str] = frozenset(),
    ) -> Examination:
        file = tmp_path / "scores.txt"
        file.write_text("".join(f"{line}\n" for line in lines))
        found, own = parse(file, column=column), replace(terms, left_out=left_out)
        return examine(found, own, protocol="keyed", overlaps=lambda _: overlaps)

    return run


def only(examination: Examination, severity: str) -> Finding:
    (finding,) = [one for one in examination.findings if one.severity == severity]
    return finding


def told(finding: Finding) -> str:
    return "\n".join([finding.what, *finding.evidence, f"-> {finding.advice}"])


def test_a_sound_file_gets_its_format_said_and_nothing_else(look: Look):
    examination = look(LINES)
    assert [one.what for one in examination.findings] == ["2021 two columns; 12 scores"]
    assert examination.wrong == []


def test_the_eer_of_a_sound_file_is_that_of_score(look: Look, terms: Terms):
    examination = look(LINES)
    table = judging.read(examination.case.found.path, terms, negate=None)
    judged = eer_point(table.scores[table.bonafide], table.scores[~table.bonafide])
    assert examination.eer == judged.eer


def swap(old: str, new: str) -> list[str]:
    assert sum(line.startswith(old) for line in LINES) == 1
    return [new if line.startswith(old) else line for line in LINES]


WRONG = {
    "unreadable": (
        [*LINES[:2], "Traceback: none", *LINES[2:]],
        ["1 lines cannot be read", "line 3: the score is 'none'", "every trial has a score"],
    ),
    "unreadable and missing": (
        [*LINES[:-1], "X02-3"],
        ["line 12: 1 columns", "complete what was cut off"],
    ),
    "NaN": (
        swap("B1", "B1 nan"),
        ["1 scores are not finite: 1 NaN, 0 infinite", "line 2: B1 nan"],
    ),
    "infinite": (
        swap("B1", "B1 -inf"),
        ["1 scores are not finite: 0 NaN, 1 infinite", "line 2: B1 -inf"],
    ),
    "repeated": (
        [*LINES, LINES[4]],
        ["1 scores repeat an utterance, with the same score", "line 13: X01-0 -1.5, as in line 5"],
    ),
    "conflicting": (
        [*LINES, "X01-0 9"],
        ["with another score", "line 13: X01-0 9.0, but -1.5 in line 5", "average them"],
    ),
    "appended": (
        [*LINES, *LINES],
        ["12 scores repeat", "from line 13 on the file begins again", "and 9 more"],
    ),
    "other run appended": (
        [*LINES, "B0 1", "B1 1"],
        ["2 scores repeat", "from line 13 on", "keep one run: the lines before line 13"],
    ),
    "missing": (
        LINES[1:],
        ["1 of 12 trials have no score: 1 bona fide, 0 spoof", "B0", "score these too"],
    ),
    "enrolment": (
        [*LINES, "B9 1"],
        ["1 scores are of utterances that are no trials", "1 named like trials", "B9"],
    ),
    "foreign": ([*LINES, "Q-7 1"], ["1 not named like the trials of this protocol: Q-7"]),
    "key": (
        swap("B1", "B1 spoof 3.5"),
        ["1 lines contradict the protocol, 1 of them in the key", "line 2: the key of B1 is"],
    ),
    "attack": (
        swap("X01-1", "X01-1 X02 spoof -2.5"),
        ["1 lines contradict the protocol, 0 of them in the key", "the attack of X01-1 is 'X02'"],
    ),
    "swapped keys": (
        [line.replace(" ", " bonafide " if line[0] == "X" else " spoof ") for line in LINES],
        ["12 lines contradict", "every key is the other one"],
    ),
    "constant": ([f"{line.split()[0]} 0.5" for line in LINES], ["has the same score, 0.5"]),
    "columns": (
        [f"{line} 0.25" for line in LINES],
        ["both outputs of a network could be the score", "--column 2: EER", "--column 3-2: EER"],
    ),
}


@pytest.mark.parametrize(("lines", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_its_evidence_and_the_way_out(look: Look, lines, said):
    wrong = look(lines).wrong
    text = "\n".join(map(told, wrong))
    assert [part for part in said if part not in text] == []
    assert all(finding.advice for finding in wrong)


@pytest.mark.parametrize("name", [name for name in WRONG if "missing" not in name])
def test_one_fault_makes_one_finding(look: Look, name: str):
    examination = look(WRONG[name][0])
    # A trial whose score is not finite or stands on a line that cannot be read is not there.
    assert len(examination.wrong) == 1


@pytest.mark.parametrize("name", [name for name in WRONG if name != "constant"])
def test_what_is_wrong_is_what_score_refuses(look: Look, terms: Terms, name: str):
    path = look(WRONG[name][0]).case.found.path
    with pytest.raises(InvalidScores):
        judging.read(path, terms, negate=None)


def test_a_class_without_scores_is_named(look: Look):
    said = "\n".join(map(told, look(LINES[:4]).wrong))
    assert "all trials that have a score are bona fide" in said


def negated(lines: Sequence[str]) -> list[str]:
    return [f"{name} {-float(score)}" for name, score in (line.split() for line in lines)]


def test_a_flipped_sign_is_shown_by_the_eer_both_ways(look: Look):
    right, wrong = look(LINES), look(negated(LINES))
    finding = only(wrong, "wrong")
    assert f"{100 * right.eer:.4f} % with the sign turned" in told(finding)
    assert f"EER {100 * wrong.eer:.4f} % as it is" in told(finding)
    assert "--negate" in finding.advice


def test_an_eer_near_chance_is_no_flipped_sign(look: Look):
    # Each bona fide trial lies in the middle of a pair of spoofs, up to a hair: at any threshold
    # the share that is below is nearly the same in both classes.
    scores = [0.4, 2.4, 4.4, 6.4, *range(8)]
    shuffled = [f"{line.split()[0]} {score}" for line, score in zip(LINES, scores, strict=True)]
    said = "\n".join(map(told, look(shuffled).findings))
    assert ("near chance" in said, "flipped" in said) == (True, False)


def test_several_columns_are_shown_with_the_eer_of_each(look: Look):
    lines = ["utt,fake,real"]
    lines += [f"{n},{-float(s)},{s}" for n, s in (line.split() for line in LINES)]
    finding = only(look(lines), "wrong")
    eer = f"{100 * look(LINES).eer:.4f} %"
    assert finding.evidence[1:] == (f"--column real: EER {eer}", f"--column real-fake: EER {eer}")
    assert look(lines, column="real").wrong == []


def test_scores_of_another_protocol_are_said_to_be_so(look: Look):
    overlaps = [
        Overlap(protocol="near", trials=20, matched=5, scored=10),
        Overlap(protocol="right", trials=10, matched=10, scored=10),
        Overlap(protocol="far", trials=10, matched=0, scored=10),
    ]
    examination = look([f"Z{i} {i}" for i in range(10)], overlaps=overlaps)
    finding = examination.wrong[0]
    assert finding.what == "these look like scores of right, not of keyed"
    assert finding.advice == "--protocol right"
    assert finding.evidence[0] == (
        "right: 10 of its 10 trials have a score, 0 scores are of others"
    )
    assert "far" not in told(finding)


def test_scores_that_fit_nothing_are_shown_beside_what_was_expected(look: Look):
    said = told(look(["Z1 1", "Z2 2"]).wrong[0])
    assert "none of the 12 trials has a score" in said
    assert "the file names Z1, Z2" in said
    assert "keyed names B0, B1, B2, ..." in said


def test_the_protocols_whose_keys_are_here_are_compared(tmp_path: Path, tiny: Path, monkeypatch):
    file = write_keys(tmp_path / "corpus")
    terms = terms_of(read(file), catalogue(), file.parent)
    others = [read(tiny / f"tiny-{part}.toml") for part in ("train", "eval")]
    roots = {"tiny": tiny}
    monkeypatch.setattr(examination, "_others", lambda protocol, catalogue: others)
    monkeypatch.setattr(examination, "root_of", lambda p, c, data: roots[p.data.corpus])
    found = examination.overlaps_with(["E000.flac", "E001.flac", "Q"], terms, catalogue())
    assert found == [
        Overlap(protocol="tiny-train", trials=10, matched=0, scored=3),
        Overlap(protocol="tiny-eval", trials=10, matched=2, scored=3),
    ]


def test_scores_of_subsets_that_the_protocol_leaves_out_are_a_note(look: Look):
    examination = look([*LINES, "Q1 1", "Q2 2"], left_out=frozenset({"Q1", "Q2"}))
    assert examination.wrong == []
    assert "2 scores are of other subsets" in "\n".join(map(told, examination.findings))


def test_utterances_that_are_spelt_otherwise_are_a_note(look: Look):
    examination = look([f"/data/{line.replace(' ', '.flac ')}" for line in LINES])
    assert examination.wrong == []
    assert "line 1: /data/B0.flac is B0" in "\n".join(map(told, examination.findings))


def test_probabilities_are_a_note(look: Look):
    lines = [f"{n} {1 / (1 + np.exp(-float(s)))}" for n, s in (line.split() for line in LINES)]
    assert "actual" not in told(only(look(LINES), "note"))
    said = "\n".join(map(told, look(lines).findings))
    assert "between 0 and 1" in said
    assert "need log-likelihood ratios" in said


def test_decisions_are_no_scores(look: Look):
    lines = [f"{n} {int(float(s) > 0)}" for n, s in (line.split() for line in LINES)]
    found = [one.what for one in look(lines).findings if one.severity == "suspicious"]
    assert found[0] == "these are decisions, not scores: there are two values"
    assert found[1].startswith("ties decide the EER: ")


def test_ties_are_shown_by_how_far_they_move_the_eer(look: Look):
    lines = [f"{n} {round(float(s) / 4)}" for n, s in (line.split() for line in LINES)]
    # bona fide 1, 1, 1, 0; spoofs of X01 0, -1, -1, 0 and of X02 -1, -2, -2, -2: at 0 stand one
    # bona fide trial and two spoofs. At best nothing is wrong; at worst one of four bona fide
    # lies below two of eight spoofs; merged, miss = t/4 and false alarm = 2/8 (1 - t): t = 1/2.
    said = "\n".join(map(told, look(lines).findings))
    assert "ties decide the EER: 0.0000 % to 25.0000 %, 12.5000 % merged" in said
    assert "3 trials (25.0 %) share their score with one of the other class" in said


def test_few_values_and_saturation_are_suspicious(tmp_path: Path):
    file = write_keys(tmp_path / "large", bonafide=40, each=40)
    terms = terms_of(read(file), catalogue(), file.parent)
    scores = [1.0] * 20 + [0.9] * 20 + [0.5] * 40 + [0.1] * 40
    pairs = zip(terms.trials, scores, strict=True)
    path = tmp_path / "coarse.txt"
    path.write_text("".join(f"{trial.utterance} {score}\n" for trial, score in pairs))
    seen = examine(parse(path), terms, protocol="large", overlaps=lambda _: ())
    said = "\n".join(told(one) for one in seen.findings if one.severity == "suspicious")
    assert "only 4 values for 120 trials" in said
    assert "at most 1 decimals" in said
    assert "16.7 % of the trials have the highest score, 1.0" in said
    assert "33.3 % of the trials have the lowest score, 0.1" in said


few = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=12).map(np.array)


@given(few, few, st.randoms(use_true_random=False))
def test_any_order_of_tied_trials_has_an_eer_between_the_best_and_the_worst(
    bonafide, spoof, random
):
    moved = eer_range(bonafide, spoof)
    own, other = ([x + random.random() / 2 for x in scores] for scores in (bonafide, spoof))
    eer = eer_point(np.array(own), np.array(other)).eer
    half_a_step = 1 / (2 * min(len(own), len(other)))  # as the EER of a few trials is quantised
    assert moved.best - half_a_step <= eer <= moved.worst + half_a_step
    assert moved.best <= moved.merged <= moved.worst


def test_constant_scores_may_give_any_eer_by_their_order():
    assert eer_range(np.zeros(5), np.zeros(7)) == EerRange(best=0.0, merged=0.5, worst=1.0)


@given(st.permutations(range(10)))
def test_without_ties_there_is_one_order(places):
    scores = np.array(places, dtype=float)
    assert len(set(eer_range(scores[:4], scores[4:]))) == 1


MENDED = {
    "nothing": LINES,
    "repeated": [*LINES, *LINES[:3]],
    "twice": [*LINES, *LINES],
    "extra": [*LINES, "B9 1", "Q-7 1"],
    "order": LINES[::-1],
    "spelling": [line.replace(" ", ".wav ") for line in LINES],
    "header": ["utt,score", *(line.replace(" ", ",") for line in LINES)],
    "log lines": ["loading model 1", *LINES, "done"],
    "everything": ["x", *(line.replace(" ", ".wav ") for line in LINES), "B0.wav 2.5", "B9 1"],
}


@pytest.mark.parametrize("lines", MENDED.values(), ids=MENDED)
def test_a_corrected_copy_has_one_line_for_each_trial_in_order(look: Look, tmp_path: Path, lines):
    mend(look(lines), tmp_path / "out.txt", negate=False)
    assert (tmp_path / "out.txt").read_text().splitlines() == list(LINES)


def test_a_corrected_copy_keeps_scores_bit_for_bit(look: Look, tmp_path: Path):
    mend(look(swap("B0", "B0 2.50000000000000044")), tmp_path / "out.txt", negate=False)
    first = (tmp_path / "out.txt").read_text().splitlines()[0]
    assert float(first.split()[1]) == 2.50000000000000044


def test_a_flipped_sign_is_turned_in_the_copy_if_asked(look: Look, tmp_path: Path):
    said = mend(look(negated(LINES)), tmp_path / "out.txt", negate=True)
    assert "sign turned" in said
    assert (tmp_path / "out.txt").read_text().splitlines() == list(LINES)


REFUSED = {
    "missing": (LINES[1:], False, "1 of 12 trials have no score"),
    "NaN": (swap("B1", "B1 nan"), False, "not finite"),
    "conflict": ([*LINES, "B0 1"], False, "another score"),
    "key": (swap("B1", "B1 spoof 3.5"), False, "contradict the protocol"),
    "attack": (swap("X01-1", "X01-1 X02 spoof -2.5"), False, "contradict the protocol"),
    "sign": (negated(LINES), False, "the sign is flipped"),
    "no flip": (LINES, True, "--negate would flip the sign"),
    "columns": ([f"{line} 0.25" for line in LINES], False, "could be the score"),
    "constant": ([f"{line.split()[0]} 0.5" for line in LINES], False, "the same score"),
}


@pytest.mark.parametrize(("lines", "negate", "said"), REFUSED.values(), ids=REFUSED)
def test_what_would_have_to_be_guessed_is_not_corrected(
    look: Look, tmp_path: Path, lines, negate: bool, said: str
):
    with pytest.raises(InvalidScores, match="cannot be corrected safely") as raised:
        mend(look(lines), tmp_path / "out.txt", negate=negate)
    assert said in str(raised.value)
    assert not (tmp_path / "out.txt").exists()


def test_a_file_that_is_there_is_not_overwritten(look: Look):
    examination = look([*LINES, LINES[0]])
    file = examination.case.found.path
    before = file.read_text()
    with pytest.raises(InvalidScores, match="exists already"):
        mend(examination, file, negate=False)
    assert file.read_text() == before


@pytest.fixture
def run(tmp_path: Path, spoofbench_cli) -> Callable[..., Outcome]:
    """Run the command on a file of these lines."""
    protocol = write_keys(tmp_path / "corpus")

    def command(lines: Sequence[str], *more: str | Path) -> Outcome:
        (tmp_path / "mine.txt").write_text("".join(f"{line}\n" for line in lines))
        given = ("doctor", "mine.txt", "--protocol", protocol, "--data", protocol.parent)
        return spoofbench_cli(*given, *more)

    return command


def test_the_command_says_that_nothing_is_wrong(run):
    outcome = run(LINES)
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].startswith("nothing wrong: EER ")
    assert outcome.out.splitlines()[-1].endswith("over 4 bona fide + 8 spoof trials")


def test_the_command_ends_with_code_2_if_something_is_wrong(run):
    outcome = run([*LINES, LINES[0]])
    assert (outcome.code, "Traceback" in outcome.err) == (2, False)
    assert "mine.txt cannot be used as it is" in outcome.err
    assert "--fix OUT" in outcome.err


def test_what_is_only_suspicious_leaves_the_exit_code_at_0(run):
    lines = [f"{n} {int(float(s) > 0)}" for n, s in (line.split() for line in LINES)]
    outcome = run(lines)
    assert (outcome.code, "suspicious" in outcome.out) == (0, True)


def test_the_command_writes_a_corrected_copy_that_score_takes(run, spoofbench_cli, tmp_path: Path):
    assert run([*LINES, LINES[0]], "--fix", "out.txt").code == 0
    protocol = tmp_path / "corpus" / "keyed.toml"
    outcome = spoofbench_cli("score", "out.txt", "--protocol", protocol, "--data", protocol.parent)
    assert outcome.code == 0


def test_negating_without_a_copy_to_write_is_refused(run):
    outcome = run(LINES, "--negate")
    assert (outcome.code, "--negate belongs to --fix" in outcome.err) == (2, True)


def test_findings_fit_on_a_narrow_terminal(run, monkeypatch):
    monkeypatch.setattr("inprocess.PLAIN", {"COLUMNS": "80", "NO_COLOR": "1"})
    outcome = run(
        [*LINES, *negated(LINES), "Q1 a b c d e f", *(f"foreign-{i} 1" for i in range(9))]
    )
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "eer"), [("la-eval.aasist.txt", "0.8295"), ("la-eval.rawgat-st-mul.txt", "1.0601")]
)
def test_nothing_is_wrong_with_published_scores(spoofbench_cli, reference: Path, name, eer):
    corpus = reference / "asvspoof2019-la"
    file = reference / "scores" / name
    outcome = spoofbench_cli("doctor", file, "--protocol", "la-eval", "--data", corpus)
    assert outcome.code == 0
    assert f"nothing wrong: EER {eer} % over 7,355 bona fide + 63,882 spoof trials" in outcome.out
    assert "note        2019 four columns; 71,237 scores" in outcome.out


@pytest.mark.reference
def test_published_scores_are_told_from_those_of_another_part(spoofbench_cli, reference: Path):
    corpus = reference / "asvspoof2019-la"
    file = reference / "scores" / "la-eval.aasist.txt"
    outcome = spoofbench_cli("doctor", file, "--protocol", "la-dev", "--data", corpus)
    assert outcome.code == 2
    assert "these look like scores of la-eval, not of la-dev" in outcome.out
    assert "-> --protocol la-eval" in outcome.out


cells = st.sampled_from(["B0", "B1", "X01-0", "X02-3.wav", "B99", "Q", "spoof", "X01", "-", "nan"])
numbers = st.sampled_from(["1", "-2.5", "0", "inf", "1e999", "0.25", "high"])
rows = st.one_of(
    st.tuples(cells, numbers),
    st.tuples(cells, numbers, numbers),
    st.tuples(cells, st.sampled_from(["X01", "-"]), st.sampled_from(["spoof", "fake"]), numbers),
).map(" ".join)


@given(st.lists(rows, min_size=1, max_size=15))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_file_holds_the_doctor_has_a_word_for_it(look: Look, lines: list[str]):
    examination = look(lines)
    assert examination.wrong, "so few names cannot give twelve trials a score"
    assert all(told(finding) for finding in examination.findings)


def test_decimal_commas_are_said_to_be_what_is_wrong(look: Look):
    """Not that the file is a log, nor that it is of another protocol."""
    lines = [line.replace(".", ",").replace(" ", ";") for line in LINES]
    found = look(lines)
    wrong = {one.what: one.advice for one in found.wrong}
    assert wrong["12 lines cannot be read"] == "write decimal points, not commas"
    assert list(examination.elsewhere(found.case, [])) == []
