"""What `plugin new` writes can be installed, is found, keeps its contract, and passes its tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import strangers
from inprocess import Spoofbench

from spoofbench.scaffolding.kinds import KINDS


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return strangers.environment(tmp_path_factory.mktemp("stranger")) | {"COLUMNS": "200"}


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_is_installed_found_and_right(
    kind: str, tmp_path: Path, environment: dict[str, str]
):
    name = f"my-{kind}"
    program = "spoofbench"
    run(f"{program} plugin new {name} --kind {kind}", tmp_path, environment)
    run(f"pip install -q -e ./{name}", tmp_path, environment)
    offered = {"reporter": "format"}.get(kind, kind)
    assert f"{offered} {name}" in run(f"{program} plugins", tmp_path, environment)
    said = run(f"{program} plugins check {name}", tmp_path, environment)
    assert "FAIL" not in said
    assert ("ok  " in said) == (kind != "dataset"), "a reader needs a corpus to be judged"
    tested = run("python -m pytest -q -p no:cacheprovider", tmp_path / name, environment)
    assert "passed" in tested or "skipped" in tested


@pytest.mark.parametrize("name", ["My-Detector", "my_detector", "-x", "../up", "3d", ""])
def test_a_name_that_cannot_be_one_is_refused(
    name: str, spoofbench_cli: Spoofbench, tmp_path: Path
):
    done = spoofbench_cli("plugin", "new", "--", name)
    assert done.code == 2
    assert "cannot be the name of a plugin" in done.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(spoofbench_cli: Spoofbench, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    done = spoofbench_cli("plugin", "new", "mine")
    assert done.code == 2
    assert "exists already" in done.err
    assert list((tmp_path / "mine").iterdir()) == []


def test_an_unknown_kind_names_the_known_ones(spoofbench_cli: Spoofbench):
    done = spoofbench_cli("plugin", "new", "mine", "--kind", "teapot")
    assert done.code == 2
    assert all(kind in done.err for kind in KINDS)


def test_every_name_in_a_template_is_filled(spoofbench_cli: Spoofbench, tmp_path: Path):
    for kind in KINDS:
        assert spoofbench_cli("plugin", "new", f"a-{kind}", "--kind", kind).code == 0
    for file in (f for f in tmp_path.rglob("*") if f.is_file()):
        assert "$" not in file.read_text(), file
