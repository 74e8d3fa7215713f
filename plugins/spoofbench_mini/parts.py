"""The three parts of the corpus: who speaks in each, and which attacks are met there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spoofbench.errors import InvalidSettings
from spoofbench_mini.contracts import Side
from spoofbench_mini.draws import generator

PartName = Literal["train", "dev", "eval"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part: its key file, the attacks met in it, and whether an ASV system judges it."""

    name: PartName
    key_file: str
    side: Side
    share: int
    """Its share of the bona fide utterances, in fifths."""
    has_asv: bool


PARTS = (
    Part(name="train", key_file="mini.cm.train.trn.txt", side="known", share=2, has_asv=False),
    Part(name="dev", key_file="mini.cm.dev.trl.txt", side="known", share=1, has_asv=True),
    Part(name="eval", key_file="mini.cm.eval.trl.txt", side="unknown", share=2, has_asv=True),
)

LEAST_SPEAKERS = 6
"""Two for each part: the ASV system needs somebody else for a non-target trial."""

_TURN: tuple[PartName, ...] = ("train", "eval", "dev", "eval", "train", "dev")
_AFTER: tuple[PartName, ...] = ("train", "eval", "train", "eval", "dev")


def speakers_of(speakers: Sequence[str], seed: int) -> dict[PartName, list[str]]:
    """Deal the speakers out, in an order that ``seed`` draws: each is in one part alone.

    Raises `InvalidSettings` for fewer than `LEAST_SPEAKERS`.
    """
    if len(speakers) < LEAST_SPEAKERS:
        named = f" ({', '.join(sorted(speakers))})" if speakers else ""
        raise InvalidSettings(
            f"{len(speakers)} speakers have enough recordings that can be used{named}; "
            f"train, dev and eval share none, and need {LEAST_SPEAKERS}",
            hint="name more --speech: a folder with one subfolder a speaker, debian, librispeech",
        )
    order = generator(seed, "speakers").permutation(np.array(sorted(speakers))).tolist()
    dealt: dict[PartName, list[str]] = {part.name: [] for part in PARTS}
    for number, speaker in enumerate(order):
        after = number - len(_TURN)
        dealt[_TURN[number] if after < 0 else _AFTER[after % len(_AFTER)]].append(speaker)
    return dealt
