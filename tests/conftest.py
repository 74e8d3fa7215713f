"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of published weights, keys, scores and recordings."""
    folder = os.environ.get("SPOOFBENCH_REFERENCE")
    if not folder:
        pytest.skip("SPOOFBENCH_REFERENCE does not point to the reference data")
    return Path(folder).resolve(strict=True)
