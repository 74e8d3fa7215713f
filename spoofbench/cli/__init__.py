"""The command line. Its modules import nothing heavy; a command's body imports the engine."""

from spoofbench.cli.app import app, main

__all__ = ["app", "main"]
