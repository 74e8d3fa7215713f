"""Mix-up, by arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from spoofbench.batches import Batch
from spoofbench.training.mixing import mixed, unmixed


def batch(count: int = 6, time: int = 7) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        place=0,
        audio=torch.randn(count, time, generator=generator),
        lengths=torch.arange(1, count + 1),
        bonafide=torch.arange(count) % 3 == 0,
        utterances=tuple(f"U{n}" for n in range(count)),
        failures=(),
    )


def test_each_utterance_is_mixed_with_one_half_a_batch_away_and_has_both_keys():
    plain = batch()
    heard, (own, other) = mixed(plain, 0.7, seed=1, epoch=2)
    assert own.utterances == ("U0", "U1", "U2", "U3", "U4", "U5")
    assert other.utterances == ("U3", "U4", "U5", "U0", "U1", "U2")
    assert other.bonafide.tolist() == [bool(plain.bonafide[n]) for n in (3, 4, 5, 0, 1, 2)]
    assert torch.allclose(own.share + other.share, torch.ones(6))
    for n, m in enumerate((3, 4, 5, 0, 1, 2)):
        share = float(own.share[n])
        expected = [
            share * a + (1 - share) * b
            for a, b in zip(plain.audio[n].tolist(), plain.audio[m].tolist(), strict=True)
        ]
        assert heard.audio[n].tolist() == pytest.approx(expected, abs=1e-6)
        assert heard.lengths[n] == max(plain.lengths[n], plain.lengths[m])


def test_a_share_hangs_on_seed_epoch_and_utterance_alone():
    whole = batch()
    _, (own, _) = mixed(whole, 0.7, seed=1, epoch=2)
    part = replace(
        whole,
        audio=whole.audio[1::2],
        lengths=whole.lengths[1::2],
        bonafide=whole.bonafide[1::2],
        utterances=whole.utterances[1::2],
    )
    _, (same, _) = mixed(part, 0.7, seed=1, epoch=2)
    assert torch.equal(same.share, own.share[1::2])
    for seed, epoch in ((2, 2), (1, 3)):
        _, (changed, _) = mixed(whole, 0.7, seed=seed, epoch=epoch)
        assert not torch.isclose(changed.share, own.share).any()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_processes_that_share_a_batch_evenly_mix_what_one_process_does(count):
    """Each of them has every n-th utterance, an even number of them."""
    whole = batch(count=12)
    heard, _ = mixed(whole, 0.7, seed=1, epoch=2)
    for rank in range(count):
        own = slice(rank, None, count)
        part = replace(
            whole,
            audio=whole.audio[own],
            lengths=whole.lengths[own],
            bonafide=whole.bonafide[own],
            utterances=whole.utterances[own],
        )
        assert torch.equal(mixed(part, 0.7, seed=1, epoch=2)[0].audio, heard.audio[own])


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_shares_have_the_mean_and_the_variance_of_the_beta_distribution(alpha):
    """A half, and 1 / (4 (2 alpha + 1))."""
    shares = np.concatenate(
        [
            mixed(batch(count=400, time=1), alpha, seed=seed, epoch=1)[1][0].share.numpy()
            for seed in range(20)
        ]
    )
    variance = 1 / (4 * (2 * alpha + 1))
    assert shares.mean() == pytest.approx(0.5, abs=4 * np.sqrt(variance / len(shares)))
    assert shares.var() == pytest.approx(variance, rel=0.06)


def test_the_batch_itself_is_left_as_it_was():
    plain = batch()
    before = plain.audio.clone()
    mixed(plain, 1.0, seed=1, epoch=1)
    assert torch.equal(plain.audio, before)


def test_unmixed_each_key_counts_in_full():
    plain = batch()
    (keys,) = unmixed(plain)
    assert keys.share.tolist() == [1.0] * 6
    assert torch.equal(keys.bonafide, plain.bonafide)
    assert keys.utterances == plain.utterances
