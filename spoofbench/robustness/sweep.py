"""Sweeps: lists of conditions, shipped, in a file, or put together from options."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from spoofbench import tomlfile
from spoofbench.errors import InvalidCondition, SpoofbenchError, UnknownName
from spoofbench.plugins import Catalogue
from spoofbench.robustness.conditions import ApplyTo, Condition, parse

SHIPPED = ("core", "noise", "telephony")


class SweepFile(BaseModel):
    """What a sweep file says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_: Literal[1] = Field(alias="schema")
    title: str
    conditions: tuple[str, ...] = Field(strict=False, min_length=1)


def read(name: str, catalogue: Catalogue, *, apply_to: ApplyTo = "both") -> list[Condition]:
    """Return the conditions of a shipped sweep, or of the file ``path/to.toml``.

    Raises `InvalidCondition`, naming the line, for a condition that there is not, `UnknownName` for
    a sweep that is not shipped.
    """
    if name.endswith(".toml"):
        return _read(Path(name), catalogue, apply_to)
    if name not in SHIPPED:
        raise UnknownName(
            f"there is no sweep '{name}'",
            hint=f"shipped: {', '.join(SHIPPED)}; or name a file, path/to.toml",
        )
    with_resource = files("spoofbench.robustness") / "sweeps" / f"{name}.toml"
    return _parsed(with_resource.read_text(encoding="utf-8"), name, catalogue, apply_to)


def _read(file: Path, catalogue: Catalogue, apply_to: ApplyTo) -> list[Condition]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCondition(f"the sweep {file} cannot be read: {error}") from error
    return _parsed(text, str(file), catalogue, apply_to)


def _parsed(text: str, where: str, catalogue: Catalogue, apply_to: ApplyTo) -> list[Condition]:
    table = tomlfile.parse(text, where=where, error=InvalidCondition)
    sweep = tomlfile.validate(SweepFile, table, text=text, where=where, error=InvalidCondition)
    made = []
    for condition in sweep.conditions:
        try:
            made.append(parse(condition, catalogue, apply_to=apply_to))
        except SpoofbenchError as error:
            listed = max(text.find("conditions"), 0)
            line = 1 + text[: max(text.find(f'"{condition}"', listed), listed)].count("\n")
            raise InvalidCondition(f"{where}, line {line}: {error}", hint=error.hint) from error
    return made


def with_clean(conditions: Sequence[Condition]) -> list[Condition]:
    """Return ``conditions`` without repetitions, clean first: it is always in a sweep."""
    by_text = {str(condition): condition for condition in (Condition(), *conditions)}
    return list(by_text.values())
