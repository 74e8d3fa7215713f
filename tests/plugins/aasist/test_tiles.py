"""A residual block in training gives what its layers give one by one, and their gradients."""

from __future__ import annotations

import pytest
import torch
from program import run_python
from torch import Tensor, nn
from torch.nn import functional

from spoofbench_aasist.model import ResidualBlock
from spoofbench_aasist.tiles.tile import TILE

LENGTHS = (3, 9, 11, TILE - 1, TILE, TILE + 1, TILE + 2, 2 * TILE + 5)
"""Frames: with and without a rest of the division by three, one tile and more."""


def layer_by_layer(block: ResidualBlock, features: Tensor) -> Tensor:
    hidden = block.second(functional.selu(block.norm(block.first(features))))
    return functional.max_pool2d(hidden + block.shortcut(features), (3, 1))


def block_of(width_in: int, width_out: int, *, adds_one_to_all: bool = False) -> ResidualBlock:
    torch.manual_seed(0)
    block = ResidualBlock(width_in, width_out).double().train()
    if adds_one_to_all:  # as in RawGAT-ST
        block.shortcut = nn.Identity()
    nn.init.uniform_(block.norm.weight, 0.5, 1.5)
    nn.init.normal_(block.norm.bias)
    return block


def features_of(width: int, frames: int, batch: int = 2, bands: int = 5) -> Tensor:
    random = torch.Generator().manual_seed(1)
    drawn = torch.randn(batch, frames, bands, width, generator=random, dtype=torch.float64)
    return drawn.permute(0, 3, 1, 2)


def outcome(block: ResidualBlock, features: Tensor, out: Tensor) -> dict[str, Tensor]:
    """Return output, all gradients and the running statistics, and forget the gradients."""
    random = torch.Generator().manual_seed(2)
    out.backward(torch.randn(out.shape, generator=random, dtype=out.dtype))
    found = {"out": out.detach(), "features": features.grad}
    found |= {n: p.grad for n, p in block.named_parameters() if p.grad is not None}
    found |= {n: b.clone() for n, b in block.norm.named_buffers()}
    block.zero_grad()
    block.norm.reset_running_stats()
    return found


@pytest.mark.parametrize("frames", LENGTHS)
@pytest.mark.parametrize(
    ("width_in", "width_out", "adds_one_to_all"),
    [(1, 4, False), (1, 4, True), (4, 4, False), (3, 6, False)],
    ids=["one channel", "one channel added to all", "as wide", "wider"],
)
def test_output_gradients_and_statistics_are_those_of_the_layers(
    width_in: int, width_out: int, adds_one_to_all: bool, frames: int
):
    block = block_of(width_in, width_out, adds_one_to_all=adds_one_to_all)
    plain, tiled = (features_of(width_in, frames).requires_grad_() for _ in range(2))
    expected = outcome(block, plain, layer_by_layer(block, plain))
    found = outcome(block, tiled, block(tiled))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.allclose(found[name].double(), tensor.double(), rtol=1e-9, atol=1e-10), name


@pytest.mark.parametrize(("width_in", "width_out"), [(1, 4), (4, 4), (3, 6)])
def test_threads_change_no_bit(width_in: int, width_out: int):
    """Each computes utterances of its own, and their sums are taken in one order."""
    block, found, before = block_of(width_in, width_out).float(), [], torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            features = features_of(width_in, 2 * TILE + 5, batch=4).float().requires_grad_()
            found.append(outcome(block, features, block(features)))
    finally:
        torch.set_num_threads(before)
    alone, together = found
    for name, tensor in alone.items():
        assert torch.equal(together[name], tensor), name


def test_far_from_zero_the_moments_of_one_channel_hold():
    """A variance from squares alone would be lost in their rounding."""
    block, features = block_of(1, 4), 1e3 + features_of(1, 60)
    layer_by_layer(block, features)
    expected = block.norm.running_var.clone()
    block.norm.reset_running_stats()
    block.float()(features.float())
    assert torch.allclose(block.norm.running_var.double(), expected, rtol=1e-3)


