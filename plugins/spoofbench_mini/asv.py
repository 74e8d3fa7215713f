"""The ASV system of the corpus: who makes the claims, and what its scores are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spoofbench.trials import NO_ATTACK
from spoofbench_mini.contracts import Audio
from spoofbench_mini.embeddings import EmbeddingVerifier, weights_file
from spoofbench_mini.gmm import GmmVerifier

IMPOSTORS = 3
"""Other speakers as whom each bona fide utterance claims to be, beside its own."""


class Verifier(Protocol):
    """A speaker verification system."""

    name: str

    def learn(self, background: Mapping[str, Sequence[Audio]]) -> None:
        """Learn what speech is like, from the utterances of speakers who are in no trial."""
        ...

    def enrol(self, speaker: str, utterances: Sequence[Audio]) -> None:
        """Learn a speaker's voice."""
        ...

    def scores(self, audio: Audio, speakers: Sequence[str]) -> list[float]:
        """Return how much ``audio`` sounds like each of the enrolled ``speakers``."""
        ...


def choose() -> Verifier:
    """Return the pretrained embedding where its weights are installed, else a GMM-UBM."""
    file = weights_file()
    return EmbeddingVerifier(file) if file is not None else GmmVerifier()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An utterance that claims to be ``speaker``'s; of that speaker only if there is no attack."""

    utterance: str
    speaker: str
    attack: str
    audio: Callable[[], Audio]


def lines(verifier: Verifier, claims: Sequence[Claim], speakers: Sequence[str]) -> Iterator[str]:
    """Yield ``utterance attack key score`` for every trial of the ASV system.

    A spoof claims to be whom it imitates; a bona fide utterance its own speaker (target) and the
    speakers after that one in turn (nontarget).
    """
    for claim in claims:
        place = speakers.index(claim.speaker)
        others = [speakers[(place + step) % len(speakers)] for step in range(1, len(speakers))]
        if claim.attack == NO_ATTACK:
            claimed = [claim.speaker, *others[:IMPOSTORS]]
            keys = ["target", *["nontarget"] * (len(claimed) - 1)]
        else:
            claimed, keys = [claim.speaker], ["spoof"]
        given = verifier.scores(claim.audio(), claimed)
        for key, score in zip(keys, given, strict=True):
            yield f"{claim.utterance} {claim.attack} {key} {score:.6f}"
