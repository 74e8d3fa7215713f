"""AASIST and AASIST-L: waveform in, one graph of spectral and temporal nodes, two logits out."""
