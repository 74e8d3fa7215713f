"""The contract of augmentations, held against everything that is on offer.

Expected values are properties: the same seed gives the same audio, the input stays as it was, what
is harder is farther from the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from pools import FakePool
from torch import Tensor

from spoofbench.contracts import BatchAugmentation, Context
from spoofbench.plugins import Offer, catalogue
from spoofbench.specs import AugmentationSpec

RATE = 16_000
OFFERS = [offer for offer in catalogue().augmentations if not offer.spec.source]
offered = pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.spec.name)
LEAST_CHANGE = 1e-4
"""Share of the energy by which an augmentation at a usual level changes speech at least."""


def speech(seconds: float = 3.0, *, seed: int = 0) -> Tensor:
    """Something like speech: a buzz with formants that comes and goes, and a little hiss."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.sin(k * phase) / (1 + ((k * 120 - 600) / 400) ** 2) for k in range(1, 30))
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * time), 0, None)
    hiss = 0.02 * random.standard_normal(time.size)
    audio = 0.05 * buzz * syllables + hiss * syllables
    return torch.from_numpy(np.concatenate([np.zeros(800), audio, np.zeros(800)])).float()


def context(offer: Offer[AugmentationSpec], *, seed: int = 1) -> Context:
    return Context(
        rate=RATE,
        random=torch.Generator().manual_seed(seed),
        utterance="mine",
        pool=FakePool(rate=RATE),
        options=tuple(default for _, default in offer.spec.options),
    )


def middle(offer: Offer[AugmentationSpec]) -> float:
    levels = offer.spec.levels
    return levels[len(levels) // 2] if levels else math.nan


def apply(
    offer: Offer[AugmentationSpec],
    audio: Tensor,
    *,
    level: float | None = None,
    seed: int = 1,
) -> Tensor:
    made = offer.spec.resolve()()
    chosen = middle(offer) if level is None else level
    return made.apply(audio, chosen, context(offer, seed=seed))


def test_there_is_something_of_every_family():
    families = {offer.spec.family for offer in catalogue().augmentations}
    assert families == {"noise", "codec", "overlap", "reverb", "channel", "time"}


@offered
def test_the_same_seed_gives_the_same_audio(offer):
    audio = speech()
    assert torch.equal(apply(offer, audio), apply(offer, audio))


@offered
def test_an_augmentation_that_was_used_before_gives_the_same_audio(offer):
    made = offer.spec.resolve()()
    audio, level = speech(), middle(offer)
    first = made.apply(audio, level, context(offer))
    made.apply(speech(1.3, seed=9), level, context(offer, seed=4))
    assert torch.equal(made.apply(audio, level, context(offer)), first)


@offered
def test_the_input_is_not_written_into(offer):
    audio = speech()
    before = audio.clone()
    apply(offer, audio)
    assert torch.equal(audio, before)


@offered
@pytest.mark.parametrize(
    "audio",
    [
        speech(),
        speech(0.1),
        0.01 * torch.ones(50),
        torch.zeros(RATE),
        torch.sign(speech() + 1e-9),
        speech() + 0.3,
    ],
    ids=["speech", "a tenth of a second", "50 samples", "silence", "square", "offset"],
)
def test_what_comes_out_is_finite_and_as_long_as_what_went_in(offer, audio):
    made = apply(offer, audio)
    assert made.dtype == audio.dtype
    assert torch.isfinite(made).all()
    assert len(made) > 0
    if offer.spec.keeps_length:
        assert made.shape == audio.shape


@offered
def test_global_random_numbers_are_neither_used_nor_set(offer):
    torch.manual_seed(3)
    np.random.seed(3)
    expected = torch.rand(2), np.random.rand(2)
    torch.manual_seed(3)
    np.random.seed(3)
    apply(offer, speech())
    assert torch.equal(torch.rand(2), expected[0])
    assert np.array_equal(np.random.rand(2), expected[1])


def distance(made: Tensor, audio: Tensor) -> float:
    """How far ``made`` is from ``audio``: the energy of what differs, of all energy."""
    size = min(len(made), len(audio))
    changed = (made[:size] - audio[:size]).double().square().sum()
    changed += audio[size:].double().square().sum() + made[size:].double().square().sum()
    return float(changed / audio.double().square().sum())


@offered
def test_speech_is_changed_at_the_hardest_level(offer):
    audio = speech()
    hardest = offer.spec.levels[-1] if offer.spec.levels else math.nan
    assert distance(apply(offer, audio, level=hardest), audio) > LEAST_CHANGE


@offered
def test_usual_levels_go_from_easy_to_hard(offer):
    """On average over seeds, the first level changes speech less than the last one.

    What changes the length of a trial changes it the more.
    """
    if len(offer.spec.levels) < 2:
        return
    audio = speech()
    if not offer.spec.keeps_length:
        lengths = [len(apply(offer, audio, level=level)) for level in offer.spec.levels]
        changes = [abs(length - len(audio)) for length in lengths]
        assert changes == sorted(changes)
        assert changes[-1] > 0
        return

    def mean(level: float) -> float:
        made = [apply(offer, audio, level=level, seed=seed) for seed in range(4)]
        return float(np.mean([distance(one, audio) for one in made]))

    assert mean(offer.spec.levels[0]) < mean(offer.spec.levels[-1])


BATCHED = [offer for offer in OFFERS if isinstance(offer.spec.resolve()(), BatchAugmentation)]


@pytest.mark.parametrize("offer", BATCHED, ids=lambda offer: offer.spec.name)
def test_several_trials_at_once_come_out_as_one_by_one(offer):
    rows: Sequence[Tensor] = [speech(seed=seed) for seed in range(3)]
    contexts = [context(offer, seed=seed) for seed in range(3)]
    usual = offer.spec.levels or (math.nan,)
    levels = [usual[seed % len(usual)] for seed in range(3)]
    together = offer.spec.resolve()().apply_batch(
        torch.stack(list(rows)), torch.tensor(levels, dtype=torch.float64), contexts
    )
    alone = [apply(offer, row, level=levels[seed], seed=seed) for seed, row in enumerate(rows)]
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-5, atol=1e-6)
