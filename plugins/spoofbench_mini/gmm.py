"""Speaker verification by a GMM-UBM, trained on the speakers of the train part.

Reynolds, Quatieri and Dunn (2000), "Speaker verification using adapted Gaussian mixture models".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from spoofbench.errors import MissingExtra
from spoofbench.torchaudio_import import torchaudio
from spoofbench_mini.contracts import RATE, Audio

COMPONENTS = 32
RELEVANCE = 16.0
"""How many frames a speaker's own data must have to weigh as much as the background."""

_CEPSTRA, _BANDS, _WINDOW, _HOP = 20, 40, RATE // 40, RATE // 100
_LOUD_DB = 30.0

Frames = NDArray[np.float64]


class GmmVerifier:
    """Scores are log-likelihood ratios per frame: the adapted model against the background."""

    name: str = f"GMM-UBM of {COMPONENTS} components on MFCCs, trained on the train speakers"

    def __init__(self) -> None:
        self._speakers: dict[str, Frames] = {}

    def learn(self, background: Mapping[str, Sequence[Audio]]) -> None:
        """Fit the background model to all of ``background``."""
        try:
            from sklearn.mixture import GaussianMixture
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "the ASV system of mini needs scikit-learn", hint="pip install 'spoofbench[mini]'"
            ) from error
        frames = np.concatenate([cepstra(one) for own in background.values() for one in own])
        count = min(COMPONENTS, len(frames) // 20)
        self._background = GaussianMixture(count, covariance_type="diag", random_state=0)
        self._background.fit(frames)

    def enrol(self, speaker: str, utterances: Sequence[Audio]) -> None:
        """Adapt the means to ``utterances``."""
        frames = np.concatenate([cepstra(one) for one in utterances])
        share = self._background.predict_proba(frames)
        counts = share.sum(axis=0)[:, None]
        own = share.T @ frames / np.maximum(counts, 1e-9)
        weight = counts / (counts + RELEVANCE)
        self._speakers[speaker] = weight * own + (1 - weight) * self._background.means_

    def scores(self, audio: Audio, speakers: Sequence[str]) -> list[float]:
        """Return the mean log-likelihood ratio of the frames for each of the ``speakers``."""
        frames = cepstra(audio)
        general = self._likelihood(frames, self._background.means_)
        return [
            float(np.mean(self._likelihood(frames, self._speakers[speaker]) - general))
            for speaker in speakers
        ]

    def _likelihood(self, frames: Frames, means: Frames) -> Frames:
        """Return the log-likelihood of each of ``frames`` ``(frames, cepstra)``."""
        variance = self._background.covariances_
        distance = (np.square(frames[:, None] - means) / variance).sum(axis=2)
        constant = np.log(2 * np.pi * variance).sum(axis=1)
        each = np.log(self._background.weights_) - 0.5 * (distance + constant)
        total: Frames = np.logaddexp.reduce(each, axis=1)
        return total


def cepstra(audio: Audio) -> Frames:
    """Return the mel cepstra of the loud frames, ``(frames, 19)``, their mean taken off."""
    mfcc = torchaudio().transforms.MFCC(
        RATE,
        n_mfcc=_CEPSTRA,
        melkwargs={"n_fft": _WINDOW, "hop_length": _HOP, "n_mels": _BANDS, "f_min": 100.0,
                   "f_max": 3400.0},
    )  # fmt: skip
    with torch.inference_mode():
        all_frames: Frames = mfcc(torch.from_numpy(audio.astype(np.float32))).double().numpy().T
    energy = np.pad(audio, (0, _WINDOW))
    levels = np.array(
        [np.mean(np.square(energy[n * _HOP : n * _HOP + _WINDOW])) for n in range(len(all_frames))]
    )
    loud = 10 * np.log10(levels + 1e-12) > 10 * np.log10(levels.max() + 1e-12) - _LOUD_DB
    kept = all_frames[loud, 1:]
    centred: Frames = kept - kept.mean(axis=0)
    return centred
