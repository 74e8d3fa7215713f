from __future__ import annotations

from pathlib import Path

import pytest
from tiny import ASV, write_keys

from spoofbench import asv
from spoofbench.errors import InvalidKeys
from spoofbench.protocols import ExpectAsv, Tandem, read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "asv.txt"
    file.write_text(ASV)
    return file


def test_scores_are_read_by_key(file: Path):
    scores = asv.read(file)
    assert (scores.target.tolist(), scores.nontarget.tolist()) == ([2, 3, 4], [-4, -3, -2])


def test_scores_of_spoofs_are_read_with_their_attacks(file: Path):
    scores = asv.read(file)
    pairs = list(zip(scores.attack.tolist(), scores.spoof.tolist(), strict=True))
    assert pairs == [("X01", 3), ("X01", -3), ("X02", 3), ("X02", 3)]


@pytest.mark.parametrize(
    "line",
    ["X01 spoof", "X01 spoof 1 2", "X01 fake 1", "X01 spoof high", "X01 spoof nan", "- target inf"],
)
def test_a_line_that_cannot_be_used_is_named(file: Path, line: str):
    file.write_text(ASV + line + "\n")
    with pytest.raises(InvalidKeys, match=r"asv\.txt, line 11: "):
        asv.read(file)


def test_empty_lines_are_passed_over(file: Path):
    file.write_text(ASV + "\n\n")
    assert asv.read(file).target.size == 3


@pytest.mark.parametrize("key", asv.KEYS)
def test_a_file_without_trials_of_a_kind_says_which(file: Path, key: str):
    file.write_text("\n".join(line for line in ASV.splitlines() if f" {key} " not in line))
    with pytest.raises(InvalidKeys, match=f"has no {key} trial"):
        asv.read(file)


def test_the_scores_of_another_part_are_refused_with_both_counts(file: Path):
    with pytest.raises(InvalidKeys) as raised:
        asv.read(file, ExpectAsv(target=3, nontarget=3, spoof=5))
    assert "3 target, 3 nontarget, 4 spoof" in str(raised.value)
    assert "3 target, 3 nontarget, 5 spoof" in str(raised.value)


def test_the_scores_that_are_expected_are_accepted(file: Path):
    assert asv.read(file, ExpectAsv(target=3, nontarget=3, spoof=4)).spoof.size == 4


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InvalidKeys, match=r"none\.txt cannot be read"):
        asv.read(tmp_path / "none.txt")


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


@pytest.mark.reference
@pytest.mark.parametrize(
    ("part", "target", "nontarget", "spoof"),
    [("eval", 5_370, 33_327, 63_882), ("dev", 1_484, 5_768, 22_296)],
)
def test_the_published_files_have_the_published_counts(
    reference: Path, part: str, target: int, nontarget: int, spoof: int
):
    folder = reference / "asvspoof2019-la" / "ASVspoof2019_LA_asv_scores"
    scores = asv.read(folder / f"ASVspoof2019.LA.asv.{part}.gi.trl.scores.txt")
    assert (scores.target.size, scores.nontarget.size, scores.spoof.size) == (
        target,
        nontarget,
        spoof,
    )
