"""What a clause of a contract is, and what the clauses of several kinds share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

RATE = 16_000


class Broken(AssertionError):
    """A clause that does not hold: what was expected, what came, and what to do."""

    def __init__(self, expected: str, came: str, do: str) -> None:
        super().__init__(f"expected {expected}; came {came}. {do}")
        self.expected, self.came, self.do = expected, came, do


class NotApplicable(Exception):
    """A clause that says nothing about this one, and why."""


Check = Callable[[Any], None]
"""Looks at one subject of its kind. Raises `Broken`, or `NotApplicable`."""


def sentence(check: Check) -> str:
    """Return what a clause demands: the first line of its docstring, without the full stop."""
    return (check.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def clip(seconds: float, *, seed: int, rate: int = RATE) -> Tensor:
    """Return something like speech ``(time,)``: a buzz that comes and goes, between silence."""
    draw = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    pitch = draw.uniform(90, 220) * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * time + draw.uniform(0, 6)) + 0.2, 0, None)
    made = 0.05 * buzz * syllables + 0.003 * draw.standard_normal(time.size)
    made[: len(made) // 10] = made[-(len(made) // 10) :] = 0
    return torch.from_numpy(made).float()


def global_state() -> dict[str, Any]:
    """Return what a plugin must leave as it is."""
    return {
        "the number of threads": torch.get_num_threads(),
        "the default dtype": torch.get_default_dtype(),
        "whether gradients are on": torch.is_grad_enabled(),
        "torch's deterministic mode": torch.are_deterministic_algorithms_enabled(),
        "torch's random state": torch.get_rng_state().tolist(),
        "numpy's random state": repr(np.random.get_state()),
        "Python's random state": hash(random.getstate()),
    }


@contextmanager
def state_untouched() -> Iterator[None]:
    """Raise `Broken` if the block leaves the global state otherwise than it found it."""
    before = global_state()
    yield
    after = global_state()
    changed = [name for name, value in before.items() if after[name] != value]
    if changed:
        raise Broken(
            "the process as it was",
            f"{', '.join(changed)} changed",
            "Draw from a generator of your own, and give settings back.",
        )


def close(one: Tensor, other: Tensor, tolerance: float = 1e-4) -> bool:
    """Say whether scores are equal but for rounding, which grows with their size."""
    return bool(((one - other).abs() <= tolerance * (1 + other.abs())).all())
