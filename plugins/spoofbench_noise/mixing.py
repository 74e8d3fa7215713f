"""Adding noise to a trial at a signal-to-noise ratio."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spoofbench import Context
from spoofbench.audio import Audio
from spoofbench.robustness.speech_level import active_level, rms_db


def with_noise(audio: Tensor, noise: Audio, snr_db: float, context: Context) -> Tensor:
    """Return ``audio`` ``(time,)`` plus ``noise`` ``(time,)``, scaled.

    The active speech level is ``snr_db`` above the RMS level of the noise over the whole trial.
    What was added is measured and noted as ``snr_db``. Audio without speech in it has no such
    ratio and is returned as it is. ``noise`` must not be silent.
    """
    speech = active_level(audio, context.rate)
    if speech is None:
        context.notes["undefined"] = "no active speech"
        return audio
    gain = 10 ** ((speech.level_db - snr_db - rms_db(noise)) / 20)
    added = noise * np.float32(gain)
    context.notes["snr_db"] = speech.level_db - rms_db(added)
    return audio + torch.from_numpy(added)
