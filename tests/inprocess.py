"""Running the program in this process: faster, where the process itself is not what is tested."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import Protocol
from unittest import mock

from program import PLAIN, Outcome

from spoofbench.cli import main


class Spoofbench(Protocol):
    """The program, as the fixture of that name gives it."""

    def __call__(self, *args: str | Path, env: dict[str, str] | None = None) -> Outcome:
        """Run it with ``args`` in a folder of the test, ``env`` on top of our environment."""
        ...


def run_here(*args: str | Path) -> Outcome:
    """Run ``spoofbench ARGS`` in this process; an error that the program does not expect is raised.

    Entry points are looked up on ``sys.path`` as it is now.
    """
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        mock.patch.object(sys, "argv", ["spoofbench", *map(str, args)]),
        mock.patch.dict(os.environ, PLAIN),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    return Outcome(code, out.getvalue(), err.getvalue())
