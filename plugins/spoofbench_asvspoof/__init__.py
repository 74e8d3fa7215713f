"""The ASVspoof corpora, how one comes by them, and their protocols."""
