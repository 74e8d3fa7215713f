"""Losses on embeddings: one class, additive margins, and the speaker beside them."""
