"""The doctor: what is wrong with a score file, and what to do about it."""
