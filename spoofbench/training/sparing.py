"""Keeping a training within the memory that there is: watched before each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from spoofbench.audio import AudioCache
from spoofbench.batches import Batch
from spoofbench.errors import InvalidRun
from spoofbench.training.fabric import Learner
from spoofbench.training.memory import CudaGauge, HostGauge
from spoofbench.training.tasks import Task
from spoofbench.training.watch import Watch

Losses = Callable[[slice], Tensor]
"""Gives the losses of a part of a batch."""
AT_MOST = 50_000.0
"""Bytes that a sample takes in a step at most, as far as is known: `aasist` takes 11,000."""


def insufficient(why: str) -> InvalidRun:
    """Return an error that says ``why`` memory does not suffice, and what takes less of it."""
    return InvalidRun(
        f"the memory does not suffice {why}",
        hint="choose shorter crops (--set samples=...), or --precision bf16; where dev is scored, "
        "a smaller --batch-size",
    )


class Sparing:
    """Decides how many utterances are computed at once, and how much decoded audio is held.

    The model computes in the host's memory, or in an accelerator's; the caches are in the host's.
    ``train_caches`` are read while training, ``dev_cache`` while dev is scored.
    """

    def __init__(
        self,
        task: Task,
        learner: Learner,
        train_caches: Sequence[AudioCache],
        dev_cache: AudioCache,
    ) -> None:
        self.task = task
        self.learner = learner
        self.train_caches = tuple(train_caches)
        self.dev_cache = dev_cache
        device, processes = task.options.device, task.processes
        self.host = Watch(
            task.gauge or HostGauge(processes=processes.count // processes.nodes),
            (*self.train_caches, dev_cache),
            workers=task.options.workers,
            per_sample=AT_MOST,
            note=task.note,
        )
        self.accelerator = (
            Watch(CudaGauge(device), (), workers=0, per_sample=0, note=task.note)
            if device.type == "cuda"
            else None
        )

    def before_step(self, batch: Batch, micro_batch: int, losses: Losses) -> int:
        """Make room for a step on ``batch``; return how many utterances to compute at once."""
        samples, count = batch.audio.shape[1], min(micro_batch, len(batch.utterances))
        active = self._active(self.train_caches)
        if self.accelerator is not None:
            self.host.make_room(active)
            room = self.accelerator.make_room((), samples=samples, count=count)
        else:
            if self.host.per_sample == AT_MOST and not self.host.fits(samples * count):
                self._try(batch, losses)
            room = self.host.make_room(active, samples=samples, count=count)
        if room.count == count:
            return micro_batch
        return self._computing_less(room.count, room.why)

    def after_step(self) -> None:
        """Take note of what the step took."""
        (self.accelerator or self.host).learn()

    def before_scoring(self) -> None:
        """Make room for a batch of dev, by the caches alone."""
        self.host.make_room(self._active((self.dev_cache,)))

    def after_failure(self, error: Exception, micro_batch: int) -> int:
        """Halve the micro-batch that an accelerator could not hold; raise where it is one."""
        if micro_batch == 1:
            raise insufficient("for one utterance at a time") from error
        torch.cuda.empty_cache()
        return self._computing_less(-(-micro_batch // 2), "memory is short")

    def _active(self, read: tuple[AudioCache, ...]) -> tuple[AudioCache, ...]:
        """Return the caches that can shrink now: those that workers ``read``, or this process's."""
        return read if self.task.options.workers else (*self.train_caches, self.dev_cache)

    def _computing_less(self, count: int, why: str) -> int:
        norms = any(isinstance(part, _BatchNorm) for part in self.learner.model.modules())
        self.task.note(
            f"{why}: going on with {count} utterances at a time, "
            f"batches of {self.task.recipe.batch_size} as before"
            + (f"; batch norm now sees {count}, which changes its statistics" if norms else "")
        )
        return count

    def _try(self, batch: Batch, losses: Losses) -> None:
        """Measure what a step takes, on two utterances of ``batch``; nothing is learned."""
        model, part = self.learner.model, slice(0, 2)
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}

        def step() -> int:
            self.learner.add_gradients(lambda: losses(part).sum(), is_last=False)
            return batch.audio[part].numel()

        self.host.measure(step)
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
