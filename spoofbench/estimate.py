"""Estimates of how long a job will take, from timing the model itself for a moment."""

from __future__ import annotations

import time
from typing import cast

import torch
from torch import nn

from spoofbench.contracts import Countermeasure, Trainable
from spoofbench.devices import evaluating, precision_context
from spoofbench.scoring import Options

GUESSED_SECONDS = 4
"""Length of an utterance where the model takes whole ones."""


def scoring_seconds(model: Countermeasure, options: Options) -> float:
    """Return the seconds that ``model`` takes to score one utterance, measured on noise."""
    audio, lengths = _noise(options, options.samples, 2)
    with evaluating(model), precision_context(options.precision, options.device):
        model.score(audio[:1], lengths[:1])  # the first call sets things up
        started = time.perf_counter()
        model.score(audio, lengths).cpu()
        return (time.perf_counter() - started) / 2


def training_seconds(model: Trainable, options: Options, samples: int | None) -> float:
    """Return the seconds that ``model`` takes to learn from one utterance, measured on noise."""
    audio, lengths = _noise(options, samples, 2)
    bonafide = torch.tensor([True, False], device=options.device)
    with torch.random.fork_rng(devices=[]), precision_context(options.precision, options.device):
        cast(nn.Module, model).train()
        for _ in range(2):  # the first step sets things up
            started = time.perf_counter()
            loss = model.loss(audio, lengths, bonafide).float().sum()
            loss.backward()  # type: ignore[no-untyped-call]
        cast(nn.Module, model).zero_grad()
        return (time.perf_counter() - started) / 2


def in_words(seconds: float) -> str:
    """Return a duration as people say it, such as ``about 3 min``."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"about {seconds / size:.0f} {unit}"
    return f"about {max(seconds, 1):.0f} s"


def _noise(options: Options, samples: int | None, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    time_steps = samples or GUESSED_SECONDS * options.rate
    generator = torch.Generator().manual_seed(0)
    audio = 0.1 * torch.randn(batch, time_steps, generator=generator)
    lengths = torch.full((batch,), time_steps)
    return audio.to(options.device), lengths.to(options.device)
