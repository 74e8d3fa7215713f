"""Countermeasures that read linear-frequency cepstral coefficients."""
