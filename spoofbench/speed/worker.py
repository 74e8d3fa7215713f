"""The process that measures one case once: ``python -m spoofbench.speed.worker``.

It reads a case as JSON and writes what it found as JSON, so that nothing of one measurement, no
cache and no grown memory, reaches the next.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from spoofbench.contracts import Trainable
from spoofbench.devices import denormals_flushed, evaluating, precision_context
from spoofbench.errors import SpoofbenchError
from spoofbench.speed.cases import Case, runs_by_itself
from spoofbench.speed.subjects import Subject, ready

ENERGY = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
WARM_UP = 1


def main() -> None:
    """Measure the case on standard input; write the result, or the error, to standard output."""
    asked = json.loads(sys.stdin.read())
    case = Case(**asked["case"])
    with redirect_stdout(sys.stderr):  # exporters and models print
        try:
            result = measure(case, asked["audio"], asked["started"])
        except SpoofbenchError as error:
            result = {"error": str(error), "hint": error.hint}
        except (RuntimeError, MemoryError) as error:
            if not _is_memory(error):
                raise
            result = {"out_of_memory": True}
    sys.stdout.write(json.dumps(result))


def measure(case: Case, file: str, started: float) -> dict[str, Any]:
    """Return what came of ``case`` on the audio in ``file``, for a process begun at ``started``."""
    torch.set_num_threads(case.threads)
    device = torch.device(case.device)
    audio = torch.from_numpy(np.load(file, allow_pickle=False)).to(device)
    subject = ready(case)
    if case.work == "profile":
        return _profile(subject, audio[:1])
    if case.work == "train":
        return _trained(subject, audio, case)
    found: dict[str, Any] = {}
    with (
        nullcontext() if runs_by_itself(case.subject) else denormals_flushed(),
        evaluating(subject.module or subject),
        precision_context(case.precision if _casts(case) else "fp32", device),
    ):
        scores = subject.score(audio)
        _synchronise(device)
        found["first_seconds"] = time.time() - started
        for _ in range(WARM_UP):
            subject.score(audio)
        with _energy(found):
            found["seconds"] = [_timed(lambda: subject.score(audio), device)
                                for _ in range(case.repeats)]  # fmt: skip
    found["scores"] = scores.float().cpu().tolist()
    return found | _memory(device)


def _casts(case: Case) -> bool:
    """Say whether the model computes in its precision by autocast, as the harness has it."""
    return case.precision != "fp32"


def _trained(subject: Subject, audio: Tensor, case: Case) -> dict[str, Any]:
    """Time whole training steps: forward, backward, Adam."""
    model = subject.module
    if not isinstance(model, Trainable) or model is None:
        return {"error": f"{case.subject} has no loss(), so it has no training step", "hint": ""}
    torch.manual_seed(0)
    module = cast(nn.Module, model).train()
    optimiser = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=1e-6)
    lengths = torch.full((len(audio),), audio.shape[1], device=audio.device)
    bonafide = torch.arange(len(audio), device=audio.device) % 2 == 0
    losses: list[float] = []

    def step() -> None:
        optimiser.zero_grad()
        with precision_context(case.precision, audio.device):
            loss = cast(Trainable, module).loss(audio, lengths, bonafide).float().mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))

    with nullcontext() if runs_by_itself(case.subject) else denormals_flushed():
        step()
        seconds = [_timed(step, audio.device) for _ in range(case.repeats)]
    return {"seconds": seconds, "scores": losses[:1]} | _memory(audio.device)


def _profile(subject: Subject, audio: Tensor) -> dict[str, Any]:
    """Count parameters and multiply-accumulates, and share the time out among the modules."""
    from torch.utils.flop_counter import FlopCounterMode

    module = subject.module
    if module is None:
        return {}
    found: dict[str, Any] = {"parameters": sum(p.numel() for p in module.parameters())}
    module.requires_grad_(False)  # the counter follows gradients, which there are none of
    with denormals_flushed(), evaluating(module):
        subject.score(audio)
        counter = FlopCounterMode(display=False)
        with counter:
            subject.score(audio)
        found["macs"] = counter.get_total_flops() // 2
        shares: dict[str, list[float]] = {}
        handles = []
        for name, child in _parts(module):
            begun: list[float] = []
            handles += [
                child.register_forward_pre_hook(lambda *_, b=begun: b.append(time.perf_counter())),
                child.register_forward_hook(
                    lambda *_, b=begun, n=name: shares.setdefault(n, []).append(
                        time.perf_counter() - b.pop()
                    )
                ),
            ]
        rounds = 3
        total = sum(_timed(lambda: subject.score(audio), audio.device) for _ in range(rounds))
        for handle in handles:
            handle.remove()
    found["modules"] = {name: sum(spent) / total for name, spent in shares.items()}
    return found


def _parts(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the children, and those of containers that are never called themselves."""
    children = dict(module.named_children())
    if len(children) == 1:  # a network in a wrapper
        (only,) = children.values()
        children = dict(only.named_children()) or children
    for name, child in children.items():
        if isinstance(child, nn.ModuleList | nn.ModuleDict):
            yield from ((f"{name}.{own}", part) for own, part in child.named_children())
        else:
            yield name, child


def _timed(work: Any, device: torch.device) -> float:
    started = time.perf_counter()
    work()
    _synchronise(device)
    return time.perf_counter() - started


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _memory(device: torch.device) -> dict[str, Any]:
    """Return the largest resident memory of this process in bytes, and that of the device."""
    unit = 1 if sys.platform == "darwin" else 1024
    found: dict[str, Any] = {
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    }
    if device.type == "cuda":
        found["device_bytes"] = torch.cuda.max_memory_allocated(device)
    return found


@contextmanager
def _energy(found: dict[str, Any]) -> Iterator[None]:
    """Note the energy of the processor package in joules, where the machine tells it."""
    before = _joules()
    yield
    after = _joules()
    if before is not None and after is not None and after >= before:
        found["joules"] = after - before


def _joules() -> float | None:
    try:
        return int(ENERGY.read_text()) / 1e6
    except (OSError, ValueError):
        return None


def _is_memory(error: BaseException) -> bool:
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "can't allocate" in said


if __name__ == "__main__":
    main()
