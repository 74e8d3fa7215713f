"""What the user asked for, and how a job answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from spoofbench.contracts import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How a job speaks: notes beside the results, and progress of what takes long."""

    note: Callable[[str], None]
    progress: Callable[[str, str], AbstractContextManager[Progress]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for; the same for ``run`` and ``train``."""

    model: str
    data: Path | None
    out: Path
    limit: int | None
    device: str
    precision: str
    batch_size: int
    workers: int | None
    seed: int
    micro_batch: int | None = None
    trackers: tuple[str, ...] = ()
    keep: int = 1
    checkpoint_every: float = 10.0
    """Minutes of training that a crash may lose."""
    compiler: str = ""
    cache_dir: Path | None = None
    cache_limit: float = 32.0
    """Gigabytes that decoded audio may take in ``cache_dir``."""
