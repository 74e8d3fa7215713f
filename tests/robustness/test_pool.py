from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import RATE

from spoofbench.audio import AudioCache
from spoofbench.errors import InvalidCondition
from spoofbench.robustness import pool
from spoofbench.robustness.pool import SpeechPool
from spoofbench.trials import Trial


def trial(utterance: str, speaker: str, *, bonafide: bool = True) -> Trial:
    return Trial(
        utterance=utterance,
        speaker=speaker,
        attack="-" if bonafide else "A01",
        bonafide=bonafide,
        audio=f"eval/{utterance}.flac",
    )


TRIALS = [trial(f"E00{n}", f"S{n % 4}", bonafide=n < 8) for n in range(10)]


@pytest.fixture
def speech(tiny: Path) -> SpeechPool:
    return SpeechPool.of(TRIALS, AudioCache(tiny, RATE, 1 << 20), seed=1)


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_trial_s_own_speaker_is_never_drawn(speech: SpeechPool):
    others = speech.beside(TRIALS[0])
    drawn = {talk.speaker for seed in range(50) for talk in others.draw(3, random(seed))}
    assert drawn == {"S1", "S2", "S3"}


def test_the_speakers_of_one_draw_are_different(speech: SpeechPool):
    for seed in range(20):
        talks = speech.beside(TRIALS[0]).draw(3, random(seed))
        assert len({talk.speaker for talk in talks}) == 3


def test_the_same_seed_draws_the_same(speech: SpeechPool):
    one, other = (speech.beside(TRIALS[0]).draw(2, random(3)) for _ in range(2))
    assert [talk.utterance for talk in one] == [talk.utterance for talk in other]


def test_what_is_drawn_is_the_audio_of_its_utterance(speech: SpeechPool):
    (talk,) = speech.beside(TRIALS[0]).draw(1, random())
    assert torch.equal(
        talk.audio, torch.from_numpy(speech.cache.read(f"eval/{talk.utterance}.flac").copy())
    )


def test_bona_fide_speech_and_spoofs_are_drawn_apart(speech: SpeechPool):
    (talk,) = speech.beside(TRIALS[0]).draw(1, random(), bonafide=False)
    assert (talk.bonafide, talk.utterance in ("E008", "E009")) == (False, True)


def test_too_few_speakers_are_said(speech: SpeechPool):
    with pytest.raises(InvalidCondition, match=r"4 other speakers are needed, .* has 3 with bona"):
        speech.beside(TRIALS[0]).draw(4, random())


def test_the_pool_does_not_depend_on_the_order_of_trials(tiny: Path):
    cache = AudioCache(tiny, RATE, 1 << 20)
    forth, back = (SpeechPool.of(t, cache, seed=1) for t in (TRIALS, TRIALS[::-1]))
    assert forth.bonafide == back.bonafide


def test_where_speakers_are_unknown_every_utterance_is_one(tiny: Path):
    unknown = [trial(f"E00{n}", "-") for n in range(4)]
    made = SpeechPool.of(unknown, AudioCache(tiny, RATE, 1 << 20), seed=1)
    assert made.beside(unknown[0]).speakers() == 3
    assert {t.utterance for t in made.beside(unknown[0]).draw(3, random())} == {
        "E001",
        "E002",
        "E003",
    }


def test_no_more_utterances_are_used_than_stay_in_memory(tiny: Path, monkeypatch):
    monkeypatch.setattr(pool, "EACH_CLASS", 4)
    many = [trial(f"{speaker}-{n}", speaker) for speaker in ("a", "b") for n in range(9)]
    made = SpeechPool.of(many, AudioCache(tiny, RATE, 1 << 20), seed=1)
    assert {speaker: len(own) for speaker, own in made.bonafide.items()} == {"a": 2, "b": 2}
