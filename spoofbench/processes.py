"""Several processes at one run: started by torchrun, which says how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

from spoofbench.settings import child_environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Where this process stands among those that share the work."""

    rank: int = 0
    count: int = 1
    nodes: int = 1

    @property
    def is_first(self) -> bool:
        """Say whether this is the process that writes results and speaks to the user."""
        return self.rank == 0

    def wait_for_all(self) -> None:
        """Return once every process has come this far."""
        if self.count > 1:
            self.any(value=False)

    def any(self, *, value: bool) -> bool:
        """Say whether ``value`` is true in any process; all must ask."""
        if self.count == 1:
            return value
        true = torch.tensor([float(value)])
        dist.all_reduce(true)
        return bool(true.item())


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the other processes, if torchrun started this one, and leave them in the end."""
    if not dist.is_torchelastic_launched():
        yield Processes()
        return
    # Scores go through the run folder; only waits, and in training gradients, are exchanged. A
    # process may wait long for the others to finish; if one fails, torchrun ends them all.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=timedelta(days=30))
    count = dist.get_world_size()
    nodes = count // int(child_environment().get("LOCAL_WORLD_SIZE", count))
    try:
        yield Processes(rank=dist.get_rank(), count=count, nodes=nodes)
    finally:
        dist.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """Return the device of this process: with several accelerators, each process takes its own."""
    if device.type == "cuda" and device.index is None and dist.is_initialized():
        return torch.device("cuda", dist.get_node_local_rank() % torch.cuda.device_count())
    return device
