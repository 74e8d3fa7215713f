"""The automatic speaker verification that the tandem metrics need: two Gaussians.

The two-covariance model of Brümmer and de Villiers (2010), "The speaker partitioning problem",
with diagonal covariances: talkers vary around a general mean, utterances around their talker's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft

from spoofbench_toy.frames import Array, mel, stft
from spoofbench_toy.pitch import track

_SIZE, _HOP, _BANDS, _CEPSTRA = 512, 160, 20, 16
_HIGHEST_HZ = 3800.0
"""It hears what a telephone lets through."""


def voice_print(audio: Array) -> Array:
    """Sum up ``audio`` ``(time,)`` in ``(17,)``: mean mel cepstra 1 to 16, and median log F0.

    Only frames within 25 dB of the loudest count, for F0 the most periodic ones.
    """
    power = np.abs(stft(audio, _SIZE, _HOP)) ** 2
    energy_db = 10 * np.log10(power.sum(axis=1) + 1e-12)
    loud = energy_db > energy_db.max() - 25
    log_mel = np.log(mel(power[loud], _BANDS, _HIGHEST_HZ) + 1e-9)
    cepstra = fft.dct(log_mel, type=2, norm="ortho", axis=1)[:, 1 : _CEPSTRA + 1]
    pitch = track(audio)
    periodic = pitch.strength >= np.quantile(pitch.strength, 0.6)
    return np.append(cepstra.mean(axis=0), np.median(np.log(pitch.f0_hz[periodic])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """How voice prints vary: mean, variance between and within talkers, each ``(17,)``."""

    mean: Array
    between: Array
    within: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What is known of a talker's own mean: where it is expected, and its variance, ``(17,)``."""

    mean: Array
    variance: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """The enrolled talkers by name."""

    background: Background
    talkers: Mapping[str, Enrolled]

    def score(self, print_: Array, talker: str) -> float:
        """Return the log-likelihood ratio that the voice print ``(17,)`` is ``talker``'s."""
        own, general = self.talkers[talker], self.background
        same = _log_density(print_, own.mean, own.variance + general.within)
        other = _log_density(print_, general.mean, general.between + general.within)
        return float(np.sum(same - other))


def learn_background(prints: Mapping[str, Sequence[Array]]) -> Background:
    """Estimate the variances from the voice prints of talkers who are in no trial."""
    groups = [np.stack(list(group)) for group in prints.values()]
    means = np.stack([group.mean(axis=0) for group in groups])
    free = sum(len(group) - 1 for group in groups)
    within = sum(((group - group.mean(axis=0)) ** 2).sum(axis=0) for group in groups) / free
    between = means.var(axis=0, ddof=1) - within * len(groups) / sum(map(len, groups))
    return Background(
        mean=means.mean(axis=0), between=np.maximum(between, 0.1 * within), within=within
    )


def enrol(background: Background, prints: Mapping[str, Sequence[Array]]) -> Verifier:
    """Work out where each talker's own mean must be, from the voice prints in ``prints``."""
    talkers = {}
    for talker, group in prints.items():
        count = len(group)
        variance = 1 / (1 / background.between + count / background.within)
        weighted = background.mean / background.between + np.sum(group, 0) / background.within
        talkers[talker] = Enrolled(mean=variance * weighted, variance=variance)
    return Verifier(background=background, talkers=talkers)


def _log_density(value: Array, mean: Array, variance: Array) -> Array:
    density: Array = -0.5 * (np.log(2 * np.pi * variance) + (value - mean) ** 2 / variance)
    return density
