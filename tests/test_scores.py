from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spoofbench.errors import InvalidScores
from spoofbench.score_files.formats import parse
from spoofbench.scores import COLUMNS, ScoreTable, match, read, write
from spoofbench.trials import KEY_SPELLINGS, Trial


def trial(utterance: str, attack: str = "-", speaker: str = "s1", **columns: str) -> Trial:
    return Trial(
        utterance=utterance,
        speaker=speaker,
        attack=attack,
        bonafide=attack == "-",
        audio=f"{utterance}.flac",
        columns=columns,
    )


TRIALS = (trial("B1"), trial("B2"), trial("S1", "A01"), trial("S2", "A02"))
LINES = ("B1 2.0", "B2 1.5", "S1 -1", "S2 -3e2")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scores.txt"


def scores_of(file: Path, lines: Sequence[str]) -> list[float]:
    file.write_text("".join(f"{line}\n" for line in lines))
    return list(read(file, TRIALS).scores)


def fault(file: Path, lines: Sequence[str]) -> InvalidScores:
    with pytest.raises(InvalidScores) as raised:
        scores_of(file, lines)
    assert str(file) in str(raised.value)
    return raised.value


names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=12
).filter(lambda name: not name.isspace() and name.split() == [name])
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(
        st.tuples(names, st.sampled_from(["", "spk"]), st.sampled_from(["-", "A07"]), finite),
        min_size=1,
        max_size=20,
        unique_by=lambda row: row[0],
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_scores_that_were_written_are_read_back_bit_for_bit(tmp_path: Path, rows):
    trials = tuple(trial(name, attack, speaker) for name, speaker, attack, _ in rows)
    scores = np.array([score for *_, score in rows])
    write(ScoreTable(trials=trials, scores=scores), tmp_path / "scores.tsv")
    assert read(tmp_path / "scores.tsv", trials).scores.tobytes() == scores.tobytes()


@pytest.mark.parametrize(
    "score", [5e-324, -5e-324, 1.7976931348623157e308, -0.0, 0.1 + 0.2, 1 / 3, float(2**53)]
)
def test_extreme_scores_are_read_back_bit_for_bit(file: Path, score: float):
    trials = (trial("B1"),)
    write(ScoreTable(trials=trials, scores=np.array([score])), file)
    assert read(file, trials).scores.tobytes() == np.array([score]).tobytes()


def test_scores_tsv_has_a_header_and_tabs(file: Path):
    write(ScoreTable(trials=TRIALS[2:], scores=np.array([-1.5, 2.0])), file)
    assert file.read_text().splitlines() == [
        "utterance\tspeaker\tattack\tkey\tscore",
        "S1\ts1\tA01\tspoof\t-1.5",
        "S2\ts1\tA02\tspoof\t2.0",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        LINES,
        [line.replace(" ", "\t") for line in LINES],
        [f"  {line}  " for line in LINES],
        ["", *LINES, "   "],
        ["B1 bonafide 2.0", "B2 bonafide 1.5", "S1 spoof -1", "S2 spoof -3e2"],
        ["B1 - bonafide 2.0", "B2 - bonafide 1.5", "S1 A01 spoof -1", "S2 A02 spoof -3e2"],
        ["B1 x - bonafide 2", "B2 x - bonafide 1.5", "S1 x A01 spoof -1", "S2 x A02 spoof -300"],
        ["B1 genuine 2", "B2 human 1.5", "S1 fake -1", "S2 Spoof -300"],
        ["\t".join(COLUMNS), *LINES],
    ],
    ids=["two", "tabs", "blanks", "empty", "three", "four", "five", "spellings", "header"],
)
def test_score_files_as_others_write_them_are_read(file: Path, lines: list[str]):
    assert scores_of(file, lines) == [2.0, 1.5, -1.0, -300.0]


@pytest.mark.parametrize("attack", ["-", "bonafide", "genuine", "A00"])
def test_what_stands_for_the_attack_of_bona_fide_trials_does_not_matter(file: Path, attack: str):
    assert scores_of(file, [f"B1 {attack} bonafide 2.0", *LINES[1:]])[0] == 2.0


def test_scores_come_in_the_order_of_the_protocol(file: Path):
    assert scores_of(file, LINES[::-1]) == [2.0, 1.5, -1.0, -300.0]


def test_windows_files_are_read(file: Path):
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(LINES).encode())
    assert list(read(file, TRIALS).scores) == [2.0, 1.5, -1.0, -300.0]


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-inf", "1e999"])
def test_a_score_that_is_not_finite_names_its_line_and_trial(file: Path, value: str):
    error = fault(file, [*LINES[:2], f"S1 {value}", LINES[3]])
    assert f"line 3: the score of S1 is {value}" in str(error)


