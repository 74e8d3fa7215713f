"""Noise beneath speech at a signal-to-noise ratio: coloured, mains hum, babble, recordings."""
