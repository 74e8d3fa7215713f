from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pools import OWN, FakePool, talk
from torch import Generator, Tensor

from spoofbench.contracts import Context, Talk
from spoofbench.errors import InvalidCondition
from spoofbench_overlap.overlap import Overlap, OverlapBySpoof

RATE = 16_000


def context(
    pool: FakePool | None = None, *, share: float | None = None, seed: int = 0, alone: bool = False
) -> Context:
    return Context(
        rate=RATE,
        random=Generator().manual_seed(seed),
        utterance="u",
        pool=None if alone else pool or FakePool(),
        options=() if share is None else (share,),
    )


def tone(seconds: float = 4.0) -> Tensor:
    samples = torch.arange(int(seconds * RATE), dtype=torch.float64)
    return (0.1 * torch.sin(2 * math.pi * 3000 * samples / RATE)).float()


def level_db(audio: Tensor) -> float:
    return 10 * math.log10(float(audio.double().square().mean()))


def span(added: Tensor) -> tuple[int, int]:
    """Return the first sample that was changed and the one after the last."""
    (places,) = torch.nonzero(added, as_tuple=True)
    return int(places[0]), int(places[-1]) + 1


@pytest.mark.parametrize("sir_db", [15.0, 5.0, -5.0])
@pytest.mark.parametrize("share", [100.0, 50.0, 25.0])
def test_the_ratio_of_the_talkers_is_the_one_asked_for(sir_db, share):
    """Both are steady tones, so that their active levels are their levels where they are."""
    audio = tone()
    own = context(share=share)
    added = Overlap().apply(audio, sir_db, own) - audio
    first, end = span(added)
    ratio_db = level_db(audio) - level_db(added[first + 320 : end - 320])
    assert ratio_db == pytest.approx(sir_db, abs=0.15)
    assert own.notes["sir_db"] == pytest.approx(sir_db, abs=1e-3)


@pytest.mark.parametrize("share", [100.0, 50.0, 25.0, 1.0])
def test_the_interferer_talks_over_the_share_of_the_time_in_one_piece(share):
    audio = tone()
    own = context(share=share)
    first, end = span(Overlap().apply(audio, 0.0, own) - audio)
    assert (end - first) / len(audio) == pytest.approx(share / 100, abs=0.001)
    assert own.notes["share_percent"] == pytest.approx(share)
    assert own.notes["start_seconds"] == pytest.approx(first / RATE, abs=0.001)


def test_the_share_is_all_of_the_time_unless_said_otherwise():
    assert torch.equal(
        Overlap().apply(tone(), 0.0, context()), Overlap().apply(tone(), 0.0, context(share=100.0))
    )


def test_the_interferer_comes_in_anywhere():
    audio = tone(1)
    notes = []
    for seed in range(40):
        own = context(share=50.0, seed=seed)
        Overlap().apply(audio, 0.0, own)
        notes.append(float(own.notes["start_seconds"]))
    assert 0 <= min(notes) < 0.1
    assert 0.4 < max(notes) <= 0.5


def test_the_interferer_fades_in_and_out_over_ten_milliseconds():
    """A constant shows the ramp itself: half way up after half of it."""
    constant = Talk(audio=torch.full((RATE,), 0.1), utterance="c", speaker="c", bonafide=True)
    audio = tone(1)
    added = Overlap().apply(audio, 0.0, context(FakePool([constant]), share=50.0)) - audio
    first, end = span(added)
    steady = float(added[(first + end) // 2])
    assert float(added[first + 80] / steady) == pytest.approx(0.5, abs=0.03)
    assert float(added[end - 81] / steady) == pytest.approx(0.5, abs=0.03)
    assert float(added[first + 160] / steady) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("overlap", "bonafide", "key"), [(Overlap, True, "bonafide"), (OverlapBySpoof, False, "spoof")]
)
def test_the_interferer_is_somebody_else_of_the_class_that_is_meant(overlap, bonafide, key):
    for seed in range(20):
        pool = FakePool()
        own = context(pool, seed=seed)
        overlap().apply(tone(0.2), 0.0, own)
        assert {one.speaker for one in pool.drawn}.isdisjoint({OWN})
        assert {one.bonafide for one in pool.drawn} == {bonafide}
        assert own.notes["interferer"] == pool.drawn[-1].utterance
        assert own.notes["interferer_key"] == key


def test_pauses_of_the_interferer_are_not_taken_for_speech():
    """Nine tenths of this utterance are a hiss 60 dB below the rest."""
    whole = torch.cat([talk("a", seconds=0.5, hertz=500).audio, torch.zeros(9 * RATE // 2)])
    whole += 1e-4 * torch.randn(len(whole), generator=Generator().manual_seed(1))
    pool = FakePool([Talk(audio=whole, utterance="a", speaker="a", bonafide=True)])
    audio = tone(1)
    for seed in range(10):
        added = Overlap().apply(audio, 0.0, context(pool, share=20.0, seed=seed)) - audio
        spectrum = np.abs(np.fft.rfft(added.double().numpy())) ** 2
        assert spectrum[400:600].sum() > 0.9 * spectrum.sum()


def test_silence_stays_and_its_ratio_is_said_to_be_undefined():
    own = context()
    assert torch.equal(Overlap().apply(torch.zeros(RATE), 5.0, own), torch.zeros(RATE))
    assert own.notes == {"undefined": "no active speech"}


@pytest.mark.parametrize("samples", [1, 2, 50, 1_600, 320_000])
def test_audio_of_any_length_is_talked_over(samples):
    audio = tone(20)[:samples] + 0.01
    before = audio.clone()
    own = context(share=30.0)
    made = Overlap().apply(audio, 5.0, own)
    assert (made.shape, made.dtype) == (audio.shape, torch.float32)
    assert torch.isfinite(made).all()
    assert torch.equal(audio, before)
    assert own.notes["sir_db"] == pytest.approx(5, abs=1e-3)


def test_the_same_seed_gives_the_same_audio():
    one, same, other = (
        Overlap().apply(tone(), 5.0, context(share=30.0, seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("share", [0.0, -5.0, 100.5])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(InvalidCondition, match="above 0 and up to 100"):
        Overlap().apply(tone(), 5.0, context(share=share))


def test_without_a_protocol_there_is_nobody_else_but_a_way_out():
    with pytest.raises(InvalidCondition, match="no protocol here") as caught:
        Overlap().apply(tone(), 5.0, context(alone=True))
    assert "recordings(DIR)" in caught.value.hint


def test_an_interferer_that_says_nothing_is_an_error_and_no_division_by_zero():
    mute = Talk(audio=torch.zeros(RATE), utterance="a", speaker="a", bonafide=True)
    with pytest.raises(InvalidCondition, match="said nothing"):
        Overlap().apply(tone(), 5.0, context(FakePool([mute])))
