from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spoofbench.errors import InvalidSettings
from spoofbench_mini import plan
from spoofbench_mini.contracts import Attack, Made, Side, Speech
from spoofbench_mini.parts import LEAST_SPEAKERS, PARTS, PartName, speakers_of
from spoofbench_mini.plan import Cast, Item


@dataclass
class Copy:
    name: str
    side: Side
    summary: str = ""
    neural: bool = False
    licence: str = ""
    highest_hz: float = 8000.0

    def missing(self) -> str:
        return ""

    def copy(self, audio: np.ndarray, random: np.random.Generator) -> Made:
        return Made(audio=audio, steps=())


@dataclass
class Voice:
    name: str
    side: Side
    languages: tuple[str, ...] = ("en",)
    summary: str = ""
    neural: bool = False
    licence: str = ""
    highest_hz: float = 8000.0

    def missing(self) -> str:
        return ""

    def speak(self, text: str, language: str, random: np.random.Generator) -> Made:
        return Made(audio=np.zeros(1), steps=())


ATTACKS: list[Attack] = [
    Copy("one", "known"),
    Copy("two", "unknown"),
    Copy("three", "unknown"),
    Voice("voice", "unknown"),
]


def speech(speaker: str, number: int, *, language: str = "ru", text: str = "") -> Speech:
    return Speech(
        source="here",
        speaker=speaker,
        utterance=f"{speaker}-{number:02d}",
        path=Path("nowhere"),
        licence="none",
        language=language,
        text=text,
    )


def cast(each: int = 30, **said: str) -> dict[PartName, list[Cast]]:
    return {
        part.name: [
            Cast(
                speaker=f"{part.name}{number}",
                trials=tuple(speech(f"{part.name}{number}", n, **said) for n in range(each)),
                enrolment=(),
            )
            for number in range(2)
        ]
        for part in PARTS
    }


def of(items: list[Item], part: str) -> list[Item]:
    return [item for item in items if item.part == part]


def test_speakers_are_in_one_part_each():
    dealt = speakers_of([f"s{number:02d}" for number in range(23)], seed=1)
    everyone = [speaker for part in dealt.values() for speaker in part]
    assert sorted(everyone) == [f"s{number:02d}" for number in range(23)]
    assert min(len(part) for part in dealt.values()) >= 2


def test_the_fewest_speakers_still_give_every_part_two():
    dealt = speakers_of([f"s{number}" for number in range(LEAST_SPEAKERS)], seed=0)
    assert {name: len(part) for name, part in dealt.items()} == {"train": 2, "dev": 2, "eval": 2}


@pytest.mark.parametrize("speakers", [[], ["one"], ["a", "b", "c", "d", "e"]])
def test_too_few_speakers_are_refused_with_their_names(speakers: list[str]):
    with pytest.raises(InvalidSettings, match=f"^{len(speakers)} speakers") as refused:
        speakers_of(speakers, seed=0)
    assert all(speaker in str(refused.value) for speaker in speakers)


def test_another_seed_deals_the_speakers_out_otherwise():
    speakers = [f"s{number:02d}" for number in range(12)]
    dealt = [speakers_of(speakers, seed=seed) for seed in (0, 0, 1)]
    assert dealt[0] == dealt[1] != dealt[2]


def test_there_are_twice_as_many_spoofs_where_a_part_has_attacks_enough():
    items = plan.items(cast(), ATTACKS, size="tiny", seed=0)
    count = Counter((item.part, item.kind) for item in items)
    assert count == {
        ("train", "-"): 12,
        ("train", "copy-synthesis"): 12,  # one attack, and no text to speech
        ("dev", "-"): 6,
        ("dev", "copy-synthesis"): 6,
        ("eval", "-"): 12,
        ("eval", "copy-synthesis"): 12,
        ("eval", "tts"): 12,
    }


