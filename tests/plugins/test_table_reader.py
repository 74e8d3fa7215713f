from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from spoofbench.errors import CorpusNotFound, InvalidKeys
from spoofbench.protocols import Data
from spoofbench.trials import Trial
from spoofbench_readers.table import read_trials

LINES = ["s1 U1 - - bonafide", "s2 U2 - A07 spoof"]


def data(
    columns: str = "speaker utterance - attack key",
    audio: str = "flac/{utterance}.flac",
    delimiter: str = "blank",
) -> Data:
    return Data(
        reader="table",
        corpus="c",
        keys="keys.txt",
        columns=tuple(columns.split()),
        audio=audio,
        delimiter=delimiter,
    )


def trials(root: Path, lines: Sequence[str], how: Data | None = None) -> Sequence[Trial]:
    (root / "keys.txt").write_text("".join(f"{line}\n" for line in lines))
    return read_trials(how or data(), root)


def fault(root: Path, lines: Sequence[str], how: Data | None = None) -> InvalidKeys:
    with pytest.raises(InvalidKeys) as raised:
        trials(root, lines, how)
    return raised.value


def test_a_line_is_a_trial(tmp_path: Path):
    assert trials(tmp_path, LINES)[1] == Trial(
        utterance="U2", speaker="s2", attack="A07", bonafide=False, audio="flac/U2.flac"
    )


def test_a_bona_fide_trial_has_no_attack(tmp_path: Path):
    (first, _) = trials(tmp_path, LINES)
    assert (first.bonafide, first.attack) == (True, "-")


@pytest.mark.parametrize("between", [" ", "\t", "   ", " \t "])
def test_columns_stand_between_blanks_or_tabs(tmp_path: Path, between: str):
    lines = [line.replace(" ", between) for line in LINES]
    assert trials(tmp_path, lines) == trials(tmp_path, LINES)


def test_empty_lines_are_passed_over(tmp_path: Path):
    assert len(trials(tmp_path, ["", LINES[0], "   ", LINES[1], ""])) == 2


def test_windows_line_ends_make_no_difference(tmp_path: Path):
    (tmp_path / "keys.txt").write_bytes("\r\n".join(LINES).encode())
    assert [trial.utterance for trial in read_trials(data(), tmp_path)] == ["U1", "U2"]


def test_the_order_of_the_file_is_kept(tmp_path: Path):
    assert [t.utterance for t in trials(tmp_path, LINES[::-1])] == ["U2", "U1"]


@pytest.mark.parametrize("line", ["s3 U3 - spoof", "s3 U3 - A07 spoof more", "U3"])
def test_a_line_with_another_number_of_columns_is_named(tmp_path: Path, line: str):
    error = fault(tmp_path, [*LINES, line])
    said = f"keys.txt, line 3: {len(line.split())} columns where there should be 5"
    assert said in str(error)


@pytest.mark.parametrize("key", ["falsch", "1", "bona", "spoof,"])
def test_a_key_that_nobody_uses_is_named(tmp_path: Path, key: str):
    error = fault(tmp_path, [*LINES, f"s3 U3 - - {key}"])
    assert f"keys.txt, line 3: the key is '{key}'" in str(error)
    assert error.hint.startswith("known keys: bonafide, ")


@pytest.mark.parametrize("key", ["bonafide", "bona-fide", "Bona_Fide", "GENUINE", "human", "real"])
def test_bona_fide_is_spelt_in_many_ways(tmp_path: Path, key: str):
    (trial,) = trials(tmp_path, [f"s1 U1 - - {key}"])
    assert trial.bonafide


@pytest.mark.parametrize("key", ["spoof", "Spoof", "spoofed", "FAKE"])
def test_spoof_is_spelt_in_many_ways(tmp_path: Path, key: str):
    (trial,) = trials(tmp_path, [f"s1 U1 - A07 {key}"])
    assert not trial.bonafide


@pytest.mark.parametrize("attack", ["-", "bonafide", "Bona-fide"])
def test_the_attack_of_a_bona_fide_trial_is_a_dash_however_it_is_spelt(tmp_path: Path, attack: str):
    (trial,) = trials(tmp_path, [f"s1 U1 - {attack} bonafide"])
    assert trial.attack == "-"


@pytest.mark.parametrize("heading", ["key", "Label", "CLASS", "cm-label"])
def test_a_header_is_passed_over(tmp_path: Path, heading: str):
    header = f"speaker file x attack {heading}"
    assert trials(tmp_path, [header, *LINES]) == trials(tmp_path, LINES)


def test_a_header_on_another_line_than_the_first_is_a_fault(tmp_path: Path):
    error = fault(tmp_path, [LINES[0], "speaker file x attack key"])
    assert "line 2: the key is 'key'" in str(error)


def test_a_first_line_that_is_no_header_is_a_fault(tmp_path: Path):
    assert "line 1: the key is 'is'" in str(fault(tmp_path, ["what sort of thing is", *LINES]))


@pytest.mark.parametrize("delimiter", [("tab", "\t"), (",", ","), (";", ";")])
def test_cells_between_marks_may_hold_blanks(tmp_path: Path, delimiter: tuple[str, str]):
    name, mark = delimiter
    how = data("speaker utterance key", delimiter=name)
    (trial,) = trials(tmp_path, [mark.join(["Alec Guinness", "U 1", "spoof"])], how)
    assert (trial.speaker, trial.utterance) == ("Alec Guinness", "U 1")


