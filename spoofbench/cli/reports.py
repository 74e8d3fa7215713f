"""Printing tables in the format that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from spoofbench.contracts import Reporter

if TYPE_CHECKING:
    from spoofbench.plugins import Catalogue
    from spoofbench.tables import ResultTable


def reporter(name: str, catalogue: Catalogue) -> Reporter:
    """Return the reporter called ``name``; ask before long work, so that a wrong name ends it."""
    found: Reporter = catalogue.reporters.get(name).spec.resolve()
    return found


def print_tables(tables: Sequence[ResultTable], write: Reporter) -> None:
    """Write ``tables`` to standard output."""
    write(tables, sys.stdout)
