"""RawNet2: the layers of the published baseline, in its order, told by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.plugins import catalogue
from spoofbench_rawnet2.model import MIN_SAMPLES, RawNet2


@pytest.fixture(scope="module")
def model() -> RawNet2:
    torch.manual_seed(0)
    made = RawNet2().eval()
    for name, buffer in made.named_buffers():
        if name.endswith("running_var"):  # so that a norm that is left out would be noticed
            buffer.uniform_(0.5, 2.0)
    return made


def published_names(model: RawNet2) -> dict[str, Tensor]:
    """The state under the names of the baseline, by another table than the model's own."""
    state = {}
    for name, tensor in model.state_dict().items():
        old = name.replace("recurrent.", "gru.").replace("hidden.", "fc1_gru.")
        old = old.replace("head.", "fc2_gru.").replace("last_norm.", "bn_before_gru.")
        if old.startswith("norm."):
            old = f"first_bn.{old.removeprefix('norm.')}"
        if old.startswith("blocks."):
            _, n, inner = old.split(".", 2)
            old = f"block{n}.0.{inner}"
            for ours, theirs in (
                ("unused_norm", "bn1"),
                ("norm", "bn2"),
                ("first", "conv1"),
                ("second", "conv2"),
                ("shortcut", "conv_downsample"),
            ):
                if inner.startswith(f"{ours}."):
                    old = f"block{n}.0.{theirs}.{inner.removeprefix(f'{ours}.')}"
            if inner.startswith("gate."):
                old = f"fc_attention{n}.0.{inner.removeprefix('gate.')}"
        state[old] = tensor
    return state


def plainly(model: RawNet2, audio: Tensor) -> Tensor:
    """The published order of layers, written down again: logarithms of the softmax."""
    state = published_names(model)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        scaled = (x - mean[:, None]) / (var[:, None] + 1e-5).sqrt()
        return scaled * state[f"{name}.weight"][:, None] + state[f"{name}.bias"][:, None]

    def conv(x: Tensor, name: str, padding: int) -> Tensor:
        return functional.conv1d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=padding)

    x = functional.conv1d(audio[:, None], model.filters).abs()
    x = functional.selu(norm(functional.max_pool1d(x, 3), "first_bn"))
    for n in range(6):
        block = f"block{n}.0"
        out = functional.leaky_relu(norm(conv(x, f"{block}.conv1", 1), f"{block}.bn2"), 0.3)
        out = conv(out, f"{block}.conv2", 1)
        if f"{block}.conv_downsample.weight" in state:
            x = conv(x, f"{block}.conv_downsample", 0)
        out = functional.max_pool1d(out + x, 3)
        gate = f"fc_attention{n}.0"
        y = functional.linear(out.mean(2), state[f"{gate}.weight"], state[f"{gate}.bias"])
        y = torch.sigmoid(y)[:, :, None]
        x = out * y + y
    x = functional.selu(norm(x, "bn_before_gru")).permute(0, 2, 1)
    gru = nn.GRU(128, 1024, 3, batch_first=True)
    gru.load_state_dict({k.removeprefix("gru."): v for k, v in state.items() if "gru." in k[:4]})
    x = gru(x)[0][:, -1]
    x = functional.linear(x, state["fc1_gru.weight"], state["fc1_gru.bias"])
    x = functional.linear(x, state["fc2_gru.weight"], state["fc2_gru.bias"])
    return functional.log_softmax(x, dim=1)


def test_it_computes_what_the_published_layers_do(model: RawNet2) -> None:
    audio = 0.1 * torch.randn(2, 20_000, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = plainly(model, audio)
        given = model.score(audio, torch.tensor([20_000] * 2))
    assert torch.allclose(given, expected[:, 1] - expected[:, 0], atol=1e-5)


def test_a_published_checkpoint_finds_its_places(model: RawNet2) -> None:
    theirs = published_names(model)
    assert {"block2.0.conv_downsample.weight", "fc_attention5.0.bias", "gru.weight_hh_l2"} <= set(
        theirs
    )
    assert model.rename_published(theirs).keys() == model.state_dict().keys()


def test_the_first_block_has_no_idle_norm_and_the_others_learn_nothing_of_theirs(model) -> None:
    idle = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert idle == {f"blocks.{n}.unused_norm.{x}" for n in range(1, 6) for x in ("weight", "bias")}


def test_the_shortest_input_is_said(model: RawNet2) -> None:
    assert catalogue().models.get("rawnet2").spec.min_samples == MIN_SAMPLES
    with torch.no_grad():
        assert model(torch.zeros(1, MIN_SAMPLES)).shape == (1, 2)
        with pytest.raises(ValueError, match="3,211"):
            model(torch.zeros(1, MIN_SAMPLES - 1))
