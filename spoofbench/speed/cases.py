"""What is measured: whom, at which batch, with how many threads, in which precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any, Literal

from spoofbench.devices import PRECISIONS
from spoofbench.errors import InvalidSettings

Work = Literal["score", "train", "profile"]
"""Scoring a batch, one training step on it, or where the time of one utterance goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the measurement; every repetition of it is a process of its own.

    ``subject`` is a model's name, ``plain:MODEL`` (a model without its `optimise`),
    ``python:FILE:NAME``, ``official:CHECKOUT``, or ``onnxruntime:MODEL`` and ``openvino:MODEL``.
    ``weights`` is a file of weights, empty for the random ones of the seed.
    """

    subject: str
    weights: str = ""
    batch: int = 1
    threads: int = 1
    precision: str = "fp32"
    device: str = "cpu"
    samples: int = 64_600
    work: Work = "score"
    repeats: int = 3
    huge_pages: bool = False

    @property
    def setting(self) -> tuple[object, ...]:
        """What must be equal for two subjects to be compared."""
        return (self.batch, self.threads, self.device, self.samples, self.work)

    def as_table(self) -> dict[str, Any]:
        """Return the case for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cases of one run, in the order in which a round goes through them."""

    cases: tuple[Case, ...]
    rounds: int
    audio: str = ""
    """A folder of recordings to score; noise from a seed if there is none."""
    bound: float = 1e-4
    """The largest difference of scores to the base that counts as the same."""
    labels: dict[str, str] = field(default_factory=dict)


def cases(
    subjects: Sequence[tuple[str, str]],
    *,
    batches: Sequence[int],
    threads: Sequence[int],
    precisions: Sequence[str],
    samples: Sequence[int],
    **others: Any,
) -> tuple[Case, ...]:
    """Return all combinations, subjects varying fastest, so that those compared are neighbours.

    ``subjects`` are pairs of a subject and its file of weights. Raises `InvalidSettings`.
    """
    for name, numbers in (("--batch", batches), ("--threads", threads), ("--samples", samples)):
        if not numbers or min(numbers) < 1:
            raise InvalidSettings(f"{name} takes whole numbers from 1 up, such as 1,8,32")
    for precision in precisions:
        if precision not in PRECISIONS:
            raise InvalidSettings(
                f"--precision {precision} is unknown", hint=f"known: {', '.join(PRECISIONS)}"
            )
    return tuple(
        Case(
            subject=subject,
            weights=weights,
            batch=batch,
            threads=count,
            precision=precision,
            samples=length,
            **others,
        )
        for length, batch, count, (subject, weights), precision in product(
            samples, batches, threads, subjects, precisions
        )
        if precision == "fp32" or takes_precision(subject)
    )


def runs_by_itself(subject: str) -> bool:
    """Say whether ``subject`` is code that spoofbench does not run, but for measuring it.

    Such code is measured as it would run by itself: denormals are not flushed around it.
    """
    return subject.startswith(("official:", "python:"))


def takes_precision(subject: str) -> bool:
    """Say whether ``subject`` computes in another precision when it is asked to."""
    return not subject.startswith(("onnxruntime:", "openvino:"))
