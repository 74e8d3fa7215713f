"""Speaker verification by the cosine of two embeddings of a pretrained network.

The network is the LSTM of Wan et al. (2018), "Generalized end-to-end loss for speaker
verification", with the weights that the package Resemblyzer ships (Apache-2.0). They are read as
tensors; no code of the package is imported, which would need librosa and webrtcvad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spoofbench.torchaudio_import import torchaudio
from spoofbench_mini.contracts import RATE, Audio
from spoofbench_mini.packaged import packaged_file

INSTALL = "pip install --no-deps Resemblyzer"

_PACKAGE, _FILE = "resemblyzer", "pretrained.pt"
_BANDS, _WIDTH, _LAYERS = 40, 256, 3
_WINDOW, _HOP = RATE // 40, RATE // 100
_FRAMES, _STEP = 160, 80
_LEVEL_DB = -30.0
"""The network was trained on audio of this RMS level or more."""


def weights_file() -> Path | None:
    """Return the file of the weights where the package is installed, else None."""
    return packaged_file(_PACKAGE, _FILE)


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(_BANDS, _WIDTH, _LAYERS, batch_first=True)
        self.linear = nn.Linear(_WIDTH, _WIDTH)

    def forward(self, mel: Tensor) -> Tensor:
        """Embed windows of a mel spectrogram ``(windows, 160, 40)``: ``(windows, 256)``."""
        _, (hidden, _) = self.lstm(mel)
        return nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)


class EmbeddingVerifier:
    """Scores are cosines between an utterance and the mean of a speaker's enrolment."""

    name: str = "speaker embedding (GE2E LSTM, weights of Resemblyzer), cosine"

    def __init__(self, file: Path) -> None:
        state = torch.load(file, map_location="cpu", weights_only=True)["model_state"]
        self._network = _Network().eval()
        own = self._network.state_dict().keys()
        self._network.load_state_dict({name: state[name] for name in own})
        self._mel = torchaudio().transforms.MelSpectrogram(
            RATE,
            n_fft=_WINDOW,
            hop_length=_HOP,
            n_mels=_BANDS,
            norm="slaney",
            mel_scale="slaney",
            pad_mode="constant",
        )
        self._speakers: dict[str, NDArray[np.float64]] = {}

    def learn(self, background: Mapping[str, Sequence[Audio]]) -> None:
        """Learn nothing: the network is trained."""

    def enrol(self, speaker: str, utterances: Sequence[Audio]) -> None:
        """Remember the mean embedding of ``utterances``."""
        self._speakers[speaker] = _unit(np.mean([self.embed(own) for own in utterances], axis=0))

    def scores(self, audio: Audio, speakers: Sequence[str]) -> list[float]:
        """Return the cosine with each of the ``speakers``."""
        own = self.embed(audio)
        return [float(own @ self._speakers[speaker]) for speaker in speakers]

    def embed(self, audio: Audio) -> NDArray[np.float64]:
        """Return the embedding ``(256,)``: the mean over windows of 1.6 s, half of it overlapped.

        Shorter utterances are repeated.
        """
        rms = np.sqrt(np.mean(np.square(audio)))
        gain = max(1.0, 10 ** (_LEVEL_DB / 20) / max(float(rms), 1e-9))
        samples = np.tile(audio * gain, -(-_FRAMES * _HOP // len(audio)))
        with torch.inference_mode():
            mel = self._mel(torch.from_numpy(samples.astype(np.float32))).T
            windows = mel.unfold(0, _FRAMES, _STEP).mT
            return _unit(self._network(windows).double().mean(dim=0).numpy())


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return unit
