"""Overlapped speech: one other talker over a share of a trial's time."""
