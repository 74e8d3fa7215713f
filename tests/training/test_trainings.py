from pathlib import Path

import pytest

from spoofbench.errors import InvalidRun
from spoofbench.runs import ModelRecord
from spoofbench.training import trainings
from spoofbench.training.recipe import Recipe
from spoofbench.training.trainings import PartRecord, TrainingRecord, TrainingTerms

TERMS = TrainingTerms(
    model=ModelRecord(name="m", target="a:B", plugin="p", distribution="d", version="1"),
    train=PartRecord(protocol="x-train", fingerprint="f1"),
    dev=PartRecord(protocol="x-dev", fingerprint="f2"),
    recipe=Recipe(),
    seed=1,
    precision="fp32",
    device="cpu",
)


def record(terms: TrainingTerms = TERMS) -> TrainingRecord:
    return TrainingRecord(
        terms=terms,
        best_epoch=2,
        best_dev_eer=0.1,
        seconds=3.5,
        sha256="0" * 64,
        arguments=("spoofbench", "train", "m"),
        versions={"torch": "2"},
        finished="2026-01-01T00:00:00+00:00",
    )


def changed(**changes: object) -> TrainingTerms:
    return TERMS.model_copy(update=changes)


def test_a_record_comes_back_from_its_folder(tmp_path: Path):
    trainings.write(record(), tmp_path / "t")
    assert trainings.read(tmp_path / "t") == record()


def test_a_folder_without_a_record_is_a_training_that_is_not_finished(tmp_path: Path):
    assert trainings.read(tmp_path / "nothing") is None


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"schema": 2}', "\0"])
def test_a_damaged_record_is_refused_by_name(tmp_path: Path, content: str):
    (tmp_path / "training.json").write_text(content)
    with pytest.raises(InvalidRun, match=r"training\.json"):
        trainings.read(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        changed(seed=2),
        changed(recipe=Recipe(epochs=21)),
        changed(precision="bf16"),
        changed(micro_batch=4),
        changed(processes=2),
        changed(device="cuda"),
        changed(dev=PartRecord(protocol="x-dev", fingerprint="f3")),
        changed(model=TERMS.model.model_copy(update={"version": "2"})),
    ],
)
def test_trainings_on_other_terms_have_other_folders(tmp_path: Path, other: TrainingTerms):
    assert trainings.folder_for(tmp_path, other) != trainings.folder_for(tmp_path, TERMS)


def test_the_same_terms_have_the_same_folder(tmp_path: Path):
    again = TrainingTerms.model_validate_json(TERMS.model_dump_json())
    assert trainings.folder_for(tmp_path, again) == trainings.folder_for(tmp_path, TERMS)


def test_only_finished_trainings_of_the_model_itself_are_found(tmp_path: Path):
    one, two = TERMS, changed(seed=2)
    namesake = changed(model=TERMS.model.model_copy(update={"name": "m-large"}))
    for terms in (one, two, namesake):
        trainings.write(record(terms), trainings.folder_for(tmp_path, terms))
    trainings.folder_for(tmp_path, changed(seed=3)).mkdir()
    found = trainings.finished(tmp_path, "m", "x-train")
    assert {found_record.terms.seed for _, found_record in found} == {1, 2}
    assert [r.terms.model.name for _, r in found] == ["m", "m"]
    assert trainings.finished(tmp_path, "m", "y-train") == []


def test_what_a_training_is_but_for_its_seed_hangs_on_all_else():
    assert changed(seed=2).but_for_seed() == TERMS.but_for_seed()
    for other in (changed(precision="bf16"), changed(start="0"), changed(processes=2)):
        assert other.but_for_seed() != TERMS.but_for_seed()


def test_terms_that_cannot_be_read_matter_only_where_they_are_those_of_the_training(tmp_path: Path):
    another, own = (trainings.folder_for(tmp_path, t) for t in (changed(seed=2), TERMS))
    trainings.begin(TERMS, own)
    trainings.begin(changed(seed=2), another)
    (another / trainings.TERMS).write_text('{"of": "a later version"}')
    trainings.refuse_changed(tmp_path, TERMS)
    (own / trainings.TERMS).write_text("{")
    with pytest.raises(InvalidRun, match=str(own)):
        trainings.refuse_changed(tmp_path, TERMS)
