from __future__ import annotations

import numpy as np
import pytest
import torch
from pools import OWN, FakePool, talk
from torch import Generator

from spoofbench.contracts import Context, Talk
from spoofbench.errors import InvalidCondition
from spoofbench_noise.babble import Babble

RATE = 16_000


def context(pool: FakePool | None, *, seed: int = 0, options: tuple[float, ...] = ()) -> Context:
    return Context(
        rate=RATE,
        random=Generator().manual_seed(seed),
        utterance="u",
        pool=pool,
        options=options,
    )


def audio(seconds: float = 4.0) -> torch.Tensor:
    return 0.1 * torch.sin(torch.arange(int(seconds * RATE)) * 0.02)


def test_the_own_speaker_never_talks():
    pool = FakePool()
    for seed in range(30):
        Babble().apply(audio(0.5), 5.0, context(pool, seed=seed))
    assert OWN not in {one.speaker for one in pool.drawn}
    assert all(one.bonafide for one in pool.drawn)


def test_three_to_eight_others_talk_and_every_number_occurs():
    numbers = set()
    for seed in range(80):
        pool = FakePool()
        Babble().apply(audio(0.1), 5.0, context(pool, seed=seed))
        assert len({one.speaker for one in pool.drawn}) == len(pool.drawn)
        numbers.add(len(pool.drawn))
    assert numbers == {3, 4, 5, 6, 7, 8}


@pytest.mark.parametrize("talkers", [3, 5, 8])
def test_so_many_talk_as_the_option_says(talkers):
    pool = FakePool()
    Babble().apply(audio(0.1), 5.0, context(pool, options=(float(talkers),)))
    assert len(pool.drawn) == talkers


def test_where_there_are_few_others_no_more_talk_than_there_are():
    others = [talk(f"s{n}", hertz=300 + 50 * n) for n in range(4)]
    numbers = set()
    for seed in range(40):
        pool = FakePool(others)
        Babble().apply(audio(0.1), 5.0, context(pool, seed=seed))
        numbers.add(len(pool.drawn))
    assert numbers == {3, 4}


def test_all_talkers_are_equally_loud():
    """Tones 40 dB apart come out at one level each, by their lines in the spectrum."""
    others = [
        talk(f"s{n}", hertz=500.0 * (n + 1), amplitude=10 ** (-n), seconds=8) for n in range(3)
    ]
    speech = audio()
    babble = Babble().apply(speech, 0.0, context(FakePool(others), options=(3.0,))) - speech
    spectrum = np.abs(np.fft.rfft(babble.double().numpy()))
    lines_db = [20 * np.log10(spectrum[int(500 * (n + 1) * 4)]) for n in range(3)]
    assert np.ptp(lines_db) < 0.05


def test_who_talked_is_noted():
    pool = FakePool()
    own = context(pool)
    Babble().apply(audio(), 5.0, own)
    assert own.notes["talkers"] == ", ".join(one.utterance for one in pool.drawn)


def test_talkers_shorter_than_the_trial_go_on_talking():
    others = [talk(f"s{n}", hertz=300 + 50 * n, seconds=0.5) for n in range(3)]
    speech = audio()
    babble = Babble().apply(speech, 0.0, context(FakePool(others))) - speech
    loudness = babble.double().square().reshape(8, -1).mean(1)
    assert float(loudness.max() / loudness.min()) < 2


def test_without_a_protocol_there_is_no_babble_but_a_way_out():
    with pytest.raises(InvalidCondition, match="no protocol here") as caught:
        Babble().apply(audio(), 5.0, context(None))
    assert "recordings(DIR)" in caught.value.hint


def test_a_protocol_with_too_few_others_is_an_error():
    with pytest.raises(InvalidCondition):
        Babble().apply(audio(), 5.0, context(FakePool([talk("a"), talk("b")])))


@pytest.mark.parametrize("talkers", [1.0, 2.0, 4.5, 9.0, -3.0])
def test_a_number_of_talkers_that_is_no_babble_is_refused(talkers):
    with pytest.raises(InvalidCondition, match="3 to 8"):
        Babble().apply(audio(), 5.0, context(FakePool(), options=(talkers,)))


def silent(name: str) -> Talk:
    return Talk(audio=torch.zeros(RATE), utterance=name, speaker=name, bonafide=True)


def test_talkers_that_say_nothing_are_an_error_and_no_division_by_zero():
    with pytest.raises(InvalidCondition, match="all talkers were silent"):
        Babble().apply(audio(), 5.0, context(FakePool([silent(n) for n in "abc"])))


def test_one_talker_that_says_nothing_leaves_the_others():
    others = [silent("a"), talk("b"), talk("c", hertz=700)]
    own = context(FakePool(others))
    Babble().apply(audio(), 5.0, own)
    assert own.notes["snr_db"] == pytest.approx(5, abs=1e-3)
