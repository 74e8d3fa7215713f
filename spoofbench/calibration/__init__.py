"""Calibration and fusion: scores become log-likelihood ratios, by maps fitted on dev scores."""