def test_attacks_of_eval_are_met_nowhere_else():
    items = plan.items(cast(), ATTACKS, size="tiny", seed=0)
    met = {part.name: {i.attack for i in of(items, part.name)} - {"-"} for part in PARTS}
    assert met == {"train": {"one"}, "dev": {"one"}, "eval": {"two", "three", "voice"}}


def test_every_copy_is_paired_with_the_bona_fide_utterance_of_its_recording():
    items = plan.items(cast(), ATTACKS, size="tiny", seed=0)
    own = {item.utterance: item for item in items}
    copies = [item for item in items if item.kind == "copy-synthesis"]
    assert all(own[copy.pair].speech == copy.speech for copy in copies)
    assert all(own[copy.pair].key == "bonafide" for copy in copies)
    assert {item.pair for item in items if item.kind == "tts"} == {"-"}


def test_the_name_of_an_utterance_says_nothing_of_its_key():
    items = of(plan.items(cast(), ATTACKS, size="full", seed=0), "eval")
    places = [place for place, item in enumerate(items) if item.key == "bonafide"]
    middle = (len(items) - 1) / 2
    error = np.std(range(len(items))) / np.sqrt(len(places))
    assert abs(np.mean(places) - middle) < 4 * error
    assert len(set(np.diff(places))) > 3


@pytest.mark.parametrize("part", ["train", "eval"])
def test_every_attack_is_made_of_every_speaker_and_every_copy_meets_every_voice(part: str):
    """Else an attack would stand for a speaker, or for the band of the copy beside it."""
    both = [*ATTACKS, Voice("other", "unknown"), Copy("four", "known"), Voice("reader", "known")]
    items = of(plan.items(cast(), both, size="small", seed=0), part)
    pairs = Counter((i.speech.speaker, i.attack) for i in items if i.kind != "-")
    attacks, speakers = {a for _, a in pairs}, {s for s, _ in pairs}
    assert set(pairs) == {(s, a) for s in speakers for a in attacks}
    copy_of = {i.speech: i.attack for i in items if i.kind == "copy-synthesis"}
    together = Counter((copy_of[i.speech], i.attack) for i in items if i.kind == "tts")
    copies, voices = {c for c, _ in together}, {v for _, v in together}
    assert set(together) == {(c, v) for c in copies for v in voices}


def test_speakers_take_turns():
    items = plan.items(cast(each=4), ATTACKS, size="tiny", seed=0)
    count = Counter(i.speech.speaker for i in of(items, "dev") if i.kind == "-")
    assert count == {"dev0": 3, "dev1": 3}


def test_what_was_said_is_spoken_where_the_voice_knows_the_language():
    items = plan.items(cast(language="en", text="good morning"), ATTACKS, size="tiny", seed=0)
    spoken = [item for item in items if item.kind == "tts"]
    assert {(item.language, item.text) for item in spoken} == {("en", "good morning")}


def test_parts_share_no_sentence_of_ours():
    both = [*ATTACKS, Voice("reader", "known")]
    items = plan.items(cast(), both, size="tiny", seed=0)
    texts = {part.name: {i.text for i in of(items, part.name)} - {""} for part in PARTS}
    assert all(texts.values())
    assert not texts["train"] & texts["dev"]
    assert not (texts["train"] | texts["dev"]) & texts["eval"]


def test_a_part_without_copy_synthesis_is_refused_by_name():
    with pytest.raises(InvalidSettings, match="no copy-synthesis for eval"):
        plan.items(cast(), [Copy("one", "known"), Voice("v", "unknown")], size="tiny", seed=0)


def test_an_unknown_size_names_the_known_ones():
    with pytest.raises(InvalidSettings, match="--size huge") as refused:
        plan.items(cast(), ATTACKS, size="huge", seed=0)
    assert refused.value.hint == "sizes: tiny, small, full"


def test_the_same_seed_plans_the_same_corpus():
    first, again, other = (plan.items(cast(), ATTACKS, size="tiny", seed=s) for s in (3, 3, 4))
    assert first == again != other
