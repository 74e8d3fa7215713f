"""RawBoost: noise that speech meets on telephone lines, for training."""
