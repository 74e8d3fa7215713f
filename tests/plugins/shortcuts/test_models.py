from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spoofbench.contracts import ClosedForm
from spoofbench.errors import MissingExtra
from spoofbench.logistic_model import LogisticModel
from spoofbench.plugins import catalogue
from spoofbench_shortcuts import models

FACTORIES = (models.silence, models.channel, models.duration, models.loudness, models.bandwidth)


def utterances(count: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    """Return noise of which the bona fide half is louder, longer and after more silence."""
    random = torch.Generator().manual_seed(0)
    bonafide = torch.arange(count) % 2 == 0
    lengths = torch.where(bonafide, 16_000, 8_000) + torch.randint(2000, (count,), generator=random)
    audio = torch.zeros(count, 20_000)
    for row, length in enumerate(lengths.tolist()):
        lead = 4000 if bonafide[row] else 500
        level = 0.3 if bonafide[row] else 0.1
        audio[row, lead:length] = level * torch.randn(length - lead, generator=random)
    return audio, lengths, bonafide


def fitted(factory) -> tuple[LogisticModel, Tensor, Tensor, Tensor]:
    audio, lengths, bonafide = utterances()
    model = factory()
    model.fit(torch.cat(model.features(audio, lengths)), bonafide)
    return model, audio, lengths, bonafide


@pytest.mark.parametrize("factory", [models.silence, models.duration, models.loudness])
def test_it_learns_what_it_hears(factory):
    model, audio, lengths, bonafide = fitted(factory)
    scores = model.score(audio, lengths)
    assert scores[bonafide].min() > scores[~bonafide].max()


def test_it_is_deaf_to_the_rest():
    """Bandwidth hears nothing of length or level: what differs here is not there for it."""
    audio, lengths, _ = utterances()
    model = models.bandwidth()
    loud = torch.cat(model.features(10 * audio, lengths))
    assert torch.allclose(loud, torch.cat(model.features(audio, lengths)), atol=1e-3)


def test_scores_are_those_of_the_library():
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    model, audio, lengths, bonafide = fitted(models.loudness)
    given = torch.cat(model.features(audio, lengths)).double().numpy()
    scaled = StandardScaler().fit_transform(given)
    expected = LogisticRegression(class_weight="balanced", max_iter=5000).fit(
        scaled, bonafide.numpy()
    )
    own = model.score(audio, lengths).numpy()
    assert own == pytest.approx(expected.decision_function(scaled), rel=1e-6)


@pytest.mark.parametrize("factory", FACTORIES)
def test_a_score_does_not_hang_on_the_batch_or_its_padding(factory):
    model, audio, lengths, _ = fitted(factory)
    together = model.score(audio, lengths)
    alone = [
        model.score(audio[row : row + 1, :length], lengths[row : row + 1])
        for row, length in enumerate(lengths.tolist())
    ]
    assert torch.allclose(together, torch.cat(alone), atol=1e-9)


def test_a_feature_that_never_changes_is_no_fault():
    model = models.duration()
    model.fit(torch.ones(6, 2), torch.tensor([True, False] * 3))
    assert torch.isfinite(model.score(torch.zeros(1, 16_000), torch.tensor([16_000]))).all()


@pytest.mark.parametrize("factory", FACTORIES)
def test_every_shortcut_is_on_offer_and_says_what_it_hears(factory):
    spec = catalogue().models.get(f"shortcut-{factory.__name__}").spec
    assert isinstance(spec.resolve()(), ClosedForm)
    assert spec.shortcut
    assert spec.shortcut in spec.summary


def test_without_scikit_learn_the_way_to_get_it_is_said(without):
    without("sklearn")
    with pytest.raises(MissingExtra, match="scikit-learn") as refused:
        models.duration().fit(torch.ones(2, 2), torch.tensor([True, False]))
    assert refused.value.hint == "pip install 'spoofbench[audit]'"
