"""Weights: fetched, checked, and loaded into a model. Nothing in a file is ever executed."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from spoofbench.contracts import PublishedNames
from spoofbench.errors import DownloadFailed, InvalidWeights, UnknownName
from spoofbench.files import write_tensors
from spoofbench.fingerprint import sha256
from spoofbench.settings import settings
from spoofbench.specs import Checkpoint, ModelSpec
from spoofbench.training.recipe import Recipe

NAMED = 3
POSITION = "position"
"""The note of a training's position beside tensors, which makes a file a checkpoint."""
MODEL = "model."
"""What the names of the model's tensors begin with in a checkpoint."""
_METADATA = "spoofbench"


def _eval_protocols(said: object) -> object:
    """Read what was once only whether there was one."""
    return {True: ("an eval protocol",), False: ()}[said] if isinstance(said, bool) else said


class Origin(BaseModel):
    """What spoofbench writes into the weights that it trains."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    train: str
    dev: str
    epoch: int
    dev_eer: float
    seed: int
    recipe: Recipe
    training: str = ""
    """What the training is but for its seed (`trainings.TrainingTerms.but_for_seed`)."""
    chosen_by_eval: Annotated[tuple[str, ...], BeforeValidator(_eval_protocols)] = ()
    """Eval protocols that chose these weights, or those that they come from (--paper-selection)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A file of weights, its checksum, and, for those trained here, where they come from."""

    file: Path
    source: str
    sha256: str
    origin: Origin | None = None

    @property
    def name(self) -> str:
        """What tables call these weights."""
        return self.file.name if self.source == "file" else self.source


def find(spec: ModelSpec, wanted: str, *, option: str = "--weights") -> Weights:
    """Return the weights called ``wanted`` in the model's spec, else those in that file.

    ``option`` is what the user named them with.

    Raises `UnknownName`, `DownloadFailed`, `InvalidWeights`.
    """
    for checkpoint in spec.checkpoints:
        if checkpoint.name == wanted:
            file = fetch(checkpoint)
            return Weights(file=file, source=checkpoint.name, sha256=checkpoint.sha256)
    file = Path(wanted)
    if not file.is_file():
        names = ", ".join(f"'{checkpoint.name}'" for checkpoint in spec.checkpoints) or "none"
        raise UnknownName(
            f"{option} {wanted}: {spec.name} has no published weights of that name, "
            "and there is no such file",
            hint=f"published for {spec.name}: {names}; or name a .pth or .safetensors file",
        )
    return Weights(file=file, source="file", sha256=sha256(file), origin=origin_of(file))


def fetch(checkpoint: Checkpoint) -> Path:
    """Return the file of published weights, downloaded once into the cache and checked."""
    import pooch
    import requests

    folder = settings().cache_folder() / "checkpoints" / checkpoint.sha256[:16]
    try:
        found = pooch.retrieve(
            checkpoint.url,
            known_hash=f"sha256:{checkpoint.sha256}",
            path=folder,
            fname=checkpoint.url.rpartition("/")[2],
            progressbar=False,
        )
    except ValueError as error:
        raise DownloadFailed(
            f"{checkpoint.url} has another checksum than the published weights "
            f"(sha256 {checkpoint.sha256})",
            hint="nothing was kept; a proxy may have answered in its place. Fetch the file "
            "yourself and give it with --weights FILE",
        ) from error
    except (requests.RequestException, OSError) as error:
        raise DownloadFailed(
            f"{checkpoint.url} cannot be fetched: {type(error).__name__}",
            hint=f"fetch it elsewhere ({checkpoint.size:,} bytes, {checkpoint.licence}, from "
            f"{checkpoint.source}) and give it with --weights FILE",
        ) from error
    return Path(found)


def load(model: nn.Module, weights: Weights, *, under: str = "") -> None:
    """Put ``weights`` into ``model``: each tensor must find its place, each place a tensor.

    Only those count whose names begin with ``under``, which is left off. Published names are
    translated where the model knows them (`contracts.PublishedNames`).

    Raises `InvalidWeights` for a file that is damaged, holds anything but tensors, or was made for
    another model; ``model`` is then unchanged.
    """
    file = weights.file
    stored = _of_model(read_tensors(file))
    state = {n.removeprefix(under): t for n, t in stored.items() if n.startswith(under)}
    own = model.state_dict()
    if state.keys() != own.keys() and isinstance(model, PublishedNames):
        state = model.rename_published(state)
    unknown, missing = sorted(state.keys() - own.keys()), sorted(own.keys() - state.keys())
    shapes = [k for k in own.keys() & state.keys() if own[k].shape != state[k].shape]
    if unknown or missing or shapes:
        faults = [
            f"{len(names)} {what} ({_first(names)})"
            for names, what in (
                (unknown, "tensors that the model does not have"),
                (missing, "that the model needs are missing"),
                (sorted(shapes), "of another shape"),
            )
            if names
        ]
        raise InvalidWeights(
            f"{file} was made for another model: {'; '.join(faults)}",
            hint="name the model that these weights belong to",
        )
    bad = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if bad:
        raise InvalidWeights(f"{file}: {bad[0]} holds values that are not finite")
    model.load_state_dict(state)


def read_tensors(file: Path) -> Mapping[str, Tensor]:
    """Read a state dict from ``.safetensors``, or from a ``torch.save`` file without its code."""
    if file.suffix == ".safetensors":
        with _opened(file) as stored:
            return {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InvalidWeights(
            f"{file} is refused: it is damaged, or holds code beside tensors",
            hint="never load it elsewhere unless you trust its author; weights belong in a plain "
            "state dict or in .safetensors",
        ) from error
    except Exception as error:  # torch raises whatever the bytes of a damaged file lead it to
        raise InvalidWeights(
            f"{file} is no checkpoint that can be read: it is damaged, or another kind of file",
            hint="copy or fetch it again",
        ) from error
    if not isinstance(loaded, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in loaded.items()
    ):
        raise InvalidWeights(
            f"{file} is not a plain state dict (names and tensors)",
            hint="save model.state_dict() alone",
        )
    return cast("Mapping[str, Tensor]", loaded)


def save(model: nn.Module, file: Path, origin: Origin) -> None:
    """Write the weights of ``model`` and where they come from to ``file`` (``.safetensors``)."""
    write_tensors(file, model.state_dict(), note(origin))


def note(origin: Origin) -> dict[str, str]:
    """Return what stands beside tensors for `origin_of` to find."""
    return {_METADATA: origin.model_dump_json()}


def origin_of(file: Path) -> Origin | None:
    """Return what spoofbench wrote into ``file`` beside the weights, if it did.

    Raises `InvalidWeights` for a checkpoint that dev has not judged.
    """
    if file.suffix != ".safetensors":
        return None
    with _opened(file) as stored:
        notes = stored.metadata() or {}
    text = notes.get(_METADATA)
    if text is None and POSITION in notes:
        raise InvalidWeights(
            f"{file} is a checkpoint from the middle of an epoch, which dev has not judged",
            hint="name best.safetensors beside it, or an epoch-*.safetensors that --keep has kept",
        )
    try:
        return Origin.model_validate_json(text) if text is not None else None
    except ValidationError as error:
        raise InvalidWeights(f"{file}: its note on its training cannot be read: {error}") from error


def _of_model(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return the model's part of ``state``, if that is a checkpoint, which holds more."""
    if not any(name.startswith("optimiser.") for name in state):
        return state
    return {n.removeprefix(MODEL): t for n, t in state.items() if n.startswith(MODEL)}


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def _opened(file: Path) -> safe_open:
    try:
        return safe_open(file, framework="pt")
    except (SafetensorError, OSError) as error:
        raise InvalidWeights(f"{file} is no safetensors file: {error}") from error
