"""What the user said before the name of the command, for all commands."""

from __future__ import annotations

from contextvars import ContextVar

DEBUG: ContextVar[bool] = ContextVar("debug", default=False)
"""Say where in the code an error was raised."""
