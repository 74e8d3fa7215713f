"""A training that torchrun starts in two processes, of which the second may be short of memory.

``python -m torch.distributed.run ... in_two.py HOW TINY FOLDER``. With ``parts`` both compute one
utterance at a time; with ``gauge``, ``forward`` and ``backward`` the memory that is left, the
forward pass or the backward pass allows the second no more.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from small import task
from test_sparing import SCARCE, Plain, Told
from torch import Tensor

from spoofbench.processes import joined
from spoofbench.training import fit


class Short(Plain):
    """Has a buffer, as models do, and room for one utterance: then ``fails`` says where not."""

    def __init__(self, fails: str = "") -> None:
        super().__init__()
        self.fails = fails
        self.register_buffer("unused", torch.zeros(1))

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        losses = super().loss(audio, lengths, bonafide)
        if len(audio) > 1 and self.fails == "forward":
            raise torch.OutOfMemoryError("no")
        return Failing.apply(losses) if len(audio) > 1 and self.fails == "backward" else losses


class Failing(torch.autograd.Function):
    """Nothing, whose gradient is too much."""

    @staticmethod
    def forward(ctx: Any, losses: Tensor) -> Tensor:
        return losses.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("no")


def main(how: str, tiny: str, folder: str) -> None:
    """Train as ``how`` says."""
    with joined() as processes:
        chosen = replace(task(Path(tiny), Path(folder)), processes=processes)
        short = "" if processes.is_first else how
        if how == "parts":
            chosen = replace(chosen, micro_batch=1)
        if short == "gauge":
            chosen = replace(chosen, gauge=Told(*SCARCE))
        fit.fit(
            partial(Short, short),
            chosen,
            progress=lambda done, total: None,
            report=lambda epoch, is_best: None,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
