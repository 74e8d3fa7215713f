"""Mix-up: each utterance of a batch is mixed with another one of it, and judged by both keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from spoofbench.batches import Batch
from spoofbench.training.lesson import Keys

_STREAM = 11
"""Parts these draws from those of crops and augmentations, which hang on the same three."""


def unmixed(batch: Batch) -> tuple[Keys, ...]:
    """Return the utterances' own keys, which count in full."""
    return (Keys(batch.bonafide, batch.utterances, torch.ones_like(batch.audio[:, 0])),)


def mixed(batch: Batch, alpha: float, *, seed: int, epoch: int) -> tuple[Batch, tuple[Keys, ...]]:
    """Mix every utterance with the one half a batch further on; return what is heard, and the keys.

    ``share * own + (1 - share) * other``; the shares are drawn from Beta(alpha, alpha), and hang on
    the seed, the epoch and the utterance. The order of a batch is drawn anew in each epoch, and so
    are the pairs. Several processes, of which each has every n-th utterance, mix the same pairs as
    one does, where each has an even number of them. A mixture is as long as the longer of the two.

    Source: Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018
    (https://arxiv.org/abs/1710.09412).
    """
    half = len(batch.utterances) // 2
    drawn = [
        np.random.default_rng([seed, epoch, _STREAM, *utterance.encode()]).beta(alpha, alpha)
        for utterance in batch.utterances
    ]
    share = torch.tensor(drawn, dtype=batch.audio.dtype, device=batch.audio.device)
    others = batch.utterances[half:] + batch.utterances[:half]
    heard = replace(
        batch,
        audio=share[:, None] * batch.audio + (1 - share[:, None]) * batch.audio.roll(-half, 0),
        lengths=torch.maximum(batch.lengths, batch.lengths.roll(-half, 0)),
    )
    own = Keys(batch.bonafide, batch.utterances, share)
    return heard, (own, Keys(batch.bonafide.roll(-half, 0), others, 1 - share))
