"""Reading TOML that people write: strictly, with errors that name file, line and nearest key."""

from __future__ import annotations

import difflib
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from spoofbench.errors import SpoofbenchError

M = TypeVar("M", bound=BaseModel)


def parse(text: str, *, where: str, error: type[SpoofbenchError]) -> dict[str, Any]:
    """Parse TOML ``text``; raise ``error``, naming ``where`` and the line, if it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise error(f"{where}: {problem}", hint="see https://toml.io for the format") from problem


def validate(
    model: type[M], table: Mapping[str, Any], *, text: str, where: str, error: type[SpoofbenchError]
) -> M:
    """Turn ``table``, parsed from ``text``, into ``model``; raise ``error`` for the first fault."""
    try:
        return model.model_validate(table)
    except ValidationError as problem:
        # An unknown key goes first: where it was meant to be another one, that one is missing too.
        fault = min(problem.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        line = _line_of(text, fault["loc"])
        place = f"{where}, line {line}" if line else where
        message, hint = _explain(model, table, fault)
        raise error(f"{place}: {message}", hint=hint) from problem


def _explain(
    model: type[BaseModel], table: Mapping[str, Any], fault: ErrorDetails
) -> tuple[str, str]:
    path = [str(part) for part in fault["loc"]]
    name = ".".join(path)
    if fault["type"] == "extra_forbidden":
        known = _fields(model, path[:-1])
        here: Any = table
        for part in fault["loc"][:-1]:
            here = here[part]
        meant = [key for key in known if key not in here]  # one that is there was spelt rightly
        close = difflib.get_close_matches(path[-1], meant, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known here: {', '.join(known)}"
        return f"unknown key '{name}'", hint if known else ""
    if fault["type"] == "missing":
        return f"'{name}' is missing", ""
    message = fault["msg"].removeprefix("Value error, ")
    if not name:
        return message, ""
    said = "" if isinstance(fault["input"], Mapping) else f" is {fault['input']!r}"
    return f"'{name}'{said}: {message}", ""


def _fields(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    for part in path:
        hint = model.model_fields[part].annotation if part in model.model_fields else None
        options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        nested = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
        if not nested:
            return []
        model = nested[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Return the line on which ``path`` is set, or the table that lacks it begins."""
    *tables, key = [str(part) for part in path if isinstance(part, str)] or [""]
    table, header_line = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            table = stripped.partition("]")[0].lstrip("[").strip()
            if table in (".".join(tables), ".".join([*tables, key])):
                header_line = number
        if stripped.partition("=")[0].strip() == key and table == ".".join(tables):
            return number
    return header_line
