"""Measures cases in fresh processes, in turn: A B A B, so that what disturbs one disturbs all."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from spoofbench.contracts import Progress
from spoofbench.errors import InvalidSettings
from spoofbench.settings import child_environment
from spoofbench.speed.cases import Case, Plan

RATE = 16_000
LEVEL = 0.1
SECONDS = 3600
"""A process that takes longer has hung."""
KILLED = -9


@dataclass(slots=True, kw_only=True)
class Measured:
    """What came of one case, over all rounds."""

    case: Case
    seconds: list[list[float]] = field(default_factory=list)
    """Of each call, in each round."""
    first_seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    device_bytes: list[int] = field(default_factory=list)
    joules: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    out_of_memory: bool = False

    @property
    def calls(self) -> list[float]:
        """The seconds of all calls."""
        return [seconds for own in self.seconds for seconds in own]

    @property
    def median(self) -> float:
        """The median seconds of a call; NaN where memory did not suffice."""
        return median(self.calls) if self.calls else float("nan")

    @property
    def p95(self) -> float:
        """The seconds that 95 of 100 calls stayed below."""
        return float(np.quantile(self.calls, 0.95)) if self.calls else float("nan")

    @property
    def throughput(self) -> float:
        """Utterances per second."""
        return self.case.batch / self.median

    @property
    def real_time_factor(self) -> float:
        """Seconds of computing for a second of audio."""
        return self.median / (self.case.batch * self.case.samples / RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times faster than the base: the median over rounds, and their range."""

    middle: float
    low: float
    high: float
    difference: float
    """The largest difference of scores (of the first loss, in training) to the base."""


def measure(plan: Plan, progress: Progress) -> list[Measured]:
    """Measure every case of ``plan``, ``plan.rounds`` times; the same audio for all.

    Raises `InvalidSettings` where a subject cannot be made.
    """
    results = [Measured(case=case) for case in plan.cases]
    total = plan.rounds * len(results)
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(plan.rounds):
            for number, result in enumerate(results):
                if not result.out_of_memory:
                    _once(result, _audio_file(plan, result.case, Path(folder)))
                progress(turn * len(results) + number + 1, total)
    return results


def profile(case: Case) -> dict[str, Any]:
    """Return parameters, multiply-accumulates and shares of time of a subject's network."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(cases=(case,), rounds=1)
        return _asked(case, _audio_file(plan, case, Path(folder)))


def ratio(result: Measured, base: Measured) -> Ratio | None:
    """Compare two cases, round by round; None where one of them has no numbers."""
    if not (result.calls and base.calls):
        return None
    rounds = [
        median(other) / median(own) for own, other in zip(result.seconds, base.seconds, strict=True)
    ]
    apart = np.abs(np.subtract(result.scores, base.scores))
    return Ratio(
        middle=median(rounds), low=min(rounds), high=max(rounds), difference=float(apart.max())
    )


def _once(result: Measured, audio: Path) -> None:
    found = _asked(result.case, audio)
    if found.get("out_of_memory"):
        result.out_of_memory = True
        return
    result.seconds.append(found["seconds"])
    result.scores = found["scores"]
    for name in ("first_seconds", "peak_bytes", "device_bytes", "joules"):
        if name in found:
            getattr(result, name).append(found[name])


def _asked(case: Case, audio: Path) -> dict[str, Any]:
    """Measure ``case`` once, in a process of its own."""
    asked = {"case": case.as_table(), "audio": str(audio), "started": time.time()}
    done = subprocess.run(
        [sys.executable, "-m", "spoofbench.speed.worker"],
        input=json.dumps(asked),
        env=_environment(case),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode == KILLED:
        return {"out_of_memory": True}
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InvalidSettings(
            f"{case.subject} could not be measured: {last}",
            hint=f"exit code {done.returncode}; does `spoofbench run` take it?",
        ) from None
    if "error" in found:
        raise InvalidSettings(f"{case.subject}: {found['error']}", hint=found["hint"])
    return found


def _environment(case: Case) -> Mapping[str, str]:
    """Return our environment with what the case says; threads are also set in the process."""
    table = child_environment()
    table["OMP_NUM_THREADS"] = table["MKL_NUM_THREADS"] = str(case.threads)
    if case.huge_pages:
        table["THP_MEM_ALLOC_ENABLE"] = "1"
    return table


def _audio_file(plan: Plan, case: Case, folder: Path) -> Path:
    """Return the file with the audio of ``case``: ``(batch, samples)``, float32."""
    file = folder / f"{case.batch}-{case.samples}.npy"
    if not file.exists():
        np.save(file, _audio(plan, case))
    return file


def _audio(plan: Plan, case: Case) -> np.ndarray[Any, np.dtype[np.float32]]:
    if plan.audio:
        from spoofbench import audio

        found = _recordings(Path(plan.audio))
        rows = [
            audio.first(audio.read(found[row % len(found)], RATE), case.samples)
            for row in range(case.batch)
        ]
        return np.stack(rows).astype(np.float32)
    random = np.random.default_rng(0)
    noise = LEVEL * random.standard_normal((case.batch, case.samples))
    return noise.astype(np.float32)


def _recordings(folder: Path) -> Sequence[Path]:
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".flac", ".wav", ".ogg"))
    if not found:
        raise InvalidSettings(f"--audio {folder}: there are no recordings in it")
    return found
