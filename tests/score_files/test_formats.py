"""Every format that programs write, from a small literal file."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spoofbench.errors import InvalidScores
from spoofbench.score_files.formats import ScoreFile, parse


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scores.txt"


def found(file: Path, *lines: str, column: str | None = None) -> ScoreFile:
    file.write_text("".join(f"{line}\n" for line in lines))
    return parse(file, column=column)


FORMATS = {
    "2019": (
        "2019 four columns",
        ["LA_E_1 A07 spoof -6.5", "LA_E_2 - bonafide 4.25"],
        ["LA_E_1", "LA_E_2"],
        [-6.5, 4.25],
    ),
    "AIR": (
        "2019 four columns",
        ["LA_E_1 A07 spoof 0.01", "LA_E_2 A00 bonafide 0.99"],
        ["LA_E_1", "LA_E_2"],
        [0.01, 0.99],
    ),
    "2021": (
        "2021 two columns",
        ["LA_E_9332881 -6.5", "LA_E_6866159 4.25"],
        ["LA_E_9332881", "LA_E_6866159"],
        [-6.5, 4.25],
    ),
    "own": (
        "scores.tsv of spoofbench",
        ["utterance\tspeaker\tattack\tkey\tscore", "B1\tAnn B. C\t-\tbonafide\t1.5"],
        ["B1"],
        [1.5],
    ),
    "ASVspoof 5": (
        "ASVspoof 5 track 1 (also WeDefense's llr.txt)",
        ["filename\tcm-score", "E_0009538969\t-1.25", "E_0009538970\t2"],
        ["E_0009538969", "E_0009538970"],
        [-1.25, 2.0],
    ),
    "ASVspoof 5 track 2": (
        "ASVspoof 5 track 2",
        ["spk\tfilename\tcm-score\tasv-score\tsasv-score", "E_1\tE_0009\t-1.25\t0.5\t0.25"],
        ["E_0009"],
        [-1.25],
    ),
    "ASVspoof 5, old": (
        "ASVspoof 5 four columns",
        ["E_1 E_0009 -1.25 spoof", "E_1 E_0010 1.25 bonafide"],
        ["E_0009", "E_0010"],
        [-1.25, 1.25],
    ),
    "Arena": (
        "the Arena's scores.txt",
        ["ITW_0 0.250000", "ITW_1 -1.500000"],
        ["ITW_0", "ITW_1"],
        [0.25, -1.5],
    ),
    "DeepFense": (
        "DeepFense CSV",
        ["ID_audio,label,score_class0,score_class1", "a1,1,0.25000000,0.75000000"],
        ["a1"],
        [0.75],
    ),
    "AntiDeepfake": (
        "AntiDeepfake CSV",
        ["ID,Score,Label", 'A-1-a,"[-3.75, 3.5]",1', 'A-1-b,"[2.0, -1.0]",0'],
        ["A-1-a", "A-1-b"],
        [7.25, -3.0],
    ),
}


@pytest.mark.parametrize(("words", "lines", "utterances", "scores"), FORMATS.values(), ids=FORMATS)
def test_a_format_in_use_is_found_and_said(file: Path, words, lines, utterances, scores):
    read = found(file, *lines)
    assert (read.format, list(read.utterances), read.scores.tolist()) == (words, utterances, scores)
    assert (read.faults, read.choose) == ((), ())


TABLES = {
    "commas": ["a,1.5", "b,-2"],
    "semicolons": ["a;1.5", "b;-2"],
    "tabs": ["a\t1.5", "b\t-2"],
    "blanks": ["a   1.5", "  b -2  "],
    "commas and blanks": ["a, 1.5", "b , -2"],
    "header": ["path,output", "a,1.5", "b,-2"],
    "header of numpy": ["# utt score", "a 1.5", "b -2"],
    "capital header": ["Utt_ID,Score", "a,1.5", "b,-2"],
    "reversed": ["score,file", "1.5,a", "-2,b"],
    "reversed without header": ["1.5 a", "-2 b"],
    "more columns": ["utt,codec,score,pred", "a,opus,1.5,1", "b,alaw,-2,0"],
    "labels": ["a 1.5 1", "b -2 0"],
    "whole key line": ["s1 a - - bonafide 1.5", "s1 b - A07 spoof -2"],
    "quotes": ['"utt","score"', '"a","1.5"', '"b","-2"'],
    "empty last cell": ["utt,score,", "a,1.5,", "b,-2,"],
}


@pytest.mark.parametrize("lines", TABLES.values(), ids=TABLES)
def test_any_table_with_one_column_of_scores_is_read(file: Path, lines: list[str]):
    read = found(file, *lines)
    assert (list(read.utterances), read.scores.tolist()) == (["a", "b"], [1.5, -2.0])


def test_the_words_for_any_other_table_say_which_columns_are_used(file: Path):
    read = found(file, "path,codec,output", "a,opus,1.5")
    assert read.format == (
        "3 columns between commas, with a header: utterance in column path, score in column output"
    )


def test_numbers_may_be_names(file: Path):
    assert found(file, "0 1.5", "1 -2").utterances == ["0", "1"]


def test_utterances_in_quotes_may_hold_commas_and_blanks(file: Path):
    assert found(file, "file,score", '"a, b.wav",1.5').utterances == ["a, b.wav"]


def test_names_with_blanks_are_read_between_tabs(file: Path):
    assert found(file, "my file.wav\t1.5", "b\t-2").utterances == ["my file.wav", "b"]


def test_stated_keys_attacks_and_speakers_are_kept(file: Path):
    read = found(file, "a s1 - bonafide 1.5", "b s1 A07 spoof -2")
    assert (read.keys, read.attacks, read.speakers) == (
        ["bonafide", "spoof"],
        ["-", "A07"],
        ["s1", "s1"],
    )


def test_lines_may_leave_out_what_they_do_not_know(file: Path):
    read = found(file, "a 1.5", "b A07 spoof -2", "c spoof 3")
    assert (read.keys, read.attacks) == (["", "spoof", "spoof"], ["", "A07", ""])


@pytest.mark.parametrize(
    "encoded",
    [b"\xef\xbb\xbfa 1.5\r\nb -2\r\n", "a 1.5\r\nb -2\r\n".encode("utf-16"), b"a 1.5\rb -2"],
    ids=["BOM and CRLF", "PowerShell", "old Macintosh"],
)
def test_texts_of_other_systems_are_read(file: Path, encoded: bytes):
    file.write_bytes(encoded)
    read = parse(file)
    assert (read.utterances, read.scores.tolist(), read.lines.tolist()) == (
        ["a", "b"],
        [1.5, -2.0],
        [1, 2],
    )


def test_line_numbers_count_headers_and_empty_lines(file: Path):
    assert found(file, "", "utt,score", "a,1", "", "b,2").lines.tolist() == [3, 5]


def test_scores_that_are_not_finite_are_kept(file: Path):
    scores = found(file, "a nan", "b inf", "c -1e999").scores.tolist()
    assert math.isnan(scores[0])
    assert scores[1:] == [math.inf, -math.inf]


FAULTS = {
    "a word": (["a 1", "b high", "c 2"], 2, "the score is 'high', not a number"),
    "decimal comma": (["a 1", "b 1,5", "c 2"], 2, "the score is '1,5', not a number"),
    "underscore": (["a 1", "b 1_0", "c 2"], 2, "the score is '1_0', not a number"),
    "cut off": (["a 1", "b 2", "c"], 3, "1 columns"),
    "too many": (["a 1", "b 1 2 3 4 5", "c 2"], 2, "6 columns"),
    "short row": (["utt,score", "a,1", "b", "c,2"], 3, "1 columns, the header names 2"),
    "long row": (["a,1", "b,1,2", "c,3"], 2, "3 columns, most lines have 2"),
}


@pytest.mark.parametrize(("lines", "number", "what"), FAULTS.values(), ids=FAULTS)
def test_a_line_that_cannot_be_read_is_set_aside_with_its_number(
    file: Path, lines: list[str], number: int, what: str
):
    read = found(file, *lines)
    (fault,) = read.faults
    assert (fault.line, fault.what) == (number, what)
    assert number not in read.lines.tolist()
    assert len(read.utterances) == 2


def test_decimal_commas_throughout_are_faults_and_no_columns(file: Path):
    read = found(file, "a 1,5", "b -2,5")
    assert [fault.hint for fault in read.faults] == ["write decimal points, not commas"] * 2


def test_of_several_columns_of_numbers_the_user_must_choose(file: Path):
    read = found(file, "utt,fake,real", "a,-1.5,1.25", "b,2,-2.5")
    assert (read.choose, read.logits) == (("fake", "real"), ("fake", "real"))
    assert np.isnan(read.scores).all()


@pytest.mark.parametrize(
    ("column", "scores"),
    [
        ("real", [1.25, -2.5]),
        ("REAL", [1.25, -2.5]),
        ("3", [1.25, -2.5]),
        ("2", [-1.5, 2.0]),
        ("real-fake", [2.75, -4.5]),
        ("3-2", [2.75, -4.5]),
    ],
)
def test_a_column_is_chosen_by_name_number_or_difference(file: Path, column: str, scores):
    read = found(file, "utt,fake,real", "a,-1.5,1.25", "b,2,-2.5", column=column)
    assert (read.choose, read.scores.tolist()) == ((), scores)


def test_a_column_is_chosen_by_its_number_where_there_is_no_header(file: Path):
    assert found(file, "a -1.5 1.25", "b 2 -2.5", column="3").scores.tolist() == [1.25, -2.5]


def test_a_column_whose_name_has_a_minus_is_chosen(file: Path):
    lines = ("filename\tcm-score\tsasv-score", "a\t1\t2")
    assert found(file, *lines, column="sasv-score").scores.tolist() == [2.0]


def test_a_header_that_nobody_knows_is_one_by_the_chosen_column(file: Path):
    read = found(file, "what,how", "a,1.5", column="how")
    assert (read.utterances, read.scores.tolist()) == (["a"], [1.5])


@pytest.mark.parametrize("column", ["realness", "4", "0", "real-", "-"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(file: Path, column: str):
    with pytest.raises(InvalidScores, match="has no column") as raised:
        found(file, "utt,fake,real", "a,-1.5,1.25", column=column)
    assert "fake, real" in raised.value.hint


def test_one_output_of_a_list_may_be_chosen(file: Path):
    lines = ("ID,Score,Label", 'a,"[-3.75, 3.5]",1')
    assert found(file, *lines, column="Score[1]").scores.tolist() == [3.5]


def test_a_list_of_another_length_is_a_fault(file: Path):
    read = found(file, "ID,Score,Label", 'a,"[1, 2]",1', 'b,"[1, 2]",1', 'c,"[1]",1')
    assert [fault.line for fault in read.faults] == [4]


def test_a_table_without_numbers_is_refused(file: Path):
    with pytest.raises(InvalidScores, match="has no column of numbers among: file, codec"):
        found(file, "file,codec", "a,opus")


def npz(tmp_path: Path, **arrays: np.ndarray) -> Path:
    np.savez(tmp_path / "scores.npz", **arrays)
    return tmp_path / "scores.npz"


UTTERANCES = np.array(["a", "b"])


@pytest.mark.parametrize("utterances", [UTTERANCES, UTTERANCES.astype("S")], ids=["text", "bytes"])
@pytest.mark.parametrize("kind", ["f4", "f8", "i8"])
def test_an_archive_of_arrays_is_read(tmp_path: Path, utterances, kind: str):
    read = parse(npz(tmp_path, names=utterances, out=np.array([1, -2], kind)))
    assert (read.utterances, read.scores.tolist()) == (["a", "b"], [1.0, -2.0])
    assert read.format == ".npz archive: utterances in 'names', scores in 'out'"


def test_an_archive_is_known_by_its_content(tmp_path: Path):
    file = npz(tmp_path, u=UTTERANCES, s=np.zeros(2)).rename(tmp_path / "scores.txt")
    assert parse(file).format.startswith(".npz archive")


def test_the_arrays_of_an_archive_are_told_by_name_and_content(tmp_path: Path):
    file = npz(
        tmp_path,
        labels=np.array([1, 0]),
        keys=np.array(["bonafide", "spoof"]),
        codecs=np.array(["x", "y"]),
        utterances=UTTERANCES,
        embeddings=np.zeros((3, 2)),
        scores=np.array([1.0, -2.0]),
        durations=np.array([1.5, 2.5]),
    )
    read = parse(file)
    assert (read.utterances, read.scores.tolist(), read.keys) == (
        ["a", "b"],
        [1.0, -2.0],
        ["bonafide", "spoof"],
    )


def test_both_outputs_in_an_archive_must_be_chosen_from(tmp_path: Path):
    file = npz(tmp_path, utt=UTTERANCES, logits=np.array([[1.0, 2.0], [3.0, -4.0]]))
    assert parse(file).choose == ("logits[0]", "logits[1]")
    assert parse(file, column="logits[1]").scores.tolist() == [2.0, -4.0]
    assert parse(file, column="logits[1]-logits[0]").scores.tolist() == [1.0, -7.0]


@pytest.mark.parametrize(
    "arrays",
    [
        {"scores": np.zeros(2)},
        {"utterances": UTTERANCES, "scores": np.zeros(3)},
        {"utterances": UTTERANCES.astype(object), "scores": np.zeros(2)},
        {"utterances": UTTERANCES[:0], "scores": np.zeros(0)},
        {},
    ],
    ids=["no names", "other length", "objects", "empty", "nothing"],
)
def test_an_archive_that_is_no_score_file_is_refused(tmp_path: Path, arrays):
    with pytest.raises(InvalidScores, match=r"scores\.npz"):
        parse(npz(tmp_path, **arrays))


def test_objects_in_an_archive_are_never_unpickled(tmp_path: Path):
    victim = tmp_path / "victim"

    class Malice:
        def __reduce__(self):
            return (victim.write_text, ("gone",))

    arrays = {"utterances": np.array([Malice(), Malice()]), "scores": np.zeros(2)}
    with pytest.raises(InvalidScores):
        parse(npz(tmp_path, **arrays))
    assert not victim.exists()


def test_a_damaged_archive_is_refused(tmp_path: Path):
    file = npz(tmp_path, u=UTTERANCES, s=np.zeros(2))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InvalidScores, match="cannot be read"):
        parse(file)


def test_the_scores_of_the_largest_track_are_read_in_seconds(file: Path):
    values = np.random.default_rng(1).normal(size=611_829).tolist()
    file.write_text("".join(f"DF_E_{i:07d} {value!r}\n" for i, value in enumerate(values)))
    started = time.process_time()
    read = parse(file)
    assert time.process_time() - started < 10  # 1 to 2 s on a machine that does nothing else
    assert read.scores.tolist() == values


pieces = st.one_of(
    st.sampled_from(' \t,;#"[]-\n\n'),
    st.sampled_from(
        ["\r\n", "\x0b", "\ufeff", "\u2028", "1", "2.5", "nan", "1_0", "1,5", "[1, 2]"]
    ),
    st.sampled_from(["B1", "A07", "spoof", "bonafide", "score", "utt", "label", "cm-score"]),
    st.sampled_from(["ID,Score,Label", "ID_audio,label,score_class0,score_class1"]),
)


@given(
    st.lists(pieces, max_size=30).map("".join), st.sampled_from([None, "score", "2", "2-1", "-"])
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_text_holds_it_is_read_or_refused(tmp_path: Path, text: str, column: str | None):
    (tmp_path / "any.txt").write_text(text, encoding="utf-8", newline="")
    try:
        read = parse(tmp_path / "any.txt", column=column)
    except InvalidScores:
        return
    rows = len(read.utterances)
    others = [read.keys, read.attacks, read.speakers, *read.numbers.values()]
    assert [len(cells) for cells in others if cells is not None and len(cells) != rows] == []
    assert (len(read.scores), len(read.lines), len(read.written)) == (rows, rows, rows)


@given(st.binary(max_size=60).map(lambda tail: b"PK\x03\x04" + tail))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_only_begins_like_an_archive_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "any.npz").write_bytes(content)
    with pytest.raises(InvalidScores):
        parse(tmp_path / "any.npz")
