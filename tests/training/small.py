"""A model of six parameters, and tasks on the tiny corpus, for tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tiny import RATE
from torch import Tensor, nn
from torch.nn import functional

from spoofbench import protocols
from spoofbench.plugins import catalogue
from spoofbench.scoring import Options
from spoofbench.terms import Terms, terms_of
from spoofbench.training.aims import aims_of
from spoofbench.training.recipe import Recipe
from spoofbench.training.tasks import Task


class Small(nn.Module):
    """Linear in loudness and roughness; dropout makes it draw from the global generator."""

    width = 2

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2, affine=False)
        self.dropout = nn.Dropout(0.2)
        self.out = nn.Linear(2, 2)

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        loudness, roughness = audio.std(dim=1), audio.diff(dim=1).std(dim=1)
        features = torch.stack([loudness, roughness], dim=1).clamp(min=1e-6).log()
        return self.norm(features)

    def judge(self, embedded: Tensor) -> Tensor:
        return self.out(self.dropout(embedded))

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        logits = self.judge(self.embed(audio, lengths))
        return logits[:, 1] - logits[:, 0]

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        logits = self.judge(self.embed(audio, lengths))
        return functional.cross_entropy(logits, bonafide.long(), reduction="none")


def terms(tiny: Path, part: str) -> Terms:
    """What the protocol ``tiny-PART`` says."""
    return terms_of(protocols.read(tiny / f"tiny-{part}.toml"), catalogue(), tiny)


def task(tiny: Path, folder: Path, **changes: Any) -> Task:
    """A training of three epochs of two steps, with ``changes`` to the recipe."""
    recipe = Recipe.model_validate(
        {"epochs": 3, "batch_size": 4, "samples": 2_000, "learning_rate": 1e-2} | changes
    )
    on = terms(tiny, "train")
    with torch.random.fork_rng(devices=[]):
        aims = aims_of(recipe, Small(), "small", on, catalogue(), RATE)
    return Task(
        model_name="small",
        train=on,
        dev=terms(tiny, "dev"),
        recipe=recipe,
        seed=5,
        options=Options(device=torch.device("cpu"), samples=recipe.samples, workers=0, root=tiny),
        folder=folder,
        aims=aims,
    )
