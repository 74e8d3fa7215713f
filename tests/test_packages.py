from __future__ import annotations

import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

import spoofbench

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages_on_disk() -> set[str]:
    """Return every folder with an ``__init__.py``, by the name that it is imported by."""
    found = {"spoofbench_protocols"} if (ROOT / "protocols" / "__init__.py").is_file() else set()
    for source in (ROOT / "spoofbench", *sorted((ROOT / "plugins").glob("spoofbench_*"))):
        for file in source.rglob("__init__.py"):
            found.add(".".join(file.parent.relative_to(source.parent).parts))
    return found


def test_every_package_is_shipped(pyproject: dict[str, Any]):
    assert set(pyproject["tool"]["setuptools"]["packages"]) == packages_on_disk()


def test_the_list_of_packages_is_sorted_and_without_duplicates(pyproject: dict[str, Any]):
    packages = pyproject["tool"]["setuptools"]["packages"]
    assert packages == sorted(set(packages))


def test_every_package_lies_where_it_is_said_to(pyproject: dict[str, Any]):
    folders = pyproject["tool"]["setuptools"]["package-dir"]
    assert [name for name, at in folders.items() if not (ROOT / at / "__init__.py").is_file()] == []


def test_every_plugin_is_registered_by_its_declaration(pyproject: dict[str, Any]):
    registered = set(pyproject["project"]["entry-points"]["spoofbench"].values())
    declared = {f"{f.parent.name}.plugin" for f in (ROOT / "plugins").glob("*/plugin.py")}
    assert registered == declared


def test_every_file_that_is_no_code_is_shipped(pyproject: dict[str, Any]):
    shipped = pyproject["tool"]["setuptools"]["package-data"]
    folders = pyproject["tool"]["setuptools"]["package-dir"]
    missing = [
        file.relative_to(ROOT).as_posix()
        for package, folder in folders.items()
        for file in (ROOT / folder).rglob("*")
        if file.is_file()
        and file.suffix not in (".py", ".pyc")
        and not any(file.match(pattern) for pattern in shipped.get(package, ()))
    ]
    assert missing == []


def test_the_version_is_the_same_everywhere(pyproject: dict[str, Any]):
    assert pyproject["project"]["version"] == spoofbench.__version__


def test_the_program_is_installed_under_its_name():
    commands = distribution("spoofbench").entry_points.select(group="console_scripts")
    assert [command.name for command in commands] == ["spoofbench"]
