"""From the name of a subject to something that scores; used in the processes that measure."""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench import objectives, weights
from spoofbench.contracts import Countermeasure, Optimisable
from spoofbench.devices import PRECISIONS
from spoofbench.errors import InvalidSettings, InvalidWeights, MissingExtra, UnknownName
from spoofbench.plugins import catalogue, instantiate
from spoofbench.speed.cases import Case
from spoofbench.weights import Weights

KINDS = ("plain", "python", "official", "onnxruntime", "openvino")
Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A subject ready to score ``(batch, time)``; ``module`` is its network, where it has one."""

    score: Score
    module: nn.Module | None


def ready(case: Case) -> Subject:
    """Make the subject of ``case``, with its weights. Raises what its parts raise."""
    kind, _, rest = case.subject.partition(":")
    if kind in ("onnxruntime", "openvino") and rest:
        return _exported(kind, rest, case)
    if kind == "official" and rest:
        published = _Published(_official(Path(rest), case.weights))
        return _of_model(published, case)
    if kind == "python" and rest:
        made = _from_file(rest)
        _load(made, case.weights)
        return _of_model(made, case)
    model = _plugin(rest if kind == "plain" and rest else case.subject, case.weights)
    if kind != "plain" and isinstance(model, Optimisable) and case.device == "cpu":
        dtype = PRECISIONS[case.precision] or torch.float32
        if case.work == "score" and dtype != torch.float16:
            return _of_model(model.optimise(dtype), case)
    return _of_model(model, case)


def _of_model(model: Countermeasure, case: Case) -> Subject:
    module = model.to(case.device) if isinstance(model, nn.Module) else None

    def score(audio: Tensor) -> Tensor:
        return model.score(audio, torch.full((len(audio),), audio.shape[1], device=audio.device))

    return Subject(score=score, module=module)


def _plugin(name: str, file: str) -> Countermeasure:
    offer = catalogue().models.get(name)
    torch.manual_seed(0)
    made = instantiate(offer, "model")
    origin = weights.origin_of(Path(file)) if file else None
    if origin is not None:
        made = objectives.as_trained(made, origin.recipe, catalogue())
    _load(made, file)
    return cast(Countermeasure, made)


def _load(model: Any, file: str) -> None:
    if file:
        found = Weights(file=Path(file), source="file", sha256="")
        weights.load(cast(nn.Module, model), found)
    if isinstance(model, nn.Module):
        model.eval()


def _module_of(file: Path, name: str) -> Any:
    """Import the Python file that the user named, with its own folder to import from."""
    if not file.is_file():
        raise UnknownName(f"{file}: there is no such file", hint="name a Python file")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UnknownName(f"{file} is no Python file")
    sys.path.insert(0, str(file.parent))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _from_file(place: str) -> Countermeasure:
    """Make what ``FILE:NAME`` names, by calling it without arguments."""
    file, _, name = place.rpartition(":")
    factory = getattr(_module_of(Path(file), "spoofbench_speed_subject"), name, None)
    if factory is None:
        raise UnknownName(f"python:{place}: {file} has no {name}", hint="python:FILE:NAME")
    torch.manual_seed(0)
    made = factory()
    if not isinstance(made, Countermeasure):
        raise InvalidSettings(f"python:{place} gives no model: it has no score()")
    return made


def _official(checkout: Path, file: str) -> nn.Module:
    """Make AASIST out of a checkout of the published code, and load its weights strictly.

    The class is found by name, as that code does it: ``models/AASIST.py``, ``Model``, configured by
    ``model_config`` in ``config/AASIST.conf``.
    """
    conf = checkout / "config" / "AASIST.conf"
    try:
        config = json.loads(conf.read_text(encoding="utf-8"))["model_config"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidSettings(
            f"official:{checkout}: {conf} cannot be read: {error}",
            hint="name the folder of a checkout of https://github.com/clovaai/aasist",
        ) from error
    torch.manual_seed(0)
    module = _module_of(checkout / "models" / f"{config['architecture']}.py", "official_aasist")
    model = cast(nn.Module, module.Model(config).eval())
    if file:
        try:
            model.load_state_dict(dict(weights.read_tensors(Path(file))))
        except RuntimeError as error:
            raise InvalidWeights(f"{file} is not for official:{checkout}") from error
    return model


class _Published(nn.Module):
    """The published network, which gives an embedding beside the logits or, in a version, not.

    It learns from the cross entropy of its logits, unweighted, as a step is timed everywhere.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, audio: Tensor) -> Tensor:
        """Return logits ``(batch, 2)``: spoof, bona fide."""
        given = self.model(audio)
        return cast(Tensor, given[-1] if isinstance(given, tuple) else given)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the bona fide logit, ``(batch,)``."""
        del lengths
        return cast(Tensor, self(audio)[:, 1])

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        """Return the cross entropy of each utterance, ``(batch,)``."""
        del lengths
        return functional.cross_entropy(self(audio), bonafide.long(), reduction="none")


class _OnlyAudio(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, audio: Tensor) -> Tensor:
        """Return the scores of ``audio`` ``(batch, time)``."""
        lengths = torch.full((audio.shape[0],), audio.shape[1])
        scores: Tensor = cast(Any, self.model).score(audio, lengths)
        return scores


def _exported(kind: str, name: str, case: Case) -> Subject:
    """Export the model to ONNX, and give it to a runtime. Raises `MissingExtra`."""
    model = _OnlyAudio(cast(nn.Module, _plugin(name, case.weights)))
    try:
        return Subject(score=_runtime(kind, model, case), module=None)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{kind}:{name} needs {error.name}", hint="pip install 'spoofbench[runtimes]'"
        ) from error


def _runtime(kind: str, model: nn.Module, case: Case) -> Score:
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        file = str(Path(folder) / "model.onnx")
        audio = torch.zeros(case.batch, case.samples)
        torch.onnx.export(
            model, (audio,), file, input_names=["audio"], dynamo=True, verbose=False,
            external_data=False,
        )  # fmt: skip
        if kind == "onnxruntime":
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = case.threads
            options.add_session_config_entry("session.set_denormal_as_zero", "1")
            session = onnxruntime.InferenceSession(
                file, sess_options=options, providers=["CPUExecutionProvider"]
            )
            return lambda audio: torch.from_numpy(session.run(None, {"audio": audio.numpy()})[0])
        import openvino

        compiled = openvino.Core().compile_model(
            file,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": case.threads,
                "INFERENCE_PRECISION_HINT": "f32",
                "CPU_DENORMALS_OPTIMIZATION": True,
            },
        )
        return lambda audio: torch.from_numpy(compiled([audio.numpy()])[0].copy())