def test_of_equal_frames_the_first_gets_the_gradient_as_in_torch():
    block = block_of(4, 4)
    plain, tiled = (torch.zeros(1, 4, 12, 5, dtype=torch.float64) for _ in range(2))
    expected = outcome(block, plain.requires_grad_(), layer_by_layer(block, plain))
    found = outcome(block, tiled.requires_grad_(), block(tiled))
    assert torch.allclose(found["features"], expected["features"], rtol=0, atol=1e-12)


def test_statistics_are_averaged_evenly_where_momentum_is_none():
    """So `torch.optim.swa_utils.update_bn` takes them anew."""
    block = block_of(1, 4)
    block.norm.momentum = None
    one, other = features_of(1, 9), 3 * features_of(1, 9)
    for features in (one, other):
        block(features)
    means = [block.first(features).mean(dim=(0, 2, 3)) for features in (one, other)]
    assert torch.allclose(block.norm.running_mean, sum(means) / 2, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("width_in", "width_out"), [(1, 4), (4, 4), (3, 6)])
def test_under_autocast_it_computes_in_its_precision_as_the_layers_do(
    width_in: int, width_out: int
):
    block = block_of(width_in, width_out).float()
    features = features_of(width_in, 30).float().requires_grad_()
    expected = layer_by_layer(block, features)
    (by_layers,) = torch.autograd.grad(expected.sum(), features)
    with torch.autocast("cpu", torch.bfloat16):
        out = block(features)
    (by_tiles,) = torch.autograd.grad(out.float().sum(), features)
    assert out.dtype == torch.bfloat16
    assert torch.allclose(out.float(), expected, rtol=0.05, atol=0.1)
    assert functional.cosine_similarity(by_tiles.flatten(), by_layers.flatten(), 0) > 0.98


def test_what_is_not_a_number_stays_so():
    block = block_of(4, 4)
    features = features_of(4, 30)
    features[0, 0, 4, 2] = torch.nan
    assert block(features).isnan().any()


def test_less_is_kept_for_the_way_back_than_autograd_keeps():
    """The response of the first convolution and a byte or two, of all that the layers write."""
    kept: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        kept[-1] += tensor.numel() * tensor.element_size()
        return tensor

    block, features = block_of(1, 32), features_of(1, 900).requires_grad_()
    for made in (block, lambda features: layer_by_layer(block, features)):
        kept.append(0)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            made(features)
    ours, theirs = kept
    assert ours < theirs / 10


def test_a_compiler_is_given_the_layers_which_come_to_the_same():
    """It would unroll the tiles."""
    convolutions: list[int] = []

    def noting(graph: torch.fx.GraphModule, example: object) -> torch.fx.GraphModule:
        convolutions.append(graph.code.count("conv"))
        return graph

    block = block_of(3, 6)
    plain, compiled = (features_of(3, 4 * TILE).requires_grad_() for _ in range(2))
    expected = outcome(block, plain, block(plain))
    torch.compiler.reset()
    found = outcome(block, compiled, torch.compile(block, backend=noting)(compiled))
    for name, tensor in expected.items():
        assert torch.allclose(found[name], tensor, rtol=1e-10, atol=1e-12), name
    assert sum(convolutions) < 10, "three, however often the code names them"


def test_no_compiler_is_loaded_by_who_does_not_ask_for_one():
    """It takes 70 MB and seconds."""
    program = (
        "import sys, torch; from spoofbench_aasist.model import aasist_l; model = aasist_l();"
        "model.train().loss(torch.randn(2, 16_000), torch.full((2,), 16_000),"
        " torch.tensor([True, False])).sum().backward(); print('torch._dynamo' in sys.modules)"
    )
    assert run_python("-c", program).out.strip() == "False"
