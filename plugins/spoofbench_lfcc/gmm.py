"""Two mixtures of Gaussians over LFCCs, one of bona fide speech and one of spoofs.

Source: the baseline LFCC-GMM of ASVspoof 2019 and 2021
(https://github.com/asvspoof-challenge/2021, LA/Baseline-LFCC-GMM).
"""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor, nn

from spoofbench.errors import MissingExtra
from spoofbench_lfcc.coefficients import Lfcc

LFCC = Lfcc(window=480, hop=240, filters=70)
"""30 ms every 15 ms, up to 4 kHz, as in the 2021 baseline."""
COMPONENTS = 512
FRAMES_KEPT = 50
"""Of an utterance, evenly spaced, when the mixtures are fitted."""
VECTORS_KEPT = 200_000
"""Of a class, evenly spaced: what scikit-learn needs for them stays below 1 GB."""
_VECTORS_EACH = 20
"""Frames that there must be for a component."""
_ROUNDS = 10
_SEEDS = 2**31


class LfccGmm(nn.Module):
    """Scores are the mean log-likelihood ratio of the frames, a `ClosedForm` model."""

    weights: Tensor
    means: Tensor
    variances: Tensor

    def __init__(self) -> None:
        super().__init__()
        shape = (2, COMPONENTS, LFCC.width)  # spoof, bona fide
        self.register_buffer("weights", torch.full(shape[:2], 1 / COMPONENTS, dtype=torch.float64))
        self.register_buffer("means", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("variances", torch.ones(shape, dtype=torch.float64))

    def features(self, audio: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return up to `FRAMES_KEPT` frames ``(frames, 60)`` of each of ``audio``."""
        return [_evenly(frames, FRAMES_KEPT) for frames in _cepstra(audio, lengths)]

    def fit(self, features: Tensor, bonafide: Tensor) -> None:
        """Fit a mixture to the frames ``(frames, 60)`` of either class.

        Where there are few frames, the mixtures have fewer components. Raises `MissingExtra`
        without scikit-learn.
        """
        try:
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.mixture import GaussianMixture
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "the mixtures are fitted by scikit-learn, which is not installed",
                hint="pip install 'spoofbench[audit]'",
            ) from error
        for place, own in enumerate((~bonafide, bonafide)):
            frames = _evenly(features[own], VECTORS_KEPT)
            count = min(COMPONENTS, max(len(frames) // _VECTORS_EACH, 1))
            mixture = GaussianMixture(
                count,
                covariance_type="diag",
                max_iter=_ROUNDS,
                random_state=int(torch.randint(_SEEDS, ())),
            )
            with warnings.catch_warnings():
                # Ten rounds, as in the baseline, are meant: they need not converge.
                warnings.simplefilter("ignore", ConvergenceWarning)
                mixture.fit(frames.double().numpy())
            self.weights[place].zero_()
            self.weights[place, :count] = torch.from_numpy(mixture.weights_)
            self.means[place, :count] = torch.from_numpy(mixture.means_)
            self.variances[place, :count] = torch.from_numpy(mixture.covariances_)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean log-likelihood ratio of each of ``audio``: ``(batch,)``."""
        each = [self._likelihoods(frames.double()) for frames in _cepstra(audio, lengths)]
        return torch.stack([(bonafide - spoof).mean() for spoof, bonafide in each])

    def _likelihoods(self, frames: Tensor) -> Tensor:
        """Return the log-likelihood of ``frames`` ``(frames, 60)`` by class: ``(2, frames)``."""
        precise = self.variances.reciprocal()
        distance = (
            frames.square() @ precise.mT
            - 2 * frames @ (self.means * precise).mT
            + (self.means.square() * precise).sum(dim=2)[:, None]
        )  # (2, frames, components)
        size = self.variances.log().sum(dim=2) + LFCC.width * math.log(2 * math.pi)
        logs = self.weights.log()[:, None] - 0.5 * (distance + size[:, None])
        return torch.logsumexp(logs, dim=2)


def _cepstra(audio: Tensor, lengths: Tensor) -> list[Tensor]:
    return [LFCC(own[:length]) for own, length in zip(audio, lengths.tolist(), strict=True)]


def _evenly(rows: Tensor, count: int) -> Tensor:
    """Return up to ``count`` of ``rows``, evenly spaced."""
    if len(rows) <= count:
        return rows
    return rows[torch.linspace(0, len(rows) - 1, count, dtype=torch.float64).round().long()]
