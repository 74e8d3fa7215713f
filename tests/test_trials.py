from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoofbench.errors import IncompleteCorpus, InvalidKeys, InvalidSettings
from spoofbench.trials import Trial, check_counts, check_unique, limit, missing_audio


def trials(keys: Sequence[bool]) -> list[Trial]:
    return [
        Trial(
            utterance=f"U{number}",
            speaker="s",
            attack="-" if bonafide else "A01",
            bonafide=bonafide,
            audio=f"flac/U{number}.flac",
        )
        for number, bonafide in enumerate(keys)
    ]


KEYS = st.lists(st.booleans(), min_size=1, max_size=60)
COUNTS = st.integers(1, 70)


@pytest.mark.parametrize(("bonafide", "key"), [(True, "bonafide"), (False, "spoof")])
def test_a_key_is_spelt_as_the_corpora_do(bonafide: bool, key: str):
    assert trials([bonafide])[0].key == key


@given(KEYS, COUNTS)
def test_a_limit_takes_as_many_trials_as_it_says_if_there_are_so_many(keys, count):
    assert len(limit(trials(keys), count)) == min(count, len(keys))


@given(KEYS, COUNTS)
def test_a_limit_keeps_the_order_of_the_protocol(keys, count):
    everything = trials(keys)
    places = [everything.index(trial) for trial in limit(everything, count)]
    assert places == sorted(set(places))


@given(KEYS, COUNTS)
def test_a_limit_takes_half_of_each_class_as_far_as_there_are_any(keys, count):
    chosen = limit(trials(keys), count)
    bonafide = sum(trial.bonafide for trial in chosen)
    spoof = len(chosen) - bonafide
    exhausted = bonafide == sum(keys) or spoof == len(keys) - sum(keys)
    assert exhausted or abs(bonafide - spoof) <= 1


@given(KEYS, COUNTS)
def test_limiting_twice_changes_nothing(keys, count):
    once = limit(trials(keys), count)
    assert limit(once, count) == once


def test_a_limit_is_spread_over_the_list():
    chosen = limit(trials([False] * 100), 4)
    assert [trial.utterance for trial in chosen] == ["U0", "U25", "U50", "U75"]


@pytest.mark.parametrize("count", [0, -1])
def test_a_limit_below_one_is_refused(count: int):
    with pytest.raises(InvalidSettings, match=f"--limit {count}"):
        limit(trials([True, False]), count)


def test_as_many_trials_as_expected_are_accepted():
    check_counts(trials([True, False, False]), bonafide=1, spoof=2, source="keys.txt")


@pytest.mark.parametrize("keys", [[True, False], [True, True, False], [True, False, False, False]])
def test_another_number_of_trials_than_expected_is_refused(keys: list[bool]):
    with pytest.raises(IncompleteCorpus, match=r"keys\.txt .* expects 1 and 2"):
        check_counts(trials(keys), bonafide=1, spoof=2, source="keys.txt")


def test_an_utterance_that_is_listed_twice_is_named_with_both_places():
    twice = [*trials([True, False, False]), *trials([True])]
    with pytest.raises(InvalidKeys, match=r"keys\.txt lists U0 twice, as trials 1 and 4"):
        check_unique(twice, source="keys.txt")


def test_utterances_that_are_listed_once_are_accepted():
    check_unique(trials([True, False]), source="keys.txt")


def test_missing_recordings_are_found(tmp_path: Path):
    (tmp_path / "flac").mkdir()
    (tmp_path / "flac" / "U1.flac").touch()
    missing = missing_audio(trials([True, True, True]), tmp_path)
    assert [trial.utterance for trial in missing] == ["U0", "U2"]


def test_without_the_folder_of_the_audio_every_recording_is_missing(tmp_path: Path):
    assert len(missing_audio(trials([True, False]), tmp_path)) == 2


def test_audio_may_lie_in_the_corpus_folder_itself(tmp_path: Path):
    (tmp_path / "U.flac").touch()
    trial = Trial(utterance="U", speaker="", attack="-", bonafide=True, audio="U.flac")
    assert missing_audio([trial], tmp_path) == []
