"""Codecs that encode and decode in memory. See docs/reference/conditions-codecs.md."""
