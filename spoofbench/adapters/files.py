"""Detectors in files: ONNX and TorchScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spoofbench.adapters.calls import Function
from spoofbench.errors import InvalidWeights, MissingExtra


def onnx(file: Path) -> Function:
    """Return the network in ``file``, run by ONNX Runtime on the processor.

    Its first input takes ``(batch, time)``, a second one, if there is one, the lengths. Where the
    file fixes the batch at one, utterances go through one by one.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{file.name} needs ONNX Runtime, which is not installed",
            hint="pip install 'spoofbench[runtimes]'",
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session = onnxruntime.InferenceSession(
            str(file), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the runtime has error classes of its own, which it does not export
        raise InvalidWeights(f"{file} is no ONNX file that can be run: {error}") from error
    names = [own.name for own in session.get_inputs()]
    one_by_one = session.get_inputs()[0].shape[:1] == [1]

    def run(audio: Tensor, lengths: Tensor) -> Any:
        if one_by_one and len(audio) > 1:
            rows = [run(audio[n : n + 1], lengths[n : n + 1]) for n in range(len(audio))]
            return torch.cat([torch.as_tensor(row).reshape(1, -1) for row in rows])
        given = dict(zip(names, (audio.float().numpy(), lengths.numpy()), strict=False))
        return session.run(None, given)[-1]

    return run


def torchscript(file: Path) -> Function:
    """Return the scripted or traced module in ``file``: it takes ``(batch, time)``."""
    try:
        load: Any = torch.jit.load
        module = load(str(file), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise InvalidWeights(f"{file} is no TorchScript file: {first}") from error
    return lambda audio, lengths: module(audio)  # noqa: ARG005
