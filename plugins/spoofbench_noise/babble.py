"""Babble: several other speakers of the protocol at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from spoofbench import Context, Pool, Talk
from spoofbench.audio import Audio
from spoofbench.errors import InvalidCondition
from spoofbench.robustness.recordings import from_random_place
from spoofbench.robustness.speech_level import active_level
from spoofbench_noise.mixing import with_noise

FEWEST = 3
MOST = 8
DRAWS = 20
"""So many times in a row may all talkers be silent."""


class Babble:
    """Bona fide speech of 3 to 8 others, all equally loud, each from a random place."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with babble at ``level`` dB SNR; note the talkers.

        Raises `InvalidCondition` if there are no other speakers, too few, or silent ones.
        """
        pool = _pool(context)
        for _ in range(DRAWS):
            talks = pool.draw(_count(pool, context), context.random)
            babble = _together(talks, len(audio), context)
            if np.any(babble):
                break
        else:
            raise InvalidCondition(
                f"babble: all talkers were silent, {DRAWS} times in a row",
                hint="use a protocol with speech in it, or recordings(DIR)@10",
            )
        made = with_noise(audio, babble, level, context)
        if "snr_db" in context.notes:
            context.notes["talkers"] = ", ".join(talk.utterance for talk in talks)
        return made


def _pool(context: Context) -> Pool:
    if context.pool is None:
        raise InvalidCondition(
            "babble is made of a protocol's other speakers, and there is no protocol here",
            hint="use recordings(DIR)@10 with a folder of babble, or another noise",
        )
    return context.pool


def _count(pool: Pool, context: Context) -> int:
    """Return how many talk: as the option says, else a random number that there are."""
    wanted = context.options[0] if context.options else 0
    if wanted:
        if wanted not in range(FEWEST, MOST + 1):
            raise InvalidCondition(
                f"babble of {wanted:g} talkers: it takes {FEWEST} to {MOST}",
                hint="write babble@10@5, or babble@10 for a random number of them",
            )
        return int(wanted)
    most = max(FEWEST, min(MOST, pool.speakers()))
    return int(torch.randint(FEWEST, most + 1, (), generator=context.random))


def _together(talks: Sequence[Talk], samples: int, context: Context) -> Audio:
    """Return the sum ``(samples,)`` of ``talks``, all brought to one active speech level."""
    babble = np.zeros(samples, dtype=np.float32)
    for talk in talks:
        audio = talk.audio.numpy()
        level = active_level(audio, context.rate)
        if level is not None:
            piece = from_random_place(audio, samples, context.rate, context.random)
            babble += piece * np.float32(10 ** (-level.level_db / 20))
    return babble
