from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from voices import Recorded, voice

from spoofbench.errors import InvalidSettings
from spoofbench_mini.casting import cast
from spoofbench_mini.contracts import RATE, Speech
from spoofbench_mini.plan import ENROLMENT


def speech(speaker: str, number: int) -> Speech:
    return Speech(
        source="recorded",
        speaker=speaker,
        utterance=f"{speaker}-{number}",
        path=Path("nowhere"),
        licence="none",
    )


def recordings(speakers: int = 6, each: int = 12) -> list[Speech]:
    return [speech(f"s{s}", number) for s in range(speakers) for number in range(each)]


def test_every_part_gets_its_share_and_what_enrols_is_in_no_trial():
    parts = cast([Recorded(recordings())], size="tiny", seed=0, note=lambda line: None)
    counts = {name: sum(len(one.trials) for one in own) for name, own in parts.items()}
    assert counts == {"train": 12, "dev": 6, "eval": 12}
    for one in (*parts["dev"], *parts["eval"]):
        assert len(one.enrolment) == ENROLMENT
        assert not {s.utterance for s in one.trials} & {s.utterance for s in one.enrolment}
    assert all(one.enrolment == () for one in parts["train"])


def test_a_speaker_with_few_recordings_is_made_up_for_by_the_others():
    few = [speech("s0", number) for number in range(5)]
    all_of_them = [s for s in recordings(each=16) if s.speaker != "s0"] + few
    parts = cast([Recorded(all_of_them)], size="tiny", seed=0, note=lambda line: None)
    assert sum(len(one.trials) for one in parts["train"]) == 12
    assert sum(len(one.trials) for one in parts["eval"]) == 12


def test_no_more_is_heard_than_is_needed():
    source = Recorded(recordings(each=200))
    cast([source], size="tiny", seed=0, note=lambda line: None)
    assert len(source.reads) <= 30 + 6 * (ENROLMENT + 2)
    assert len(source.reads) == len(set(source.reads))


def test_music_and_silence_are_counted_with_the_reason():
    tone = 0.1 * np.sin(np.arange(3 * RATE) * 0.1)
    others = {f"s0-{number}": tone for number in range(11)} | {"s0-11": np.zeros(3 * RATE)}
    everybody = recordings() + [speech("s6", number) for number in range(12)]
    notes: list[str] = []
    parts = cast([Recorded(everybody, others)], size="tiny", seed=0, note=notes.append)
    assert "s0" not in {one.speaker for own in parts.values() for one in own}
    (line,) = [line for line in notes if line.startswith("s0: 12 of 12 recordings")]
    assert "11 no pauses: music or noise" in line
    assert "1 silence" in line


@pytest.mark.parametrize("speakers", [1, 5])
def test_too_few_speakers_are_refused(speakers: int):
    with pytest.raises(InvalidSettings, match=f"{speakers} speakers have enough recordings"):
        cast([Recorded(recordings(speakers))], size="tiny", seed=0, note=lambda line: None)


def test_the_voices_of_these_tests_are_speech():
    assert len(voice()) > RATE
