from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import write_keys

from spoofbench import fingerprint
from spoofbench.plugins import catalogue
from spoofbench.protocols import Protocol, read
from spoofbench.terms import terms_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_keys(tmp_path / "corpus", asv=True)
    return tmp_path / "corpus"


def fingerprint_of(root: Path) -> str:
    return terms_of(read(root / "keyed.toml"), catalogue(), root).fingerprint


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_fingerprint_is_64_hexadecimal_digits(root: Path):
    assert len(bytes.fromhex(fingerprint_of(root))) == 32


def test_the_same_corpus_has_the_same_fingerprint(root: Path):
    assert fingerprint_of(root) == fingerprint_of(root)


def test_the_place_of_the_corpus_does_not_change_the_fingerprint(root: Path, tmp_path: Path):
    shutil.copytree(root, tmp_path / "elsewhere")
    assert fingerprint_of(tmp_path / "elsewhere") == fingerprint_of(root)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title = "Keyed"', 'title = "Another"'),
        ('role = "eval"', 'role = "dev"'),
        ('scores = "asv.txt"', 'scores = "./asv.txt"'),
        ("[tandem]", "[tandem.expect]\ntarget = 3\nnontarget = 3\nspoof = 4\n[tandem]"),
        ("[expect]\nbonafide = 4\nspoof = 8", ""),
    ],
    ids=["title", "role", "path", "expected ASV counts", "no expected counts"],
)
def test_what_changes_no_number_does_not_change_the_fingerprint(root: Path, old: str, new: str):
    before = fingerprint_of(root)
    edit(root / "keyed.toml", old, new)
    assert fingerprint_of(root) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("keys.txt", "B0 ", "C0 "),
        ("keys.txt", "X01-0 X01 ", "X01-0 X02 "),
        ("asv.txt", "target 2", "target 2.5"),
        ("keyed.toml", '"eer", ', ""),
        ("keyed.toml", 'by = ["attack"]', "by = []"),
        ("keyed.toml", "[tandem]", "[tandem]\nc_fa = 5.0"),
        ("keyed.toml", "[tandem]", "[tandem]\np_spoof = 0.04\np_target = 0.9505"),
        ("keyed.toml", "[expect]", "sample_rate = 8000\n[expect]"),
    ],
    ids=["trial", "attack", "ASV score", "metrics", "groups", "cost", "prior", "sample rate"],
)
def test_what_changes_a_number_changes_the_fingerprint(root: Path, file: str, old: str, new: str):
    before = fingerprint_of(root)
    if "sample_rate" in new:
        old, new = '"{utterance}.flac"', '"{utterance}.flac"\nsample_rate = 8000'
    edit(root / file, old, new)
    assert fingerprint_of(root) != before


def test_the_keys_change_the_fingerprint(root: Path):
    before = fingerprint_of(root)
    edit(root / "keys.txt", "B0 - bonafide", "B0 X01 spoof")
    edit(root / "keys.txt", "X01-0 X01 spoof", "X01-0 - bonafide")
    assert fingerprint_of(root) != before


@pytest.fixture
def of(root: Path) -> Callable[..., str]:
    """The fingerprint of the corpus, with one of its terms changed."""
    protocol = read(root / "keyed.toml")
    terms = terms_of(protocol, catalogue(), root)

    def of(**changes: object) -> str:
        parts = {"protocol": protocol, "trials": terms.trials, "metrics": terms.metrics}
        return fingerprint.of(**{**parts, **changes}, root=root)

    return of


def test_a_new_version_of_a_metric_changes_the_fingerprint(of: Callable[..., str]):
    specs = [catalogue().metrics.get("eer").spec]
    newer = [dataclasses.replace(specs[0], version=specs[0].version + 1)]
    assert of(metrics=newer) != of(metrics=specs)


def test_another_title_of_a_metric_does_not_change_the_fingerprint(of: Callable[..., str]):
    specs = [catalogue().metrics.get("eer").spec]
    assert of(metrics=[dataclasses.replace(specs[0], title="Equal")]) == of(metrics=specs)


def test_a_further_column_of_the_keys_changes_the_fingerprint(root: Path, of: Callable[..., str]):
    trials = terms_of(read(root / "keyed.toml"), catalogue(), root).trials
    coded = [dataclasses.replace(trial, columns={"codec": "alaw"}) for trial in trials]
    assert of(trials=coded) != of(trials=trials)


def test_fewer_trials_change_the_fingerprint(root: Path):
    protocol: Protocol = read(root / "keyed.toml")
    few = terms_of(protocol, catalogue(), root, limit_to=6)
    assert few.fingerprint != terms_of(protocol, catalogue(), root).fingerprint


def test_the_sum_of_a_file_is_its_sha256(tmp_path: Path):
    (tmp_path / "abc").write_bytes(b"abc")
    # the example of FIPS 180-2, appendix B.1
    assert fingerprint.sha256(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert hashlib.sha256(b"abc").hexdigest() == fingerprint.sha256(tmp_path / "abc")
