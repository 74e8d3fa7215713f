"""The format that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spoofbench.contracts import Reporter

if TYPE_CHECKING:
    from spoofbench.plugins import Catalogue


def reporter(name: str, catalogue: Catalogue) -> Reporter:
    """Return the reporter called ``name``; ask before long work, so that a wrong name ends it."""
    found: Reporter = catalogue.reporters.get(name).spec.resolve()
    return found
