"""What is to be made: every file of the corpus, decided before the first one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from spoofbench.errors import InvalidSettings
from spoofbench.trials import NO_ATTACK
from spoofbench_mini.attacks.sentences import sentences
from spoofbench_mini.contracts import (
    WIDEST_HZ,
    Attack,
    CopySynthesis,
    Speech,
    TextToSpeech,
)
from spoofbench_mini.draws import generator
from spoofbench_mini.parts import PARTS, Part, PartName

Kind = Literal["-", "copy-synthesis", "tts"]

SIZES = {"tiny": 30, "small": 300, "full": 1500}
"""How many bona fide utterances there are; of spoofs there are twice as many."""
DEFAULT_SIZE = "small"
ENROLMENT = 3
"""Utterances by which a speaker of dev and eval is enrolled in the ASV system; in no trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file to be made, out of ``speech`` or, for text to speech, of ``text``.

    A spoof claims to be the speaker of ``speech``. ``pair`` is the bona fide utterance of the same
    recording; ``-`` where the corpus has no such pair, as in text to speech.
    """

    utterance: str
    part: PartName
    speech: Speech
    kind: Kind = "-"
    attack: str = NO_ATTACK
    pair: str = "-"
    language: str = ""
    text: str = ""
    highest_hz: float = WIDEST_HZ
    """Where its band ends at most: for all that is made of one recording, where the least does."""

    @property
    def key(self) -> str:
        """``bonafide`` or ``spoof``."""
        return "bonafide" if self.kind == "-" else "spoof"

    @property
    def file(self) -> str:
        """Where it lies in the corpus."""
        return f"mini_{self.part}/flac/{self.utterance}.flac"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The recordings of one speaker that can be used, in the order in which they are taken."""

    speaker: str
    trials: tuple[Speech, ...]
    enrolment: tuple[Speech, ...]


def quota(part: Part, size: str) -> int:
    """Return how many bona fide utterances ``part`` has. Raises `InvalidSettings`."""
    if size not in SIZES:
        raise InvalidSettings(f"--size {size}", hint=f"sizes: {', '.join(SIZES)}")
    return SIZES[size] * part.share // 5


def items(
    cast: Mapping[PartName, Sequence[Cast]], attacks: Sequence[Attack], *, size: str, seed: int
) -> list[Item]:
    """List the files of the corpus by utterance, whose names say nothing of the key.

    Each bona fide utterance has a copy by one of the part's attacks and beside it a spoof by text
    to speech, or a second copy where the part has no text to speech. Every speaker meets every
    attack in turn, and every copy every voice, so that no attack stands for a speaker. Raises
    `InvalidSettings` where a part has no copy-synthesis to meet.
    """
    planned: list[Item] = []
    for fold, part in enumerate(PARTS):
        met = sorted((a for a in attacks if a.side == part.side), key=lambda attack: attack.name)
        copies = [attack for attack in met if not isinstance(attack, TextToSpeech)]
        voices = [attack for attack in met if isinstance(attack, TextToSpeech)]
        if not copies:
            raise InvalidSettings(
                f"there is no copy-synthesis for {part.name}: its attacks are not those of the "
                "other parts",
                hint="install more (see above), or name more with --attacks",
            )
        speeches = _taken(cast[part.name], quota(part, size))
        drafts = [
            draft
            for number, (turn, speech) in enumerate(speeches)
            for draft in _drafts(number, turn, speech, part, copies, voices, fold)
        ]
        planned += _named(drafts, part, seed)
    return planned


def _taken(casts: Sequence[Cast], count: int) -> list[tuple[int, Speech]]:
    """Take the speakers' recordings in turn, until there are ``count``.

    Beside each stands which of its speaker's it is; speakers begin one apart.
    """
    longest = max((len(one.trials) for one in casts), default=0)
    turns = [
        (turn + place, one.trials[turn])
        for turn in range(longest)
        for place, one in enumerate(casts)
        if turn < len(one.trials)
    ]
    return turns[:count]


def _drafts(
    number: int,
    turn: int,
    speech: Speech,
    part: Part,
    copies: Sequence[CopySynthesis],
    voices: Sequence[TextToSpeech],
    fold: int,
) -> list[Item]:
    """Return the bona fide utterance of ``speech`` and its spoofs, their names still missing."""
    bonafide = Item(utterance="", part=part.name, speech=speech)
    first = turn % len(copies)
    used: list[Attack] = [copies[first]]
    made = [bonafide, replace(bonafide, kind="copy-synthesis", attack=copies[first].name)]
    if voices:
        voice = voices[turn // len(copies) % len(voices)]
        language, text = _text(number, speech, voice, fold)
        used.append(voice)
        made.append(replace(bonafide, kind="tts", attack=voice.name, language=language, text=text))
    elif len(copies) > 1:
        second = copies[(first + 1) % len(copies)]
        used.append(second)
        made.append(replace(bonafide, kind="copy-synthesis", attack=second.name))
    highest_hz = min(WIDEST_HZ, *(attack.highest_hz for attack in used))
    return [replace(item, highest_hz=highest_hz) for item in made]


def _text(number: int, speech: Speech, voice: TextToSpeech, fold: int) -> tuple[str, str]:
    """Return the language and the text: what was said, or two sentences of this part's own."""
    if speech.text and speech.language in voice.languages:
        return speech.language, speech.text
    able = [language for language in voice.languages if sentences(language)]
    language = speech.language if speech.language in able else able[0]
    own = sentences(language)[fold :: len(PARTS)]
    two = (own[number % len(own)], own[(number + 1) % len(own)])  # long enough for most recordings
    return language, " ".join(two)


def _named(drafts: Sequence[Item], part: Part, seed: int) -> list[Item]:
    """Give the files of a part numbers in an order that ``seed`` draws; say who pairs with whom."""
    order = generator(seed, "names", part.name).permutation(len(drafts))
    letter = part.name[0].upper()
    named = [
        replace(draft, utterance=f"MINI_{letter}_{number + 1:05d}")
        for draft, number in zip(drafts, order.tolist(), strict=True)
    ]
    own = {item.speech: item.utterance for item in named if item.kind == "-"}
    paired = [
        item if item.kind == "tts" else replace(item, pair=own[item.speech]) for item in named
    ]
    return sorted(paired, key=lambda item: item.utterance)
