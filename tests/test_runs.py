from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from spoofbench import runs
from spoofbench.errors import InvalidRun
from spoofbench.plugins import catalogue
from spoofbench.protocols import load
from spoofbench.runs import ModelRecord, RunRecord, Terms, WeightsRecord

MODEL = ModelRecord(name="m", target="p:M", plugin="p", distribution="d", version="1")
TERMS = Terms(
    model=MODEL,
    weights=WeightsRecord(source="official", sha256="0" * 64),
    fingerprint="f" * 64,
    samples=64_600,
    precision="fp32",
    device="cpu",
)


def record(protocol: str = "toy-eval", **changes: object) -> RunRecord:
    fields = {
        "label": "mine",
        "terms": TERMS,
        "protocol": load(protocol, catalogue()),
        "fingerprint": "f" * 64,
        "corpus": "/corpora/toy",
        "trials": 200,
        "arguments": ("spoofbench", "run", "m"),
        "versions": {"python": "3.12.1"},
        "finished": "2024-01-01T00:00:00+00:00",
    }
    return RunRecord(**{**fields, **changes})


@pytest.mark.parametrize("protocol", ["toy-train", "toy-eval", "la-eval", "pa-eval"])
def test_a_record_is_read_back_as_it_was_written(tmp_path: Path, protocol: str):
    runs.write(record(protocol), tmp_path)
    assert runs.read(tmp_path) == record(protocol)


def test_a_record_of_foreign_scores_has_no_terms(tmp_path: Path):
    runs.write(record(terms=None, limit=10), tmp_path)
    assert runs.read(tmp_path).terms is None


def test_a_record_is_json_with_the_spelling_of_protocol_files(tmp_path: Path):
    runs.write(record(), tmp_path)
    written = json.loads((tmp_path / "run.json").read_text())
    assert (written["schema"], written["protocol"]["schema"]) == (1, 1)


def test_the_folder_of_a_run_is_made(tmp_path: Path):
    runs.write(record(), tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "run.json").is_file()


def test_an_identity_is_12_hexadecimal_digits():
    assert len(bytes.fromhex(TERMS.identity())) == 6


@pytest.mark.parametrize(
    "change",
    [
        {"model": MODEL.model_copy(update={"version": "2"})},
        {"model": MODEL.model_copy(update={"distribution": "another"})},
        {"weights": WeightsRecord(source="official", sha256="1" * 64)},
        {"fingerprint": "e" * 64},
        {"samples": None},
        {"precision": "bf16"},
        {"device": "cuda"},
    ],
    ids=lambda change: "-".join(change),
)
def test_other_terms_are_another_run(change: dict[str, object]):
    assert TERMS.model_copy(update=change).identity() != TERMS.identity()


def test_the_same_weights_from_another_place_are_the_same_run():
    elsewhere = WeightsRecord(source="file", sha256="0" * 64)
    assert TERMS.model_copy(update={"weights": elsewhere}).identity() == TERMS.identity()


def test_the_folder_of_a_run_says_protocol_model_and_identity(tmp_path: Path):
    folder = runs.folder_for(tmp_path, load("toy", catalogue()), TERMS)
    assert folder == tmp_path / "toy-eval" / f"m-{TERMS.identity()}"


def test_a_folder_without_a_record_is_no_run(tmp_path: Path):
    with pytest.raises(InvalidRun, match=r"not a finished run: it has no run\.json"):
        runs.read(tmp_path)


def test_a_run_that_was_interrupted_says_how_to_finish_it(tmp_path: Path):
    (tmp_path / "scores.part-0.tsv").touch()
    with pytest.raises(InvalidRun) as raised:
        runs.read(tmp_path)
    assert raised.value.hint == "give the same command again to finish it"


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"schema": 2}', "\x00"])
def test_a_damaged_record_is_named(tmp_path: Path, damage: str):
    (tmp_path / "run.json").write_text(damage)
    with pytest.raises(InvalidRun, match=r"run\.json"):
        runs.read(tmp_path)


def test_a_record_with_a_key_that_nobody_knows_is_refused(tmp_path: Path):
    runs.write(record(), tmp_path)
    written = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(written | {"secret": 1}))
    with pytest.raises(InvalidRun, match="secret"):
        runs.read(tmp_path)


@pytest.mark.parametrize(
    ("files", "finished"),
    [(["run.json", "scores.tsv"], True), (["run.json"], False), (["scores.tsv"], False)],
)
def test_a_finished_run_has_record_and_scores(tmp_path: Path, files: list[str], finished: bool):
    for file in files:
        (tmp_path / file).touch()
    assert runs.is_finished(tmp_path) is finished


def test_a_run_folder_stands_for_itself(tmp_path: Path):
    (tmp_path / "run.json").touch()
    assert runs.below(tmp_path) == [tmp_path]


def test_a_folder_stands_for_the_runs_anywhere_below_it(tmp_path: Path):
    for run in ("la-eval/b", "la-eval/a", "toy/c"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "run.json").touch()
    found = [folder.relative_to(tmp_path).as_posix() for folder in runs.below(tmp_path)]
    assert found == ["la-eval/a", "la-eval/b", "toy/c"]


@pytest.mark.parametrize("folder", ["", "no-such-folder"])
def test_a_folder_with_no_run_below_it_is_an_error(tmp_path: Path, folder: str):
    with pytest.raises(InvalidRun):
        runs.below(tmp_path / folder)


def test_the_versions_are_those_that_are_installed():
    pyproject = Path(__file__).parents[1] / "pyproject.toml"
    version = tomllib.loads(pyproject.read_text())["project"]["version"]
    assert runs.versions()["spoofbench"] == version
