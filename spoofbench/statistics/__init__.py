"""Uncertainty: resampling, intervals, paired tests. Arrays in, numbers out, no files, no torch."""
