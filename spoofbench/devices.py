"""Where and how a model is computed: device, precision, and a process left as it was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

from spoofbench.errors import InvalidSettings

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Precisions by name; None is float32 throughout."""


def device_named(name: str) -> torch.device:
    """Return the device ``name``; ``auto`` is the first accelerator, else the processor.

    Raises `InvalidSettings` for a device that this machine or this PyTorch does not have.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # there are devices that compute nothing
    except (RuntimeError, AssertionError) as error:
        raise InvalidSettings(
            f"--device {name} cannot be used: {str(error).splitlines()[0]}",
            hint="cpu and auto always work",
        ) from error
    return device


def description(device: torch.device) -> str:
    """Return the device's name as its maker calls it, where that can be told."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def precision_context(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a model computes in ``precision``.

    Raises `InvalidSettings` for an unknown precision.
    """
    if precision not in PRECISIONS:
        raise InvalidSettings(
            f"--precision {precision} is unknown", hint=f"known: {', '.join(PRECISIONS)}"
        )
    dtype = PRECISIONS[precision]
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)


@contextmanager
def evaluating(model: object) -> Iterator[None]:
    """Put every module of ``model`` into evaluation mode without gradients, and back afterwards."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    training = [module.training for module in modules]
    try:
        if isinstance(model, nn.Module):
            model.eval()
        with torch.no_grad():
            yield
    finally:
        for module, mode in zip(modules, training, strict=True):
            module.training = mode


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Count numbers too small for normal floats as zero, and restore the setting afterwards.

    The published AASIST weights make so many of them that its graph layers take 12 times as long.
    """
    was_flushing = flushes_denormals()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was_flushing)


def flushes_denormals() -> bool:
    """Say whether this thread counts numbers too small for normal floats as zero."""
    smallest = torch.finfo(torch.float32).tiny
    return bool(torch.tensor([smallest]).mul(0.5).eq(0).item())
