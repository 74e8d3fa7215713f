"""How much memory a training took."""

from __future__ import annotations

import sys

import torch

_MB = 1_000_000


def peak_mb(device: torch.device) -> float:
    """Return the most memory that was taken so far, in megabytes: the device's, or the process's.

    Zero where the system does not tell.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / _MB
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / _MB
