"""Countermeasures on top of speech representations that were learned without labels."""
