"""Where recordings of people come from: folders, Debian packages, LibriSpeech."""
