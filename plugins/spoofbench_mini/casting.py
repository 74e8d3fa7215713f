"""Who speaks in which part, and which of their recordings can be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spoofbench_mini import hearing
from spoofbench_mini.contracts import Speech, SpeechSource, Unusable
from spoofbench_mini.draws import generator
from spoofbench_mini.parts import PARTS, Part, PartName, speakers_of
from spoofbench_mini.plan import ENROLMENT, Cast, quota
from spoofbench_mini.treatment import treat_recording

LEAST_TRIALS = 2
"""A speaker with fewer recordings beside those for enrolment is left out."""


@dataclass(slots=True)
class _Voice:
    """The recordings of one speaker, heard one after another until enough can be used."""

    waiting: Iterator[tuple[Speech, SpeechSource]]
    seed: int
    usable: list[Speech] = field(default_factory=list)
    heard: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def has(self, count: int) -> bool:
        """Say whether ``count`` recordings can be used, hearing no more of them than that takes."""
        while len(self.usable) < count:
            following = next(self.waiting, None)
            if following is None:
                return False
            self._hear(*following)
        return True

    def _hear(self, speech: Speech, source: SpeechSource) -> None:
        self.heard += 1
        try:
            recording = source.read(speech)
            hearing.check(recording)
            treat_recording(speech, recording, self.seed)
        except Unusable as error:
            self.reasons[str(error)] += 1
        else:
            self.usable.append(speech)


def cast(
    sources: Sequence[SpeechSource], *, size: str, seed: int, note: Callable[[str], None]
) -> dict[PartName, list[Cast]]:
    """Deal the speakers out to the parts, with as many of their recordings as a part needs.

    What cannot be used is counted and told to ``note``, with the reasons. Raises
    `InvalidSettings` where too few speakers are left.
    """
    voices = _voices(sources, seed)
    enough = [name for name, voice in voices.items() if voice.has(ENROLMENT + LEAST_TRIALS)]
    for line in _said({name: voice for name, voice in voices.items() if name not in enough}):
        note(line)
    dealt = speakers_of(enough, seed)
    parts: dict[PartName, list[Cast]] = {}
    for part in PARTS:
        own = {name: voices[name] for name in dealt[part.name]}
        parts[part.name] = _filled(own, part, size)
        for line in _said(own):
            note(line)
    return parts


def _voices(sources: Sequence[SpeechSource], seed: int) -> dict[str, _Voice]:
    """Return the speakers by name; their recordings wait in an order that ``seed`` draws."""
    found: dict[str, list[tuple[Speech, SpeechSource]]] = {}
    for source in sources:
        for speech in source.speeches():
            found.setdefault(speech.speaker, []).append((speech, source))
    voices = {}
    for name, recordings in sorted(found.items()):
        order = generator(seed, "recordings", name).permutation(len(recordings))
        voices[name] = _Voice(iter([recordings[place] for place in np.asarray(order)]), seed)
    return voices


def _filled(voices: Mapping[str, _Voice], part: Part, size: str) -> list[Cast]:
    """Take the speakers' recordings in turn until the part has its share, or there are no more."""
    kept = ENROLMENT if part.has_asv else 0
    needed = quota(part, size)
    counts = dict.fromkeys(voices, 0)
    willing = list(voices)
    while willing and sum(counts.values()) < needed:
        for name in list(willing):
            if sum(counts.values()) == needed:
                break
            if voices[name].has(kept + counts[name] + 1):
                counts[name] += 1
            else:
                willing.remove(name)
    return [
        Cast(
            speaker=name,
            enrolment=tuple(voice.usable[:kept]),
            trials=tuple(voice.usable[kept : kept + counts[name]]),
        )
        for name, voice in voices.items()
    ]


def _said(voices: Mapping[str, _Voice]) -> Iterator[str]:
    for name, voice in voices.items():
        if voice.reasons:
            reasons = "; ".join(f"{count} {reason}" for reason, count in voice.reasons.items())
            yield f"{name}: {sum(voice.reasons.values())} of {voice.heard} recordings: {reasons}"
