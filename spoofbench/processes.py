"""Several processes at one run: started by torchrun, which says how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Where this process stands among those that share the work."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Say whether this is the process that writes results and speaks to the user."""
        return self.rank == 0

    def wait_for_all(self) -> None:
        """Return once every process has come this far."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the other processes, if torchrun started this one, and leave them in the end."""
    if not dist.is_torchelastic_launched():
        yield Processes()
        return
    # Only waits are exchanged: scores go through the run folder. A process may wait long for the
    # others to finish; if one fails, torchrun ends them all.
    dist.init_process_group("gloo", timeout=timedelta(days=30))
    try:
        yield Processes(rank=dist.get_rank(), count=dist.get_world_size())
    finally:
        dist.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """Return the device of this process: with several accelerators, each process takes its own."""
    if device.type == "cuda" and device.index is None and dist.is_initialized():
        return torch.device("cuda", dist.get_node_local_rank() % torch.cuda.device_count())
    return device
