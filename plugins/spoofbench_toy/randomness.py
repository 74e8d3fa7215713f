"""Where every random number of the corpus comes from: a name, hashed."""

from __future__ import annotations

import hashlib

import numpy as np

CORPUS_SEED = "spoofbench-toy-1"


def random_for(*names: str) -> np.random.Generator:
    """Give the generator that belongs to ``names``: the same one whenever and wherever it is asked.

    What an utterance sounds like hangs on its names alone, never on what was made before it.
    """
    digest = hashlib.sha256("/".join((CORPUS_SEED, *names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
