"""Detectors that need no plugin: a file, a function or a program, named on the command line."""

from spoofbench.adapters.named import KINDS, is_adapter, offer_named

__all__ = ["KINDS", "is_adapter", "offer_named"]
