"""Readers: key files with one trial a line, and folders of recordings."""
