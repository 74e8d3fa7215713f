"""How much memory a training takes, and how much the machine and its control group have left."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil
import torch

_MB = 1_000_000
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")
_REFERENCES = Path("/proc/self/clear_refs")
_MOST_RESERVED = 1_000_000_000
_LOOK_EVERY = 0.002


class Left(NamedTuple):
    """Bytes that are left, out of ``total``, ``where``, and those better left alone."""

    bytes: int
    total: int
    reserve: int
    where: str


class Gauge(Protocol):
    """Reads the memory in which a training computes, in bytes."""

    def used(self) -> int:
        """Return what this process takes now."""
        ...

    def peak(self) -> int:
        """Return the most that it took so far."""
        ...

    def forget_peak(self) -> bool:
        """Let the peak begin anew with what is used now; say whether the system can do that."""
        ...

    def left(self) -> Left:
        """Return what it may take beyond that, wherever that is least."""
        ...


class HostGauge:
    """The machine's memory, within the limits of the control groups that the process is in.

    ``processes`` of this training share it. ``groups`` and ``own`` are where Linux tells of control
    groups.
    """

    def __init__(
        self, *, processes: int = 1, groups: Path = _GROUPS, own: Path = _OWN_GROUPS
    ) -> None:
        self._processes = processes
        self._groups = groups
        self._own = own
        self._process = psutil.Process()

    def used(self) -> int:
        """Return the resident memory of this process."""
        return int(self._process.memory_info().rss)

    def peak(self) -> int:
        """Return the most that was resident so far."""
        return peak_bytes(torch.device("cpu"))

    def forget_peak(self) -> bool:
        """Let the peak begin anew, as Linux can."""
        try:
            _REFERENCES.write_text("5", encoding="ascii")
        except OSError:
            return False
        return True

    def left(self) -> Left:
        """Return what the tightest of machine and control groups leaves to this process."""
        machine = psutil.virtual_memory()
        tightest = (machine.available, machine.total, "on this machine")
        for left, limit, name in self._group_limits(machine.total):
            if left < tightest[0]:
                tightest = (left, limit, f"in the control group {name}")
        left, total, where = tightest
        return Left(max(left, 0) // self._processes, total, min(total // 20, _MOST_RESERVED), where)

    def _group_limits(self, most: int) -> Iterator[tuple[int, int, str]]:
        """Give what is left, the limit and the name of each group with a limit below ``most``."""
        try:
            lines = self._own.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:  # not Linux
            return
        for line in lines:
            _, controllers, name = line.split(":", 2)
            if not controllers:
                yield from _limits(self._groups, name, _VERSION_2, most)
            elif "memory" in controllers.split(","):
                yield from _limits(self._groups / "memory", name, _VERSION_1, most)


class CudaGauge:
    """An accelerator's memory. It can run out without ending the process: nothing is reserved."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def used(self) -> int:
        """Return what this process's tensors take."""
        return int(torch.cuda.memory_allocated(self._device))

    def peak(self) -> int:
        """Return the most that they took so far."""
        return peak_bytes(self._device)

    def forget_peak(self) -> bool:
        """Let the peak begin anew."""
        torch.cuda.reset_peak_memory_stats(self._device)
        return True

    def left(self) -> Left:
        """Return what is free, with what torch keeps for itself and does not use."""
        free, total = torch.cuda.mem_get_info(self._device)
        kept = torch.cuda.memory_reserved(self._device) - self.used()
        return Left(free + kept, total, 0, f"on {self._device}")


class Growth:
    """What a process took at most beyond what it had at first."""

    bytes: int = 0


@contextmanager
def growth(gauge: Gauge) -> Iterator[Growth]:
    """Measure how much more is taken while this context lasts.

    The system tells, where its peak can begin anew; elsewhere a thread looks again and again.
    """
    grown, begun, over = Growth(), gauge.used(), threading.Event()
    if gauge.forget_peak():
        yield grown
        grown.bytes = max(gauge.peak() - begun, 0)
        return

    def look() -> None:
        while not over.wait(_LOOK_EVERY):
            grown.bytes = max(grown.bytes, gauge.used() - begun)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield grown
    finally:
        over.set()
        thread.join()


def peak_mb(device: torch.device) -> float:
    """Return the most memory that was taken so far, in megabytes: the device's, or the process's.

    Zero where the system does not tell.
    """
    return peak_bytes(device) / _MB


def peak_bytes(device: torch.device) -> int:
    """Return what `peak_mb` returns, in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024)


class _Files(NamedTuple):
    """What a version of control groups calls its limits, its use, and files that it caches."""

    limits: tuple[str, ...]
    used: str
    cached: tuple[str, ...]


_VERSION_2 = _Files(
    ("memory.max", "memory.high"), "memory.current", ("inactive_file", "active_file")
)
_VERSION_1 = _Files(
    ("memory.limit_in_bytes",),
    "memory.usage_in_bytes",
    ("total_inactive_file", "total_active_file"),
)


def _limits(root: Path, name: str, files: _Files, most: int) -> Iterator[tuple[int, int, str]]:
    """Give what is left in the group ``name`` and in each above it, with its limit and its name.

    Limits of ``most`` and above are none: version 1 says so by a number that nobody has.
    Cached files count as left, as in the kernel's own MemAvailable: they go before a process does.
    """
    parts = Path(name.lstrip("/")).parts
    if ".." in parts or not (root / name.lstrip("/")).is_dir():  # a container sees only its own
        parts = ()
    for depth in range(len(parts), -1, -1):
        folder = root.joinpath(*parts[:depth])
        try:
            said = [(folder / name).read_text().strip() for name in files.limits]
            limit = min(int(bound) if bound != "max" else most for bound in said)
            if limit >= most:
                continue
            used = int((folder / files.used).read_text())
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        except OSError:  # the root has no limits; of some groups nobody is told
            continue
        cached = sum(int(stat.get(kind, 0)) for kind in files.cached)
        yield limit - (used - cached), limit, "/" + "/".join(parts[:depth])
