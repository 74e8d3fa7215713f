from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from spoofbench.errors import BrokenPlugin
from spoofbench.specs import Checkpoint, CorpusSpec, DatasetSpec, ModelSpec, ProtocolSpec


def model(**changes: object) -> ModelSpec:
    fields = {"name": "a-model", "target": "package.module:Class", "summary": "One."}
    return ModelSpec(**{**fields, **changes})


@pytest.mark.parametrize("name", ["aasist", "aasist-l", "min-tdcf-2019", "2019"])
def test_a_name_in_kebab_case_is_accepted(name: str):
    assert model(name=name).name == name


@pytest.mark.parametrize("name", ["", "AASIST", "a_b", "-a", "a-", "a--b", "a b", "a:b", "a.toml"])
def test_a_name_in_another_case_is_refused(name: str):
    with pytest.raises(ValueError, match="kebab-case"):
        model(name=name)


@pytest.mark.parametrize("target", ["", "module", "module:", ":Class", "a/b.py:Class", "m:C()"])
def test_a_target_that_is_no_attribute_of_a_module_is_refused(target: str):
    with pytest.raises(ValueError, match=r"package\.module:attribute"):
        model(target=target)


@pytest.mark.parametrize("target", ["package.module:Class", "package:a.yaml", "package:../a.toml"])
def test_a_protocol_must_point_to_a_toml_file_of_a_package(target: str):
    with pytest.raises(ValueError, match=r"package:file\.toml"):
        ProtocolSpec(name="p", target=target, summary="One.")


def test_a_recipe_must_point_to_a_toml_file_of_a_package():
    with pytest.raises(ValueError, match="recipe"):
        model(recipe="paper.toml")


def test_a_corpus_that_is_not_generated_needs_no_target():
    spec = CorpusSpec(name="c", summary="One.", licence="MIT", obtain="ask")
    assert spec.target == ""


def test_the_target_of_a_generated_corpus_is_checked():
    with pytest.raises(ValueError, match="target"):
        CorpusSpec(name="c", target="nonsense", summary="One.", licence="MIT", obtain="ask")


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64])
def test_a_checksum_is_64_lower_case_hexadecimal_digits(sha256: str):
    with pytest.raises(ValueError, match="sha256"):
        Checkpoint(name="official", url="", sha256=sha256, size=1, licence="", source="")


def test_a_spec_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        model().name = "another"


def test_making_a_spec_imports_nothing():
    model(target="no_such_package_at_all:Class")
    assert "no_such_package_at_all" not in sys.modules


def test_a_target_is_resolved_to_what_it_names():
    assert model(target="collections.abc:Mapping").resolve().__name__ == "Mapping"


@pytest.mark.parametrize("target", ["no_such_package_at_all:Class", "json:no_such_attribute"])
def test_a_target_that_is_not_there_is_named_in_the_error(target: str):
    with pytest.raises(BrokenPlugin, match=target):
        model(target=target).resolve()


@pytest.mark.parametrize("failing", ["raise OSError('libcuda is missing')", "1 / 0", "def ("])
def test_a_module_that_fails_on_import_in_any_way_is_a_broken_plugin(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "failing_on_import.py").write_text(failing)
    monkeypatch.syspath_prepend(tmp_path)
    spec = DatasetSpec(name="d", target="failing_on_import:read", summary="One.")
    with pytest.raises(BrokenPlugin, match="failing_on_import:read"):
        spec.resolve()
