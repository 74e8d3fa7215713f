"""Fixtures that every test may use."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inprocess import Spoofbench, run_here
from program import Outcome
from strangers import install
from tiny import write_corpus

from spoofbench.plugins import catalogue
from spoofbench.settings import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # processes beside one another share the cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of published weights, keys, scores and recordings."""
    folder = os.environ.get("SPOOFBENCH_REFERENCE")
    if not folder:
        pytest.skip("SPOOFBENCH_REFERENCE does not point to the reference data")
    return Path(folder).resolve(strict=True)


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Keep the user's settings out of every test, and every test out of the user's settings."""
    own = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("SPOOFBENCH_SETTINGS", str(own / "settings.toml"))
    monkeypatch.setenv("SPOOFBENCH_CACHE", str(own / "cache"))
    monkeypatch.delenv("SPOOFBENCH_DATA", raising=False)
    monkeypatch.delenv("SPOOFBENCH_BLOCK", raising=False)
    _forget()
    yield
    _forget()


def _forget() -> None:
    settings.cache_clear()
    catalogue.cache_clear()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a package be one that is not installed, for the rest of the test."""

    def hide(package: str) -> None:
        whole = builtins.__import__

        def without_it(name: str, *args: object, **said: object) -> object:
            if name.partition(".")[0] == package:
                raise ModuleNotFoundError(name)
            return whole(name, *args, **said)

        monkeypatch.setattr(builtins, "__import__", without_it)

    return hide


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny corpus with its protocol files, shared by all tests: read it, write elsewhere."""
    root = tmp_path_factory.mktemp("tiny")
    write_corpus(root)
    return root


@pytest.fixture
def spoofbench_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spoofbench:
    """Run the program in this process, which is quick, in the folder of the test.

    `program.run_program` starts a process, for what only a process of its own shows.
    """

    def run(*args: str | Path, env: dict[str, str] | None = None) -> Outcome:
        with monkeypatch.context() as patched:
            patched.chdir(tmp_path)
            for name, value in (env or {}).items():
                patched.setenv(name, value)
            _forget()
            outcome = run_here(*args)
            _forget()
        return outcome

    return run


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the plugin of tests/third_party/spoofbench-example is installed."""
    target = tmp_path_factory.mktemp("example")
    install("spoofbench-example", target, tmp_path_factory.mktemp("source"))
    return target
