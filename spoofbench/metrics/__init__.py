"""Metrics: arrays in, one number out. Nothing here opens a file, prints, or loads torch."""
