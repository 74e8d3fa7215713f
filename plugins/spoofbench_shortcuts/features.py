"""What a recording channel leaves behind, measured on one waveform ``(time,)`` at 16 kHz."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from spoofbench.torchaudio_import import torchaudio

RATE = 16_000
BANDS = 40

_WINDOW, _HOP = 400, 160
_SIZE = 512
_TINY = 1e-10
_SILENT_DB = 40.0
"""So far below its loudest frame, a frame is silent."""
_SHARES = (0.95, 0.99, 0.999)
_EDGES_HZ = (3400.0, 4000.0, 5000.0, 6000.0, 7000.0)


def silence(audio: Tensor) -> Tensor:
    """Return ``(4,)``: seconds before and after the speech, longest pause, share of silence."""
    levels = _frame_db(audio)
    loud = torch.nonzero(levels > levels.max() - _SILENT_DB).flatten()
    gaps = loud.diff() - 1
    longest = gaps.max() if len(gaps) else torch.tensor(0)
    counts = torch.stack([loud[0], len(levels) - 1 - loud[-1], longest])
    share = 1 - len(loud) / len(levels)
    return torch.cat([counts * _HOP / RATE, torch.tensor([share])])


def channel(audio: Tensor) -> Tensor:
    """Return ``(120,)``: mean, standard deviation and 5th percentile of each log-mel band."""
    log_mel = (_power(audio) @ _filters() + _TINY).log()
    spread = log_mel.std(dim=0, correction=0)
    return torch.cat([log_mel.mean(dim=0), spread, log_mel.quantile(0.05, dim=0)])


def duration(audio: Tensor) -> Tensor:
    """Return ``(2,)``: the duration in seconds, and its logarithm."""
    seconds = torch.tensor(len(audio) / RATE)
    return torch.stack([seconds, seconds.log()])


def loudness(audio: Tensor) -> Tensor:
    """Return ``(3,)``: RMS and peak in dB, and the mean of the frames' levels in dB."""
    rms = 10 * (audio.square().mean() + _TINY).log10()
    peak = 20 * (audio.abs().max() + _TINY).log10()
    return torch.stack([rms, peak, _frame_db(audio).mean()])


def bandwidth(audio: Tensor) -> Tensor:
    """Return ``(8,)``: where 95, 99, 99.9 % of the power end in kHz; dB above 3.4 to 7 kHz."""
    power = _power(audio).mean(dim=0)
    kilohertz = torch.linspace(0, RATE / 2000, len(power))
    share = power.cumsum(0) / (power.sum() + _TINY)
    ends = [kilohertz[int((share < limit).sum().clamp(max=len(power) - 1))] for limit in _SHARES]
    above = [power[kilohertz >= edge / 1000].mean() for edge in _EDGES_HZ]
    ratio = 10 * ((torch.stack(above) + _TINY) / (power.mean() + _TINY)).log10()
    return torch.cat([torch.stack(ends), ratio])


def _frame_db(audio: Tensor) -> Tensor:
    """Return the level of each frame in dB, ``(frames,)``."""
    frames = audio.unfold(0, min(_WINDOW, len(audio)), _HOP)
    return 10 * (frames.square().mean(dim=1) + _TINY).log10()


def _power(audio: Tensor) -> Tensor:
    """Return the power spectrum of each frame, ``(frames, 257)``."""
    spectrum = torch.stft(
        audio, _SIZE, _HOP, _WINDOW, torch.hann_window(_WINDOW), return_complex=True
    )
    return spectrum.abs().square().T


@cache
def _filters() -> Tensor:
    filters: Tensor = torchaudio().functional.melscale_fbanks(
        _SIZE // 2 + 1, 0.0, RATE / 2, BANDS, RATE
    )
    return filters
