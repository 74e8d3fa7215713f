"""Copy-synthesis from a mel spectrogram, the phase found by Griffin and Lim's algorithm."""

from __future__ import annotations

import numpy as np

from spoofbench.torchaudio_import import torchaudio
from spoofbench_mini.contracts import RATE, Audio, Made, Side

_SIZE, _HOP, _BANDS, _ROUNDS = 1024, 256, 80, 32


class GriffinLim:
    """Griffin and Lim (1984), "Signal estimation from modified short-time Fourier transform"."""

    name: str = "griffin-lim"
    summary: str = "Mel spectrogram and back, the phase by Griffin-Lim."
    side: Side = "known"
    neural: bool = False
    licence: str = "torchaudio: BSD-2-Clause"
    highest_hz: float = RATE / 2

    def missing(self) -> str:
        """Return nothing: torchaudio is always there."""
        return ""

    def copy(self, audio: Audio, random: np.random.Generator) -> Made:
        """Return ``audio`` with its phase forgotten and found again from a random start."""
        import torch

        transforms = torchaudio().transforms
        samples = torch.from_numpy(np.asarray(audio, dtype=np.float32))
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(int(random.integers(2**31)))
            mel = transforms.MelSpectrogram(
                RATE, n_fft=_SIZE, hop_length=_HOP, n_mels=_BANDS, power=1.0
            )(samples)
            magnitude = transforms.InverseMelScale(_SIZE // 2 + 1, _BANDS, RATE)(mel)
            made = transforms.GriffinLim(_SIZE, _ROUNDS, hop_length=_HOP, power=1.0)(magnitude)
        steps = (f"mel spectrogram, {_BANDS} bands; Griffin-Lim, {_ROUNDS} rounds",)
        return Made(audio=made.double().numpy()[: len(audio)], steps=steps)
