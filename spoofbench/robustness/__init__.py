"""Robustness: the same trials under noise, codecs, overlapped speech, rooms and channels."""
