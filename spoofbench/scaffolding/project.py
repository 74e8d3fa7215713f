"""Writes a new plugin's project: whole, or not at all."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from string import Template

from spoofbench import __version__
from spoofbench.errors import InvalidSettings, StorageError
from spoofbench.files import storage_errors
from spoofbench.scaffolding.kinds import KINDS, Kind

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "$name"
version = "0.1.0"
description = "For spoofbench: a plugin of kind $kind."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["spoofbench>=$version"]

[project.optional-dependencies]
test = ["pytest>=8"]

[project.entry-points.spoofbench]
$name = "$package.plugin"

[tool.setuptools]
packages = ["$package"]
"""

_TEST = '''"""The contract of spoofbench, clause by clause."""

from spoofbench.testing import parametrize_contract


@parametrize_contract("$kind", "$name")
def test_contract(clause):
    """Each clause holds, or does not apply."""
    clause.check()
$extra_test'''

_README = """\
# $name

A $kind plugin for [spoofbench](https://pypi.org/project/spoofbench/).

```sh
pip install -e '.[test]'
spoofbench plugins check $name             # the contract, clause by clause
pytest                                     # the same, as tests
$first_use
```

`$package/plugin.py` says what is offered, `$package/$module.py` is the code.
"""

_CI = """\
name: tests
on: [push, pull_request]
jobs:
  tests:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - run: pip install -e '.[test]'
      - run: spoofbench plugins check $name
      - run: pytest
"""

_IGNORE = "__pycache__/\n*.egg-info/\nbuild/\nruns/\n.venv/\n"


def write_project(name: str, kind: str, folder: Path) -> list[str]:
    """Write the project ``name`` of a plugin of ``kind`` into the new folder ``folder``.

    Returns the files, sorted. Raises `InvalidSettings` for a name that cannot be one, for an
    unknown kind, and if the folder is there already.
    """
    if not _NAME.fullmatch(name):
        raise InvalidSettings(
            f"'{name}' cannot be the name of a plugin",
            hint="small letters and digits with hyphens between, such as my-detector",
        )
    if kind not in KINDS:
        raise InvalidSettings(f"--kind {kind}", hint=f"kinds: {', '.join(KINDS)}")
    if folder.exists():
        raise InvalidSettings(f"{folder} exists already", hint="choose another name, or --folder")
    files = _files(name, KINDS[kind])
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            for path, text in files.items():
                (beside / path).parent.mkdir(parents=True, exist_ok=True)
                (beside / path).write_text(text, encoding="utf-8")
            beside.chmod(0o755)
            beside.rename(folder)
        except OSError as error:
            raise StorageError(f"{folder} cannot be written: {error.strerror}") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return sorted(files)


def _files(name: str, kind: Kind) -> dict[str, str]:
    package = name.replace("-", "_")
    known = {
        "name": name,
        "package": package,
        "class": "".join(word.capitalize() for word in name.split("-")),
        "kind": kind.name,
        "module": kind.module,
        "version": __version__,
    }

    def filled(text: str, **more: str) -> str:
        return Template(text).substitute(known | more)

    return {
        "pyproject.toml": filled(_PYPROJECT),
        "README.md": filled(_README, first_use=filled("\n".join(kind.first_use))),
        ".gitignore": _IGNORE,
        ".github/workflows/tests.yml": filled(_CI),
        f"{package}/__init__.py": f'"""A {kind.name} for spoofbench."""\n',
        f"{package}/plugin.py": filled(kind.declaration),
        f"{package}/{kind.module}.py": filled(kind.code),
        "tests/test_contract.py": filled(_TEST, extra_test=filled(kind.extra_test)),
    }
