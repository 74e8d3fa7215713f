"""Pretrained front ends: sizes of the real ones, behaviour of a small one of the same make."""

from __future__ import annotations

import pytest
import torch

from spoofbench.plugins import Offer, Plugin, catalogue
from spoofbench.specs import ModelSpec
from spoofbench.testing import kit
from spoofbench.torchaudio_import import torchaudio
from spoofbench_ssl.frontends import Layout, PretrainedFrontEnd
from spoofbench_ssl.models import OnPretrained, graph_on, linear_on

LAYERS, WIDTH = 3, 32


def small_model() -> torch.nn.Module:
    return torchaudio().models.wav2vec2_model(
        extractor_mode="group_norm",
        extractor_conv_layer_config=[(16, 10, 5), (16, 8, 4), (16, 4, 4), (16, 4, 4)],
        extractor_conv_bias=False,
        encoder_embed_dim=WIDTH,
        encoder_projection_dropout=0.1,
        encoder_pos_conv_kernel=15,
        encoder_pos_conv_groups=4,
        encoder_num_layers=LAYERS,
        encoder_num_heads=4,
        encoder_attention_dropout=0.1,
        encoder_ff_interm_features=64,
        encoder_ff_interm_dropout=0.1,
        encoder_dropout=0.1,
        encoder_layer_norm_first=False,
        encoder_layer_drop=0.0,
        aux_num_out=None,
    )


SMALL = Layout(build=small_model, layers=LAYERS, width=WIDTH, normalised=False)


def small_linear() -> OnPretrained:
    return linear_on(SMALL)


def small_graph() -> OnPretrained:
    return graph_on(SMALL)


@pytest.mark.parametrize("make", [small_linear, small_graph])
def test_the_contract_is_kept(make) -> None:
    spec = ModelSpec(
        name="small", target=f"{__name__}:{make.__name__}", summary="Small.", samples=16_000
    )
    offer = Offer(spec, Plugin("here", "here", "0"))
    broken = [v for v in kit.verdicts("model", offer) if v.outcome == "broken"]
    assert [f"{v.clause}: {v.said}" for v in broken] == []


SSL = [offer.spec for offer in catalogue().models if offer.spec.name.startswith("ssl-")]
FRONT_ENDS = {"": 315_437_696, "base": 94_370_944, "wavlm": 94_381_168}
"""Published: 95 M for wav2vec 2.0 and WavLM base, 300 M for XLS-R."""


@pytest.mark.parametrize("spec", SSL, ids=[spec.name for spec in SSL])
def test_the_real_ones_are_as_large_as_they_say(spec: ModelSpec) -> None:
    """Made without memory for their weights."""
    with torch.device("meta"):
        model = spec.resolve()()
    assert sum(p.numel() for p in model.parameters()) == spec.parameters
    suffix = spec.name.split("-")[2] if spec.name.count("-") == 2 else ""
    front = sum(p.numel() for p in model.pretrained_part().parameters())
    assert front == FRONT_ENDS[suffix]
    layers, width = len(model.frontend.mix), model.frontend.model.encoder.transformer.layers[0]
    assert layers == len(model.frontend.model.encoder.transformer.layers)
    assert width.final_layer_norm.normalized_shape[0] in (768, 1024)


def test_the_front_end_is_the_mean_of_the_library_s_layers() -> None:
    torch.manual_seed(0)
    front = PretrainedFrontEnd(SMALL, frozen=True).eval()
    audio = 0.1 * torch.randn(2, 8_000)
    with torch.no_grad():
        layers, _ = front.model.extract_features(audio)
        assert torch.allclose(front(audio), torch.stack(layers).mean(dim=0), atol=1e-6)
        front.mix[1] = 50.0
        assert torch.allclose(front(audio), layers[1], atol=1e-5)


def test_a_probe_leaves_the_front_end_as_it_is() -> None:
    torch.manual_seed(0)
    model = small_linear().train()
    assert not model.frontend.model.training
    audio = 0.1 * torch.randn(2, 8_000)
    model.loss(audio, torch.tensor([8_000] * 2), torch.tensor([True, False])).sum().backward()
    moved = {name for name, p in model.named_parameters() if p.grad is not None}
    assert moved == {"frontend.mix", "backend.head.weight", "backend.head.bias"}


def test_the_graph_trains_the_front_end_along() -> None:
    torch.manual_seed(0)
    model = small_graph().train()
    assert model.frontend.model.training
    audio = 0.1 * torch.randn(2, 8_000)
    model.loss(audio, torch.tensor([8_000] * 2), torch.tensor([True, False])).sum().backward()
    reached = [p for p in model.pretrained_part().parameters() if p.grad is not None]
    assert len(reached) > 10


def test_a_normalised_front_end_does_not_hear_the_level() -> None:
    torch.manual_seed(0)
    layout = Layout(build=small_model, layers=LAYERS, width=WIDTH, normalised=True)
    front = PretrainedFrontEnd(layout, frozen=True).eval()
    audio = 0.1 * torch.randn(1, 8_000)
    with torch.no_grad():
        assert torch.allclose(front(audio), front(3 * audio), atol=1e-3)
