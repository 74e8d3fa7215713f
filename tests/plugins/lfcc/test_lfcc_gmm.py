"""LFCC-GMM against scikit-learn's own likelihoods, and on voices that are easy to tell apart."""

from __future__ import annotations

import pytest
import torch
from sklearn import mixture

from spoofbench.errors import MissingExtra
from spoofbench_lfcc import gmm
from spoofbench_lfcc.gmm import LFCC, LfccGmm


def frames(count: int, centre: float, seed: int) -> torch.Tensor:
    drawn = torch.randn(count, LFCC.width, generator=torch.Generator().manual_seed(seed))
    return drawn + centre


@pytest.fixture(scope="module")
def fitted() -> LfccGmm:
    torch.manual_seed(0)
    model = LfccGmm()
    features = torch.cat([frames(300, -1.0, 1), frames(300, 1.0, 2)])
    model.fit(features, torch.arange(600) >= 300)
    return model


def test_scores_are_the_ratio_of_the_library_s_likelihoods(fitted: LfccGmm) -> None:
    audio = 0.1 * torch.randn(2, 8_000, generator=torch.Generator().manual_seed(3))
    each = []
    for place in (0, 1):
        used = fitted.weights[place] > 0
        theirs = mixture.GaussianMixture(int(used.sum()), covariance_type="diag")
        theirs.weights_ = fitted.weights[place][used].numpy()
        theirs.means_ = fitted.means[place][used].numpy()
        theirs.covariances_ = fitted.variances[place][used].numpy()
        theirs.precisions_cholesky_ = theirs.covariances_**-0.5
        each.append([theirs.score(LFCC(own).double().numpy()) for own in audio])
    expected = [bonafide - spoof for spoof, bonafide in zip(*each, strict=True)]
    given = fitted.score(audio, torch.tensor([8_000] * 2))
    assert given.tolist() == pytest.approx(expected, rel=1e-6)


def test_it_has_a_component_for_twenty_frames_and_at_most_512(fitted: LfccGmm) -> None:
    assert (fitted.weights > 0).sum(dim=1).tolist() == [15, 15]
    assert fitted.weights.sum(dim=1).tolist() == pytest.approx([1.0, 1.0])
    assert fitted.weights.shape == (2, 512)


def test_the_seed_decides_what_is_fitted() -> None:
    features = torch.cat([frames(100, 0.0, 1), frames(100, 0.5, 2)])
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        model = LfccGmm()
        model.fit(features, torch.arange(200) >= 100)
        states.append(model.means.clone())
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_frames_are_kept_evenly_and_bounded() -> None:
    """An utterance of 16 s has over a thousand frames: fifty of them, first and last included."""
    audio = 0.1 * torch.randn(1, 256_000, generator=torch.Generator().manual_seed(4))
    model = LfccGmm()
    (kept,) = model.features(audio, torch.tensor([256_000]))
    whole = LFCC(audio[0])
    assert len(kept) == gmm.FRAMES_KEPT
    assert torch.equal(kept[0], whole[0])
    assert torch.equal(kept[-1], whole[-1])


def test_padding_is_not_heard(fitted: LfccGmm) -> None:
    audio = 0.1 * torch.randn(1, 6_000, generator=torch.Generator().manual_seed(5))
    padded = torch.cat([audio, torch.zeros(1, 2_000)], dim=1)
    length = torch.tensor([6_000])
    assert torch.equal(fitted.score(audio, length), fitted.score(padded, length))


def test_without_scikit_learn_the_way_to_get_it_is_said(without) -> None:
    without("sklearn")
    with pytest.raises(MissingExtra, match="scikit-learn"):
        LfccGmm().fit(torch.ones(2, LFCC.width), torch.tensor([True, False]))
