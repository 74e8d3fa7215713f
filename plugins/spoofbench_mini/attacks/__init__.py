"""Attacks: what makes spoofs, out of a recording or out of a text."""
