"""Augmentation in training: what is done to an utterance hangs on seed, epoch and utterance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spoofbench import audio
from spoofbench.audio import Audio
from spoofbench.batches import Crop
from spoofbench.robustness.applying import Applied
from spoofbench.trials import Trial

_SEEDS = 2**31
_STREAM = 7
"""Parts these draws from those of the crop, which hang on the same three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmented:
    """Crops an utterance, and applies one of the conditions to a share of them.

    Each epoch draws anew. With one worker or many the same audio comes out.
    """

    crop: Crop
    conditions: Sequence[Applied]
    share: float
    seed: int

    def __call__(self, waveform: Audio, trial: Trial, epoch: int) -> Audio:
        """Return what the model is to hear of ``waveform`` ``(time,)``."""
        cropped = self.crop(waveform, trial, epoch)
        random = np.random.default_rng([self.seed, epoch, _STREAM, *trial.utterance.encode()])
        if random.random() >= self.share:
            return cropped
        chosen = self.conditions[int(random.integers(len(self.conditions)))]
        made, _ = replace(chosen, seed=int(random.integers(_SEEDS)))(cropped, trial)
        return audio.first(made, len(cropped))  # a change of speed changes the length
