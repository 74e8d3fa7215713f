"""The published checkpoints: they load strictly and give the published numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from spoofbench_aasist import plugin
from spoofbench_aasist.model import Aasist, aasist, aasist_l, aasist_sequential
from spoofbench_aasist.published import NAMES, rename

PUBLISHED: dict[str, tuple[Callable[[], Aasist], str]] = {
    "aasist": (aasist, "AASIST.pth"),
    "aasist-l": (aasist_l, "AASIST-L.pth"),
    "aasist-sequential": (aasist_sequential, "AASIST.pth"),
}
LOGITS = {
    ("aasist", "LA_T_1272637"): (-8.071074, 5.236644),
    ("aasist", "LA_D_1003356"): (6.811723, -6.786914),
    ("aasist", "LA_E_6163791"): (8.835578, -9.056876),
    ("aasist-l", "LA_T_1272637"): (-5.489653, 6.847424),
    ("aasist-l", "LA_D_1003356"): (7.722385, -7.115064),
    ("aasist-l", "LA_E_6163791"): (11.949375, -10.768151),
}
"""What the authors' code gives on a CPU, [spoof, bona fide]."""


def published_state(reference: Path, file: str) -> dict[str, Tensor]:
    path = reference / "checkpoints" / "aasist" / file
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def load(reference: Path, name: str) -> Aasist:
    factory, file = PUBLISHED[name]
    model = factory()
    model.load_state_dict(model.rename_published(published_state(reference, file)))
    return model.eval()


def recording(reference: Path, utterance: str) -> Tensor:
    """Return the first 64,600 samples, repeated where there are fewer: ``(1, 64600)``."""
    (path,) = reference.glob(f"asvspoof2019-la/*/flac/{utterance}.flac")
    audio, _ = soundfile.read(path, dtype="float32")
    return torch.from_numpy(np.resize(audio, 64_600))[None]


def test_every_tensor_of_the_model_has_a_published_name() -> None:
    ours = set(NAMES.values())
    for name in aasist().state_dict():
        assert name in ours or name.rpartition(".")[0] in ours


def test_an_unknown_name_stays_as_it_is() -> None:
    kernel = torch.zeros(2, 1, 2, 3)
    assert rename({"encoder.6.0.conv1.weight": kernel, "extra": kernel}) == {
        "encoder.6.0.conv1.weight": kernel,
        "extra": kernel,
    }


def test_kernels_turn_from_frequency_by_time_to_time_by_frequency() -> None:
    kernel = torch.arange(6.0).reshape(1, 1, 2, 3)
    renamed = rename({"encoder.0.0.conv1.weight": kernel})
    assert renamed["encoder.0.first.weight"].shape == (1, 1, 3, 2)
    assert renamed["encoder.0.first.weight"][0, 0, 2, 1] == kernel[0, 0, 1, 2]


@pytest.mark.reference
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_checkpoint_loads_strictly(name: str, reference: Path) -> None:
    factory, file = PUBLISHED[name]
    model, state = factory(), published_state(reference, file)
    renamed = model.rename_published(state)
    assert len(renamed) == len(state)
    model.load_state_dict(renamed, strict=True)


@pytest.mark.reference
def test_a_tensor_that_the_published_model_lacks_is_reported(reference: Path) -> None:
    model, state = aasist_l(), published_state(reference, "AASIST-L.pth")
    renamed = model.rename_published({**state, "encoder.6.0.conv1.bias": torch.zeros(1)})
    with pytest.raises(RuntimeError, match=r"encoder\.6\.0\.conv1\.bias"):
        model.load_state_dict(renamed)


@pytest.mark.reference
def test_the_declared_checkpoints_are_those_of_the_reference(reference: Path) -> None:
    files = {name: f"checkpoints/aasist/{file}" for name, (_, file) in PUBLISHED.items()}
    files["rawgat-st"] = "checkpoints/rawgat-st/RawGAT_ST_mul.pth"
    specs = [spec for spec in plugin.spoofbench_models() if spec.checkpoints]
    assert {spec.name for spec in specs} == set(files)
    for spec in specs:
        (checkpoint,) = spec.checkpoints
        content = (reference / files[spec.name]).read_bytes()
        assert checkpoint.size == len(content)
        assert checkpoint.sha256 == hashlib.sha256(content).hexdigest()


def test_the_names_of_the_published_files_are_in_their_addresses() -> None:
    for name, (_, file) in PUBLISHED.items():
        (spec,) = [spec for spec in plugin.spoofbench_models() if spec.name == name]
        assert spec.checkpoints[0].url.endswith(file)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["aasist", "aasist-l"])
def test_the_logits_of_recordings_are_the_published_ones(name: str, reference: Path) -> None:
    model = load(reference, name)
    for (owner, utterance), expected in LOGITS.items():
        if owner == name:
            with torch.inference_mode():
                logits = model(recording(reference, utterance))[0]
            np.testing.assert_allclose(logits.numpy(), expected, rtol=0, atol=1e-4)


@pytest.mark.reference
def test_the_sequential_model_gives_the_published_logits_too(reference: Path) -> None:
    model = load(reference, "aasist-sequential")
    with torch.inference_mode():
        logits = model(recording(reference, "LA_E_6163791"))[0]
    expected = LOGITS["aasist", "LA_E_6163791"]
    np.testing.assert_allclose(logits.numpy(), expected, rtol=0, atol=1e-4)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["aasist", "aasist-l"])
def test_the_activations_are_those_of_the_published_code(name: str, reference: Path) -> None:
    model, parity = load(reference, name), np.load(reference / "parity" / f"{name}.npz")
    seen: dict[str, Tensor] = {}
    layers = {
        "encoder.5": model.encoder[5],
        "GAT_layer_S": model.spectral_attention,
        "GAT_layer_T": model.temporal_attention,
        "pool_S": model.spectral_pool,
        "pool_T": model.temporal_pool,
    }
    for published, layer in layers.items():
        layer.register_forward_hook(
            lambda module, inputs, output, published=published: seen.update({published: output})
        )
    # The activations were kept of the last utterance.
    with torch.inference_mode():
        model(torch.from_numpy(parity["audio"][-1:]))
        readout = model.readout(seen["encoder.5"])
    seen["encoder.5"] = seen["encoder.5"].mT  # published as (batch, channels, bands, frames)
    for published, activation in seen.items():
        expected = parity[published]
        rounding = 1e-5 * np.abs(expected).max()  # they were kept in float32
        np.testing.assert_allclose(activation.numpy(), expected, rtol=0, atol=rounding)
    np.testing.assert_allclose(readout.numpy(), parity["readout_float64"][-1:], rtol=0, atol=5e-5)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["aasist", "aasist-l"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_logits_of_noise_are_those_of_the_published_code(
    name: str, precision: str, reference: Path
) -> None:
    parity = np.load(reference / "parity" / f"{name}.npz")
    dtype = getattr(torch, precision)
    # One of the utterances, to keep float64 short.
    audio = torch.from_numpy(parity["audio"][:1]).to(dtype)
    with torch.inference_mode():
        logits = load(reference, name).to(dtype)(audio)
    expected = parity[f"logits_{precision}"][:1]
    np.testing.assert_allclose(logits.numpy(), expected, rtol=0, atol=5e-5)
