"""Running the program as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

SECONDS = 120
"""No command of a test may take longer."""
PLAIN = {"COLUMNS": "200", "NO_COLOR": "1"}
"""A terminal that is pretended: wide enough to wrap nothing, and without colours."""


class Outcome(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


def run_program(
    *args: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Outcome:
    """Run ``python -m spoofbench ARGS`` in folder ``cwd``, with ``env`` on top of ours."""
    return run_python("-m", "spoofbench", *args, env=env, cwd=cwd)


def run_python(
    *args: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Outcome:
    """Run ``python ARGS`` in folder ``cwd``, with ``env`` on top of ours."""
    done = subprocess.run(
        [sys.executable, *map(str, args)],
        env={**os.environ, **PLAIN, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
