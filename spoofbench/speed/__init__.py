"""How fast models are, how much memory they take, and whether their scores stay the same."""
