"""What may import what; read from the source, nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = sorted((ROOT / "spoofbench").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
DECLARATIONS = sorted((ROOT / "plugins").glob("*/plugin.py"))


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text(encoding="utf-8")))


def imports(file: Path) -> set[str]:
    """Return the modules that ``file`` imports anywhere, also through `importlib` by a literal."""
    found: set[str] = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in ("import_module", "__import__") and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


def packages(file: Path) -> set[str]:
    return {module.partition(".")[0] for module in imports(file)}


@pytest.mark.parametrize("file", ENGINE, ids=name)
def test_the_engine_imports_no_plugin(file: Path):
    plugins = {package for package in packages(file) if package.startswith("spoofbench_")}
    assert plugins <= {"spoofbench_protocols"}


@pytest.mark.parametrize("file", PLUGINS, ids=name)
def test_a_plugin_imports_no_other_plugin(file: Path):
    plugins = {package for package in packages(file) if package.startswith("spoofbench_")}
    assert plugins <= {file.relative_to(ROOT / "plugins").parts[0]}


def declared_with(file: Path) -> list[Path]:
    """Return a declaration and the modules of its own package that it imports."""
    own = file.parent.name
    modules = {m.split(".")[1] for m in imports(file) if m.split(".")[0] == own}
    return [file, *(file.parent / f"{module}.py" for module in sorted(modules))]


@pytest.mark.parametrize("file", DECLARATIONS, ids=name)
def test_a_declaration_imports_only_spoofbench_and_the_standard_library(file: Path):
    light = {"spoofbench"} | sys.stdlib_module_names
    first, *others = declared_with(file)
    assert packages(first) <= light | {file.parent.name}
    assert [other.name for other in others if not packages(other) <= light] == []


@pytest.mark.parametrize("file", [file for file in ENGINE if file.name != "settings.py"], ids=name)
def test_only_the_settings_read_the_environment(file: Path):
    read = {
        ast.unparse(node)
        for node in nodes(file)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv")
    }
    assert read | {m for m in imports(file) if m in ("os.environ", "os.getenv")} == set()


@pytest.mark.parametrize(
    "file", [f for f in [*ENGINE, *PLUGINS] if f.name != "torchaudio_import.py"], ids=name
)
def test_torchaudio_is_imported_in_one_place(file: Path):
    assert "torchaudio" not in packages(file)


@pytest.mark.parametrize(
    "file",
    [f for f in ENGINE if f.relative_to(ROOT / "spoofbench").parts[0] not in ("cli", "jobs")],
    ids=name,
)
def test_whole_jobs_are_for_the_commands_alone(file: Path):
    assert {module for module in imports(file) if module.startswith("spoofbench.jobs")} == set()


def test_there_is_something_to_look_at():
    assert (len(ENGINE) > 20, len(DECLARATIONS) >= 5) == (True, True)