@pytest.mark.parametrize("value", ["high", "1,5", "0x1p3", "--1", "1_0"])
def test_a_score_that_is_no_number_names_its_line(file: Path, value: str):
    error = fault(file, [*LINES[:2], f"S1 {value}", LINES[3]])
    assert f"line 3: the score is '{value}', not a number" in str(error)


def test_the_header_counts_as_a_line(file: Path):
    error = fault(file, ["\t".join(COLUMNS), "B1 nan"])
    assert "line 2:" in str(error)


@pytest.mark.parametrize("line", ["S1", "S1 a b c d 1.0"])
def test_a_wrong_number_of_columns_names_its_line(file: Path, line: str):
    error = fault(file, [*LINES[:2], line, LINES[3]])
    assert f"line 3: {len(line.split())} columns" in str(error)


def test_a_missing_trial_is_counted_and_named(file: Path):
    assert "1 trials without a score (S1)" in str(fault(file, [*LINES[:2], LINES[3]]))


def test_an_extra_trial_is_counted_and_named(file: Path):
    assert "1 scores of other utterances (X9)" in str(fault(file, [*LINES, "X9 1"]))


def test_only_the_first_few_of_many_extra_trials_are_named(file: Path):
    error = fault(file, [*LINES, *(f"X{number} 1" for number in range(9))])
    assert "9 scores of other utterances (X0, X1, X2, ...)" in str(error)


def test_a_duplicate_names_its_line_even_where_the_scores_are_equal(file: Path):
    assert "line 5: B1 has a score already" in str(fault(file, [*LINES, LINES[0]]))


@pytest.mark.parametrize(("lines", "said"), [(LINES[:2], "bona fide"), (LINES[2:], "spoof")])
def test_scores_of_one_class_only_are_refused_and_said_to_be_so(
    file: Path, lines: Sequence[str], said: str
):
    assert str(fault(file, lines)).endswith(f"all are {said}")


def test_another_key_than_the_protocols_names_its_line(file: Path):
    error = fault(file, [*LINES[:2], "S1 bonafide -1", LINES[3]])
    assert "line 3: the key of S1 is 'bonafide', the protocol says 'spoof'" in str(error)


def test_another_attack_than_the_protocols_names_its_line(file: Path):
    error = fault(file, [*LINES[:2], "S1 A02 spoof -1", LINES[3]])
    assert "line 3: the attack of S1 is 'A02', the protocol says 'A01'" in str(error)


def test_a_key_that_nobody_knows_names_its_line_and_those_that_are_known(file: Path):
    error = fault(file, [*LINES[:2], "S1 A01 deceit -1", LINES[3]])
    assert "line 3: the key is 'deceit'" in str(error)
    assert all(key in error.hint for key in KEY_SPELLINGS)


@pytest.mark.parametrize("text", ["", "\n\n", "\t".join(COLUMNS) + "\n"])
def test_a_file_without_scores_is_refused(file: Path, text: str):
    file.write_text(text)
    with pytest.raises(InvalidScores, match="holds no scores"):
        read(file, TRIALS)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InvalidScores, match=r"none\.txt cannot be read"):
        read(tmp_path / "none.txt", TRIALS)


def test_a_file_that_is_no_text_is_named(file: Path):
    file.write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(InvalidScores, match="cannot be read"):
        read(file, TRIALS)


def test_scores_that_are_not_finite_cannot_be_joined_with_trials():
    with pytest.raises(InvalidScores, match="model: the score of B2 is not a finite number"):
        ScoreTable.join(TRIALS[:2], {"B1": 1.0, "B2": float("nan")}, source="model")


def test_negating_twice_gives_the_scores_back():
    table = ScoreTable(trials=TRIALS, scores=np.array([1.0, -2.0, 0.0, 3.5]))
    assert table.negated().negated().scores.tolist() == [1.0, -2.0, 0.0, 3.5]


@pytest.mark.parametrize(
    ("column", "values"),
    [("attack", ["-", "A01"]), ("speaker", ["s1", "s1"]), ("codec", ["alaw", "opus"])],
)
def test_a_table_knows_what_the_key_file_says_of_its_trials(column: str, values: list[str]):
    trials = (trial("B1", codec="alaw"), trial("S1", "A01", codec="opus"))
    assert ScoreTable(trials=trials, scores=np.zeros(2)).column(column).tolist() == values


