"""Detectors that are functions: ``python:module:attribute`` or ``python:FILE.py:attribute``."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from spoofbench.adapters.calls import Function
from spoofbench.errors import BrokenPlugin, InvalidSettings, UnknownName


def function(place: str) -> Function:
    """Return the callable that ``place`` names; a class is called without arguments first.

    A module is one that is installed: nothing is imported from the current folder but a file that
    is named. Raises `UnknownName`, `BrokenPlugin`.
    """
    where, _, attribute = place.rpartition(":")
    if not where or not attribute:
        raise InvalidSettings(
            f"python:{place}", hint="python:module:attribute, or python:FILE.py:attribute"
        )
    found: Any = getattr(_module(where), attribute, None)
    if isinstance(found, type):
        found = found()
    found = getattr(found, "score", found)
    if not callable(found):
        raise UnknownName(f"python:{place}: {where} has nothing callable called {attribute}")
    return _with_as_many(found)


def _with_as_many(found: Any) -> Function:
    """Call with audio alone, or with lengths too, as the callable takes them."""
    try:
        inspect.signature(found).bind(None, None)
    except TypeError:
        return lambda audio, lengths: found(audio)  # noqa: ARG005
    except ValueError:  # built-in functions may have no signature
        return lambda audio, lengths: found(audio)  # noqa: ARG005
    return lambda audio, lengths: found(audio, lengths)


def _module(where: str) -> ModuleType:
    try:
        if not where.endswith(".py"):
            return importlib.import_module(where)
        file = Path(where)
        if not file.is_file():
            raise UnknownName(f"{file}: there is no such file")
        spec = importlib.util.spec_from_file_location(f"spoofbench_{file.stem}", file)
        if spec is None or spec.loader is None:
            raise UnknownName(f"{file} is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except UnknownName:
        raise
    except Exception as error:  # importing runs code, which may fail in any way
        raise BrokenPlugin(
            f"python:{where} cannot be imported: {type(error).__name__}: {error}",
            hint="an installed module, or a file that ends in .py",
        ) from error
    return module
