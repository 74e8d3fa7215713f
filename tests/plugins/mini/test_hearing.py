from __future__ import annotations

import numpy as np
import pytest
from voices import voice

from spoofbench_mini import hearing
from spoofbench_mini.contracts import RATE, Audio, Unusable

TIME = np.arange(4 * RATE) / RATE


def chord() -> Audio:
    """Return held notes, as an organ plays them: nobody pauses."""
    notes = [np.sin(2 * np.pi * hertz * TIME) for hertz in (220.0, 277.2, 329.6, 440.0)]
    chord: Audio = 0.05 * np.sum(notes, axis=0) * (1 + 0.2 * np.sin(2 * np.pi * 2 * TIME))
    return chord


@pytest.mark.parametrize("seed", range(5))
def test_syllables_with_pauses_pass(seed: int):
    hearing.check(voice(seed=seed))


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (np.zeros(4 * RATE), "silence"),
        (1e-5 * voice(), "silence"),
        (np.concatenate([0.3 * voice(seconds=0.3), np.zeros(8 * RATE)]), "silence"),
        (np.clip(40 * voice(), -1, 1), "clipped"),
        (chord(), "music"),
        (0.1 * np.random.default_rng(0).standard_normal(4 * RATE), "music or noise"),
    ],
)
def test_what_is_no_speech_is_refused(audio: Audio, reason: str):
    with pytest.raises(Unusable, match=reason):
        hearing.check(audio)


def test_the_share_of_pauses_is_that_of_the_time():
    """A tone that is there for 0.7 of every 0.4 s: 0.3 of the frames are quiet."""
    gate = (TIME * 2.5) % 1 < 0.7
    assert hearing.pauses(np.sin(2 * np.pi * 200 * TIME) * gate) == pytest.approx(0.3, abs=0.01)