def test_a_column_that_the_key_file_lacks_is_named():
    with pytest.raises(InvalidScores, match="no column 'codec'"):
        ScoreTable(trials=TRIALS, scores=np.zeros(4)).column("codec")


def test_scores_of_other_subsets_are_passed_over_and_counted(file: Path):
    file.write_text("".join(f"{line}\n" for line in (*LINES, "H1 9", "H2 9")))
    reading = match(parse(file), TRIALS, left_out=frozenset({"H1", "H2", "H3"}))
    assert (reading.left_out, reading.table.scores.tolist()) == (2, [2.0, 1.5, -1.0, -300.0])


def test_a_score_of_an_utterance_in_no_subset_is_still_extra(file: Path):
    file.write_text("".join(f"{line}\n" for line in (*LINES, "H1 9", "X9 9")))
    with pytest.raises(InvalidScores, match=r"1 scores of other utterances \(X9\)"):
        read(file, TRIALS, left_out=frozenset({"H1"}))


@pytest.mark.parametrize(
    "spelling",
    ["{}.wav", "{}.FLAC", "flac/{}", "/data/LA/flac/{}.flac", "C:\\flac\\{}.flac", "ITW_{}"],
)
def test_folders_endings_and_the_arenas_prefix_are_seen_through(file: Path, spelling: str):
    lines = (line.split() for line in LINES)
    file.write_text("".join(f"{spelling.format(name)} {score}\n" for name, score in lines))
    reading = match(parse(file), TRIALS)
    assert (reading.respelt, reading.table.scores.tolist()) == (4, [2.0, 1.5, -1.0, -300.0])


def test_names_that_the_protocol_spells_with_an_ending_are_taken_as_they_are(file: Path):
    trials = (trial("a.wav"), trial("b/c.flac", "A01"))
    file.write_text("a.wav 1\nb/c.flac 2\n")
    reading = match(parse(file), trials)
    assert (reading.respelt, reading.table.scores.tolist()) == (0, [1.0, 2.0])


def test_names_that_only_the_protocol_spells_with_an_ending_are_found(file: Path):
    trials = (trial("a.wav"), trial("b/c.flac", "A01"))
    file.write_text("a 1\nc 2\n")
    assert match(parse(file), trials).table.scores.tolist() == [1.0, 2.0]


def test_a_bare_name_that_could_be_two_trials_is_nobodys(file: Path):
    trials = (trial("x/a.wav"), trial("y/a.wav"))
    file.write_text("x/a.wav 1\na 2\n")
    with pytest.raises(InvalidScores, match=r"1 scores of other utterances \(a\)"):
        read(file, trials)


def test_two_spellings_of_one_trial_are_a_duplicate(file: Path):
    error = fault(file, [*LINES, "B1.wav 2.0"])
    assert "line 5: B1 has a score already" in str(error)


def test_an_ending_of_no_audio_belongs_to_the_name(file: Path):
    assert "2 scores of other utterances" in str(fault(file, [*LINES, "B1.txt 1", "B1.v2 1"]))


def test_a_file_with_several_columns_of_numbers_names_them(file: Path):
    error = fault(file, [f"{line} 0.25" for line in LINES])
    assert "2 columns that could be the score: 2, 3" in str(error)
    assert "--column" in error.hint


def test_the_column_that_is_named_is_read(file: Path):
    lines = ["utt,fake,real", *(f"{line.replace(' ', ',7,')}" for line in LINES)]
    file.write_text("".join(f"{line}\n" for line in lines))
    assert read(file, TRIALS, column="real").scores.tolist() == [2.0, 1.5, -1.0, -300.0]


def test_an_entry_of_an_archive_is_named_by_its_place(tmp_path: Path):
    names = np.array([trial.utterance for trial in TRIALS])
    np.savez(tmp_path / "a.npz", utterances=names, scores=np.array([1, np.nan, 3, 4]))
    with pytest.raises(InvalidScores, match=r"a\.npz, entry 2: the score of B2 is nan"):
        read(tmp_path / "a.npz", TRIALS)


def test_the_first_of_several_faults_is_the_one_that_is_named(file: Path):
    error = fault(file, ["B1 spoof 2", "B2 high", "S1 nan", "S2 1", "S2 1"])
    assert "line 1: the key of B1" in str(error)
    error = fault(file, ["S2 1", "S2 1", "B2 high", "S1 nan", "B1 spoof 2"])
    assert "line 2: S2 has a score already" in str(error)
