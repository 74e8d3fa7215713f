"""The model: linear in the statistics of linear-frequency cepstral coefficients."""

import torch
from torch import nn
from torch.nn import functional

from spoofbench.torchaudio_import import torchaudio

COEFFICIENTS = 20


class LfccLinear(nn.Module):
    """LFCCs, their mean and deviation over time, and a linear layer with one output."""

    def __init__(self):
        super().__init__()
        spectrum = {"n_fft": 400, "win_length": 400, "hop_length": 160}
        transforms = torchaudio().transforms
        self.lfcc = transforms.LFCC(
            n_filter=20, n_lfcc=COEFFICIENTS, log_lf=True, speckwargs=spectrum
        )
        self.norm = nn.BatchNorm1d(2 * COEFFICIENTS)
        self.out = nn.Linear(2 * COEFFICIENTS, 1)

    def score(self, audio, lengths):
        """Return one score for each row of ``audio`` ``(batch, time)``: ``(batch,)``."""
        del lengths  # every row comes cropped, or repeated, to the same length
        features = self.lfcc(audio)  # (batch, coefficients, frames)
        statistics = torch.cat([features.mean(dim=2), features.std(dim=2)], dim=1)
        return self.out(self.norm(statistics)).squeeze(1)

    def loss(self, audio, lengths, bonafide):
        """Return each utterance's binary cross entropy ``(batch,)``."""
        scores = self.score(audio, lengths)
        return functional.binary_cross_entropy_with_logits(
            scores, bonafide.to(scores.dtype), reduction="none"
        )
