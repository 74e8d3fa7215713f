"""Timing: speed, pitch, trimming of silence, and duration."""
