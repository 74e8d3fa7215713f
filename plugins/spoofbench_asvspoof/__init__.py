"""ASVspoof corpora: the reader of their key files, and their protocols."""
