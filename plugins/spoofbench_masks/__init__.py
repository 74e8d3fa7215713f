"""Masks: a band of frequencies, or a stretch of time, left out."""