def test_quotation_marks_keep_a_comma_in_a_cell(tmp_path: Path):
    how = data("speaker utterance key", delimiter=",")
    (trial,) = trials(tmp_path, ['"Guinness, Alec",U1,spoof'], how)
    assert trial.speaker == "Guinness, Alec"


def test_a_quotation_mark_that_is_never_closed_is_a_fault(tmp_path: Path):
    how = data("speaker utterance key", delimiter=",")
    assert "keys.txt, line 2: " in str(fault(tmp_path, ["a,U1,spoof", '"b,U2,spoof'], how))


def test_a_line_break_in_a_cell_is_a_fault(tmp_path: Path):
    how = data("speaker utterance key", delimiter=",")
    assert "a line break" in str(fault(tmp_path, ['"a', 'b",U2,spoof'], how))


def test_a_cell_may_be_empty(tmp_path: Path):
    how = data("speaker utterance attack key", delimiter=",")
    (trial,) = trials(tmp_path, [",U1,,bonafide"], how)
    assert (trial.speaker, trial.attack) == ("", "-")


def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path):
    (tmp_path / "keys.txt").write_bytes(b"\xef\xbb\xbf" + LINES[0].encode())
    assert read_trials(data(), tmp_path)[0].speaker == "s1"


def test_a_file_with_a_path_in_each_line_names_trials_without_their_ending(tmp_path: Path):
    how = data("path key", "{path}", ",")
    found = trials(tmp_path, ["a/1.wav,spoof", "a/2.wav,bonafide"], how)
    assert [(t.utterance, t.audio) for t in found] == [("a/1", "a/1.wav"), ("a/2", "a/2.wav")]


def test_names_that_differ_only_in_their_ending_keep_it(tmp_path: Path):
    how = data("path key", "{path}", ",")
    found = trials(tmp_path, ["1.wav,spoof", "1.flac,bonafide", "2.wav,spoof"], how)
    assert [t.utterance for t in found] == ["1.wav", "1.flac", "2"]


@pytest.mark.parametrize("path", ["/etc/1.wav", "../1.wav", "a/../../1.wav", "a\\1.wav", "", "."])
def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path: Path, path: str):
    how = data("path key", "{path}", ",")
    error = fault(tmp_path, ["1.wav,spoof", f"{path},spoof"], how)
    assert f"keys.txt, line 2: '{path}' is not a path below" in str(error)


def test_a_slash_in_a_column_that_names_nothing_does_no_harm_beside_a_path(tmp_path: Path):
    how = data("path note key", "{path}", ",")
    (trial,) = trials(tmp_path, ["1.wav,n/a,spoof"], how)
    assert trial.columns == {"note": "n/a"}


def test_braces_and_formats_in_the_audio_are_those_of_the_protocol(tmp_path: Path):
    how = data("utterance key", "{{x}}/{utterance:>4}.wav")
    assert trials(tmp_path, ["U1 spoof"], how)[0].audio == "{x}/  U1.wav"


@pytest.mark.parametrize(
    "line", ["s3 U3 - A07 bonafide", "s3 U3 - - spoof", "s3 U3 - bonafide spoof"]
)
def test_an_attack_that_contradicts_its_key_is_named(tmp_path: Path, line: str):
    assert "line 3: the key is " in str(fault(tmp_path, [*LINES, line]))


@pytest.mark.parametrize("name", ["../U3", "/etc/passwd", "..\\U3", "a/b"])
def test_a_slash_in_a_name_is_refused(tmp_path: Path, name: str):
    assert "line 3: a slash in a name" in str(fault(tmp_path, [*LINES, f"s3 {name} - A07 spoof"]))


def test_a_duplicate_is_left_to_the_harness_which_sees_all_readers(tmp_path: Path):
    assert len(trials(tmp_path, [LINES[0], LINES[0]])) == 2


def test_other_columns_are_kept_for_breakdowns_and_paths(tmp_path: Path):
    how = data("utterance codec key", "{codec}/{utterance}.flac")
    (trial,) = trials(tmp_path, ["U1 opus bonafide"], how)
    assert (trial.columns, trial.audio) == ({"codec": "opus"}, "opus/U1.flac")


def test_without_a_column_of_attacks_all_spoofs_are_of_one(tmp_path: Path):
    (trial,) = trials(tmp_path, ["U1 spoof"], data("utterance key"))
    assert trial.attack == "spoof"


def test_without_a_column_of_speakers_nobody_is_named(tmp_path: Path):
    (trial,) = trials(tmp_path, ["U1 spoof"], data("utterance key"))
    assert trial.speaker == ""


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CorpusNotFound, match=r"keys\.txt cannot be read"):
        read_trials(data(), tmp_path)


def test_a_key_file_that_is_no_text_is_named(tmp_path: Path):
    (tmp_path / "keys.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusNotFound, match=r"keys\.txt cannot be read"):
        read_trials(data(), tmp_path)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("part", "suffix", "bonafide", "spoof"),
    [
        ("train", "trn", 2_580, 22_800),
        ("dev", "trl", 2_548, 22_296),
        ("eval", "trl", 7_355, 63_882),
    ],
)
def test_the_published_key_files_have_the_published_counts(
    reference: Path, part: str, suffix: str, bonafide: int, spoof: int
):
    keys = f"ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.{part}.{suffix}.txt"
    how = data().model_copy(update={"keys": keys})
    keyed = [trial.bonafide for trial in read_trials(how, reference / "asvspoof2019-la")]
    assert (keyed.count(True), keyed.count(False)) == (bonafide, spoof)
