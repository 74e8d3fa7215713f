"""Fetching corpora: the plan, the transfer, the unpacking."""
