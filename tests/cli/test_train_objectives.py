"""``train`` and ``run`` with objectives, mix-up and teachers, on the tiny corpus."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from inprocess import run_here
from program import Outcome, run_program, run_python
from safetensors.torch import load_file
from strangers import offered

from spoofbench import weights

PLUGIN = """
import torch
from torch import nn
from torch.nn import functional
from spoofbench import ModelSpec, hookimpl

@hookimpl
def spoofbench_models():
    return [
        ModelSpec(name=name, target=f"tiny_plugin:{name.title()}", summary="One.", samples=2_000)
        for name in ("embedding", "plain")
    ]

class Embedding(nn.Module):
    width = 3

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 3)
        self.head = nn.Linear(3, 2)

    def embed(self, audio, lengths):
        features = torch.stack([audio.std(dim=1), audio.diff(dim=1).std(dim=1)], dim=1)
        return self.body(features.clamp(min=1e-6).log())

    def judge(self, embedded):
        return self.head(embedded)

    def score(self, audio, lengths):
        return self.judge(self.embed(audio, lengths)).diff(dim=1).squeeze(1)

    def loss(self, audio, lengths, bonafide):
        logits = self.judge(self.embed(audio, lengths))
        return functional.cross_entropy(logits, bonafide.long(), reduction="none")

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.whole = Embedding()

    def score(self, audio, lengths):
        return self.whole.score(audio, lengths)

    def loss(self, audio, lengths, bonafide):
        return self.whole.loss(audio, lengths, bonafide)
"""
OC = ("--set", 'objective="oc-softmax"')

Program = Callable[..., Outcome]
