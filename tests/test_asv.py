from __future__ import annotations

from pathlib import Path

import pytest
from tiny import ASV, write_keys

from spoofbench import asv
from spoofbench.corpora import read_trials
from spoofbench.errors import InvalidKeys
from spoofbench.metrics.judged import AsvScores
from spoofbench.plugins import catalogue
from spoofbench.protocols import ExpectAsv, Tandem, load, read

COLUMNS = ("speaker", "utterance", "codec", "attack", "key", "subset")
KEYS = """\
s1-a U1-a alaw bonafide target eval
s2-a U1-a alaw bonafide nontarget eval
s1-a U2-a alaw A07 spoof eval
s1-g U1-g gsm bonafide target eval
s2-g U1-g gsm bonafide nontarget eval
s1-g U3-g gsm A08 spoof eval
s9-g U9-g gsm bonafide target progress
"""
SCORES = """\
s1-a U1-a 1
s2-a U1-a 2
s1-a U2-a 3
s1-g U1-g 4
s2-g U1-g 5
s1-g U3-g 6
s9-g U9-g 7
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "asv.txt"
    file.write_text(ASV)
    return file


def read_file(file: Path, expect: ExpectAsv | None = None) -> AsvScores:
    return asv.read(file.parent, Tandem(scores=file.name, expect=expect))


def read_keyed(
    root: Path, *, keys: str = KEYS, scores: str = SCORES, columns: tuple[str, ...] = COLUMNS, **how
) -> AsvScores:
    (root / "keys.txt").write_text(keys)
    (root / "scores.txt").write_text(scores)
    return asv.read(root, Tandem(scores="scores.txt", keys="keys.txt", columns=columns, **how))


def fault_of(root: Path, **how: str) -> str:
    with pytest.raises(InvalidKeys) as raised:
        read_keyed(root, **how)
    return str(raised.value)


def by_pair(text: str) -> str:
    """Return the lines in another order."""
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:2], *lines[:1:-1]])


def test_scores_are_read_by_key(file: Path):
    scores = read_file(file)
    assert (scores.target.tolist(), scores.nontarget.tolist()) == ([2, 3, 4], [-4, -3, -2])


def test_scores_of_spoofs_are_read_with_their_attacks(file: Path):
    scores = read_file(file)
    pairs = list(zip(scores.attack.tolist(), scores.spoof.tolist(), strict=True))
    assert pairs == [("X01", 3), ("X01", -3), ("X02", 3), ("X02", 3)]


@pytest.mark.parametrize(
    "line",
    ["X01 spoof", "X01 spoof 1 2", "X01 fake 1", "X01 spoof high", "X01 spoof nan", "- target inf"],
)
def test_a_line_that_cannot_be_used_is_named(file: Path, line: str):
    file.write_text(ASV + line + "\n")
    with pytest.raises(InvalidKeys, match=r"asv\.txt, line 11: "):
        read_file(file)


def test_empty_lines_are_passed_over(file: Path):
    file.write_text(ASV + "\n\n")
    assert read_file(file).target.size == 3


@pytest.mark.parametrize("key", asv.KEYS)
def test_a_file_without_trials_of_a_kind_says_which(file: Path, key: str):
    file.write_text("\n".join(line for line in ASV.splitlines() if f" {key} " not in line))
    with pytest.raises(InvalidKeys, match=f"has no {key} trial"):
        read_file(file)


def test_the_scores_of_another_part_are_refused_with_both_counts(file: Path):
    with pytest.raises(InvalidKeys) as raised:
        read_file(file, ExpectAsv(target=3, nontarget=3, spoof=5))
    assert "3 target, 3 nontarget, 4 spoof" in str(raised.value)
    assert "3 target, 3 nontarget, 5 spoof" in str(raised.value)


def test_the_scores_that_are_expected_are_accepted(file: Path):
    assert read_file(file, ExpectAsv(target=3, nontarget=3, spoof=4)).spoof.size == 4


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InvalidKeys, match=r"none\.txt cannot be read"):
        read_file(tmp_path / "none.txt")


def test_a_protocol_without_an_asv_system_has_no_scores_of_one(tmp_path: Path):
    assert asv.of(read(write_keys(tmp_path)), tmp_path) is None


def test_the_scores_of_a_protocol_lie_below_its_corpus(tmp_path: Path):
    protocol = read(write_keys(tmp_path, asv=True))
    assert asv.of(protocol, tmp_path).target.size == 3


def test_priors_and_costs_are_those_of_the_protocol():
    tandem = Tandem(
        scores="x", p_spoof=0.1, p_target=0.8, p_nontarget=0.1, c_miss=2, c_fa=3, c_fa_spoof=4
    )
    costs = asv.costs_of(tandem)
    assert (costs.p_spoof, costs.p_target, costs.p_nontarget) == (0.1, 0.8, 0.1)
    assert (costs.c_miss, costs.c_fa, costs.c_fa_spoof) == (2, 3, 4)


def test_a_key_file_says_what_each_score_is_of(tmp_path: Path):
    scores = read_keyed(tmp_path)
    assert scores.target.tolist() == [1, 4, 7]
    assert scores.nontarget.tolist() == [2, 5]
    assert scores.attack.tolist() == ["A07", "A08"]


def test_other_columns_are_the_conditions_of_the_trials(tmp_path: Path):
    codecs = read_keyed(tmp_path).conditions["codec"]
    assert [list(values) for values in codecs] == [
        ["alaw", "gsm", "gsm"],
        ["alaw", "gsm"],
        ["alaw", "gsm"],
    ]


def test_the_utterances_of_all_kinds_are_known(tmp_path: Path):
    assert [list(part) for part in read_keyed(tmp_path).utterances] == [
        ["U1-a", "U1-g", "U9-g"],
        ["U1-a", "U1-g"],
        ["U2-a", "U3-g"],
    ]


def test_only_the_subset_that_is_meant_is_read(tmp_path: Path):
    scores = read_keyed(tmp_path, only={"subset": ("eval",)})
    assert scores.target.tolist() == [1, 4]
    assert list(scores.conditions) == ["codec"]


def test_counts_are_those_of_the_subset(tmp_path: Path):
    counts = ExpectAsv(target=2, nontarget=2, spoof=2)
    assert read_keyed(tmp_path, only={"subset": ("eval",)}, expect=counts).target.size == 2


def test_a_subset_that_is_not_there_has_no_trials(tmp_path: Path):
    with pytest.raises(InvalidKeys, match="has no target trial"):
        read_keyed(tmp_path, only={"subset": ("hidden",)})


def test_lines_in_another_order_are_joined_by_speaker_and_utterance(tmp_path: Path):
    scores = read_keyed(tmp_path, scores=by_pair(SCORES))
    assert (scores.target.tolist(), scores.spoof.tolist()) == ([1, 4, 7], [3, 6])


def test_the_speaker_is_part_of_the_trial(tmp_path: Path):
    swapped = SCORES.replace("s1-a U1-a 1\ns2-a U1-a 2", "s2-a U1-a 2\ns1-a U1-a 1")
    assert swapped != SCORES
    assert read_keyed(tmp_path, scores=swapped).target.tolist() == [1, 4, 7]


def test_without_a_column_of_speakers_the_utterance_says_which_trial_it_is(tmp_path: Path):
    scores = read_keyed(tmp_path, columns=("-", *COLUMNS[1:]))
    assert scores.target.tolist() == [1, 4, 7]


def test_a_trial_that_is_listed_twice_is_fine_while_the_lines_are_in_order(tmp_path: Path):
    twice = read_keyed(tmp_path, keys=KEYS + KEYS, scores=SCORES + SCORES)
    assert twice.target.tolist() == [1, 4, 7, 1, 4, 7]


def test_a_trial_that_is_listed_twice_cannot_be_joined_out_of_order(tmp_path: Path):
    said = fault_of(tmp_path, keys=KEYS + KEYS, scores=by_pair(SCORES + SCORES))
    assert "is listed twice, and the lines are in another order" in said


def test_a_score_file_that_was_cut_is_refused(tmp_path: Path):
    cut = "".join(SCORES.splitlines(keepends=True)[:-1])
    assert "has fewer lines than its key file" in fault_of(tmp_path, scores=cut)


def test_a_key_file_that_was_cut_is_refused(tmp_path: Path):
    cut = "".join(KEYS.splitlines(keepends=True)[:-1])
    assert "has more lines than its key file" in fault_of(tmp_path, keys=cut)


def test_a_score_of_another_trial_is_refused_with_the_line_of_the_key_file(tmp_path: Path):
    said = fault_of(tmp_path, scores=SCORES.replace("s1-g U1-g", "s1-g U7-g"))
    assert "line 4 of" in said
    assert "'s1-g U1-g', has no score" in said


def test_scores_that_are_left_over_are_refused(tmp_path: Path):
    said = fault_of(tmp_path, scores="s0 U0 8\n" + SCORES)
    assert "1 scores of trials not in" in said


@pytest.mark.parametrize("score", ["high", "nan", ""])
def test_a_score_that_is_none_is_named_by_its_line(tmp_path: Path, score: str):
    said = fault_of(tmp_path, scores=SCORES.replace("s1-g U1-g 4", f"s1-g U1-g {score}"))
    assert "scores.txt" in said
    assert "line 4" in said


def test_a_key_that_asv_does_not_know_is_named(tmp_path: Path):
    said = fault_of(tmp_path, keys=KEYS.replace("A08 spoof", "A08 fake"))
    assert "scores.txt, line 6: " in said


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path):
    (tmp_path / "scores.txt").write_text(SCORES)
    tandem = Tandem(scores="scores.txt", keys="keys.txt", columns=COLUMNS)
    with pytest.raises(InvalidKeys, match=r"keys\.txt cannot be read"):
        asv.read(tmp_path, tandem)


def check(root: Path, scores: AsvScores) -> None:
    protocol = read(write_keys(root, asv=True))
    asv.check_part(scores, read_trials(protocol, catalogue(), root), protocol)


def scores_of_attacks(*attacks: str) -> AsvScores:
    spoof = [0.0] * len(attacks)
    return AsvScores(target=[1.0], nontarget=[-1.0], spoof=spoof, attack=list(attacks))


@pytest.mark.parametrize("attacks", [["X01", "X02"], ["X02"], ["X01", "X02", "X03"]])
def test_attacks_that_one_side_alone_knows_are_no_fault(tmp_path: Path, attacks: list[str]):
    check(tmp_path, scores_of_attacks(*attacks))


@pytest.mark.parametrize("attacks", [["A01"], ["A02", "X01"]])
def test_the_attacks_of_another_part_are_refused(tmp_path: Path, attacks: list[str]):
    with pytest.raises(InvalidKeys) as raised:
        check(tmp_path, scores_of_attacks(*attacks))
    assert f"asv.txt: the spoofs say in the column attack: {', '.join(attacks)}; " in str(
        raised.value
    )
    assert str(raised.value).endswith("those of keyed say: X01, X02")
    assert raised.value.hint == "these are the ASV scores of another part of the corpus"


def test_many_attacks_are_named_by_the_first_and_the_last(tmp_path: Path):
    with pytest.raises(InvalidKeys, match=r"A01, A02, \.\.\., A06; "):
        check(tmp_path, scores_of_attacks(*(f"A0{number}" for number in range(1, 7))))


def test_conditions_of_another_part_are_refused(tmp_path: Path):
    scores = read_keyed(tmp_path, keys=KEYS.replace("A07", "X01").replace("A08", "X02"))
    protocol = read(write_keys(tmp_path, asv=True))
    columns = ("utterance", "attack", "codec", "key")
    protocol = protocol.model_copy(
        update={"expect": None, "data": protocol.data.model_copy(update={"columns": columns})}
    )
    (tmp_path / "keys.txt").write_text("B - opus bonafide\nS X01 opus spoof\nT X02 alaw spoof\n")
    with pytest.raises(InvalidKeys, match=r"in the column codec: alaw, gsm; .* say: alaw, opus"):
        asv.check_part(scores, read_trials(protocol, catalogue(), tmp_path), protocol)


def test_spoofs_whose_attack_nobody_names_are_of_any_part(tmp_path: Path):
    protocol = read(write_keys(tmp_path, asv=True))
    columns = ("utterance", "-", "key")
    data = protocol.data.model_copy(update={"columns": columns})
    protocol = protocol.model_copy(update={"data": data})
    trials = read_trials(protocol, catalogue(), tmp_path)
    asv.check_part(scores_of_attacks("A01"), trials, protocol)


@pytest.mark.reference
def test_the_published_scores_of_the_development_set_are_not_those_of_the_evaluation_set(
    reference: Path,
):
    root, known = reference / "asvspoof2019-la", catalogue()
    part, other = load("la-eval", known), load("la-dev", known)
    trials = read_trials(part, known, root)
    asv.check_part(asv.of(part, root), trials, part)
    with pytest.raises(InvalidKeys, match=r"A01, A02, \.\.\., A06; .* A07, A08, \.\.\., A19"):
        asv.check_part(asv.of(other, root), trials, part)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("part", "target", "nontarget", "spoof"),
    [("eval", 5_370, 33_327, 63_882), ("dev", 1_484, 5_768, 22_296)],
)
def test_the_published_files_have_the_published_counts(
    reference: Path, part: str, target: int, nontarget: int, spoof: int
):
    folder = reference / "asvspoof2019-la" / "ASVspoof2019_LA_asv_scores"
    scores = read_file(folder / f"ASVspoof2019.LA.asv.{part}.gi.trl.scores.txt")
    assert (scores.target.size, scores.nontarget.size, scores.spoof.size) == (
        target,
        nontarget,
        spoof,
    )
