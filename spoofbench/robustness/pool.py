"""The other speakers of a protocol: whose speech is mixed into a trial's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Generator

from spoofbench.audio import AudioCache
from spoofbench.contracts import Talk
from spoofbench.errors import InvalidCondition
from spoofbench.trials import Trial

EACH_CLASS = 256
"""How many utterances of a class are used at most: so many stay decoded in memory."""
POOL_BYTES = 1 << 28
"""How much of other people's speech stays decoded, over all workers."""
UNKNOWN = ("", "-")

BySpeaker = Mapping[str, tuple[Trial, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechPool:
    """Speech of a protocol, by speaker; the choice depends on the trials and the seed alone."""

    cache: AudioCache
    bonafide: BySpeaker
    spoof: BySpeaker

    @classmethod
    def of(cls, trials: Sequence[Trial], cache: AudioCache, *, seed: int) -> SpeechPool:
        """Choose at most `EACH_CLASS` utterances of each class, as equally many of each speaker.

        Where speakers are unknown, every utterance counts as a speaker of its own.
        """
        return cls(
            cache=cache,
            bonafide=_chosen([t for t in trials if t.bonafide], seed),
            spoof=_chosen([t for t in trials if not t.bonafide], seed),
        )

    def beside(self, trial: Trial) -> OtherSpeakers:
        """Return what may be mixed into ``trial``."""
        return OtherSpeakers(pool=self, own=_speaker(trial))

    def some_speakers(self) -> list[str]:
        """Return a speaker of each class, of those who have speech in the pool."""
        return [next(iter(speakers)) for speakers in (self.bonafide, self.spoof) if speakers]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSpeakers:
    """A `contracts.Pool`: the speakers of a protocol but for a trial's own."""

    pool: SpeechPool
    own: str

    def draw(self, count: int, random: Generator, *, bonafide: bool = True) -> Sequence[Talk]:
        """Return ``count`` utterances of as many other speakers; see `contracts.Pool`."""
        by_speaker = self.pool.bonafide if bonafide else self.pool.spoof
        others = [speaker for speaker in by_speaker if speaker != self.own]
        if len(others) < count:
            kind = "bona fide" if bonafide else "spoofed"
            raise InvalidCondition(
                f"{count} other speakers are needed, and the protocol has {len(others)} with "
                f"{kind} speech beside the trial's own",
                hint="use a protocol with more speakers, or recordings(DIR)@10 with a folder of "
                "your own",
            )
        chosen = torch.randperm(len(others), generator=random)[:count].tolist()
        return [self._talk(by_speaker[others[place]], random) for place in chosen]

    def speakers(self, *, bonafide: bool = True) -> int:
        """Return how many other speakers there are; see `contracts.Pool`."""
        by_speaker = self.pool.bonafide if bonafide else self.pool.spoof
        return len(by_speaker) - (self.own in by_speaker)

    def _talk(self, trials: Sequence[Trial], random: Generator) -> Talk:
        trial = trials[int(torch.randint(len(trials), (), generator=random))]
        audio = torch.from_numpy(self.pool.cache.read(trial.audio).copy())
        return Talk(
            audio=audio, utterance=trial.utterance, speaker=trial.speaker, bonafide=trial.bonafide
        )


def _speaker(trial: Trial) -> str:
    return trial.utterance if trial.speaker in UNKNOWN else trial.speaker


def _chosen(trials: Sequence[Trial], seed: int) -> BySpeaker:
    """Take utterances of the speakers in turn, in an order that a hash gives."""
    by_speaker: dict[str, list[Trial]] = {}
    for trial in sorted(trials, key=lambda trial: _hash(seed, trial.utterance)):
        by_speaker.setdefault(_speaker(trial), []).append(trial)
    names = sorted(by_speaker, key=lambda name: _hash(seed, name))[:EACH_CLASS]
    each = max(1, EACH_CLASS // max(len(names), 1))
    return {name: tuple(by_speaker[name][:each]) for name in names}


def _hash(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{name}".encode()).digest()
