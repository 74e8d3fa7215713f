"""Countermeasures that hear only what a recording channel leaves behind."""
