"""Writes the beginning of a plugin: a project that can be installed and keeps its contract."""
