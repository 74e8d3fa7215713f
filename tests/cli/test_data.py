from __future__ import annotations

import os
from pathlib import Path

import pytest


def settings_text() -> str:
    file = Path(os.environ["SPOOFBENCH_SETTINGS"])
    return file.read_text() if file.exists() else ""


def keys_of_la(root: Path, *parts: str) -> Path:
    """Make a folder that looks like ASVspoof 2019 LA, but for what is in its files."""
    folder = root / "ASVspoof2019_LA_cm_protocols"
    folder.mkdir(parents=True)
    for part, suffix in (("train", "trn"), ("dev", "trl"), ("eval", "trl")):
        if part in parts:
            (folder / f"ASVspoof2019.LA.cm.{part}.{suffix}.txt").touch()
    return root


def test_the_list_says_how_one_comes_by_each_corpus(spoofbench_cli):
    out = spoofbench_cli("data", "list").out
    assert "asvspoof2019-pa" in out
    assert "ODC-By" in out
    assert "10.7488/ds/2555" in "".join(out.split())


def test_the_list_says_where_a_corpus_lies_and_who_said_so(spoofbench_cli, tmp_path: Path):
    (tmp_path / "toy").mkdir()
    out = spoofbench_cli("data", "list", env={"SPOOFBENCH_DATA": str(tmp_path)}).out
    assert "(SPOOFBENCH_DATA)" in "".join(out.split())


def test_a_folder_that_was_set_is_in_the_settings(spoofbench_cli, tmp_path: Path):
    root = keys_of_la(tmp_path / "LA", "train", "dev", "eval")
    outcome = spoofbench_cli("data", "set", "asvspoof2019-la", root)
    assert (outcome.code, str(root) in settings_text()) == (0, True)


@pytest.mark.parametrize("corpus", ["asvspoof2019-la", "asvspoof2019-pa"])
@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_folder_without_the_corpus_is_not_set(
    spoofbench_cli, tmp_path: Path, corpus: str, folder: str
):
    (tmp_path / "empty").mkdir()
    outcome = spoofbench_cli("data", "set", corpus, tmp_path / folder)
    assert (outcome.code, settings_text()) == (2, "")


def test_la_set_as_pa_is_recognised(spoofbench_cli, tmp_path: Path):
    root = keys_of_la(tmp_path / "LA", "train", "dev", "eval")
    outcome = spoofbench_cli("data", "set", "asvspoof2019-pa", root)
    assert (outcome.code, "looks like asvspoof2019-la" in outcome.err) == (2, True)


def test_an_unknown_corpus_gets_the_nearest_name(spoofbench_cli, tmp_path: Path):
    outcome = spoofbench_cli("data", "set", "asvspoof2019la", tmp_path)
    assert (outcome.code, "did you mean 'asvspoof2019-la'?" in outcome.err) == (2, True)


def test_a_whole_corpus_passes_its_check(spoofbench_cli, tiny: Path):
    outcome = spoofbench_cli("data", "check", tiny / "tiny-eval.toml", "--data", tiny)
    assert outcome.code == 0
    assert "4 bona fide + 6 spoof trials" in outcome.out
    assert "every recording is there" in outcome.out


def test_what_is_missing_is_said_with_counts_and_names(spoofbench_cli, tiny: Path, tmp_path: Path):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "eval.txt").write_text((tiny / "keys" / "eval.txt").read_text())
    outcome = spoofbench_cli("data", "check", tiny / "tiny-eval.toml", "--data", tmp_path)
    assert outcome.code == 2
    assert "10 of 10 recordings are missing" in outcome.out
    assert "eval/E000.flac, eval/E001.flac, eval/E002.flac and 7 more" in outcome.out


@pytest.mark.parametrize("name", ["asvspoof2019-la", "la-eval"])
def test_a_corpus_that_is_nowhere_does_not_pass(spoofbench_cli, name: str):
    outcome = spoofbench_cli("data", "check", name)
    assert outcome.code == 2
    assert "https://doi.org/10.7488/ds/2555" in outcome.out


@pytest.mark.parametrize("name", ["asvspoof2019-pa", "pa-dev"])
def test_a_check_of_the_wrong_corpus_says_what_it_is(spoofbench_cli, tmp_path: Path, name: str):
    root = keys_of_la(tmp_path / "LA", "dev", "eval")
    outcome = spoofbench_cli("data", "check", name, "--data", root)
    assert (outcome.code, "looks like asvspoof2019-la" in outcome.out) == (2, True)


def test_a_corpus_that_is_not_generated_is_not_built(spoofbench_cli, tmp_path: Path):
    outcome = spoofbench_cli("data", "build", "asvspoof2019-la", tmp_path / "la")
    assert (outcome.code, "is not generated" in outcome.err) == (2, True)


def test_a_folder_in_use_is_not_built_over(spoofbench_cli, tmp_path: Path):
    (tmp_path / "toy").mkdir()
    outcome = spoofbench_cli("data", "build", "toy", tmp_path / "toy")
    assert (outcome.code, "exists already" in outcome.err) == (2, True)


@pytest.mark.reference
def test_the_reference_corpus_lacks_all_recordings_but_one(spoofbench_cli, reference: Path):
    outcome = spoofbench_cli("data", "check", "la-eval", "--data", reference / "asvspoof2019-la")
    assert outcome.code == 2
    assert "7,355 bona fide + 63,882 spoof trials" in outcome.out
    assert "ASV scores are there" in outcome.out
    assert "71,236 of 71,237 recordings are missing" in outcome.out
