"""Graph attention and pooling against plain loops over nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spoofbench.layers.graphs import GraphAttention, GraphPool
from spoofbench_aasist.graph import Graph, HeterogeneousAttention

Array = NDArray[np.float64]
TEMPERATURE = 0.5


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def array(tensor: Tensor) -> Array:
    values: Array = tensor.detach().numpy()
    return values


def linear(layer: nn.Linear, vector: Array) -> Array:
    result: Array = array(layer.weight) @ vector + array(layer.bias)
    return result


def softmax(scores: list[float]) -> list[float]:
    powers = [math.exp(score / TEMPERATURE) for score in scores]
    return [power / sum(powers) for power in powers]


def selu(values: Array) -> Array:
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * np.where(values > 0, values, alpha * np.expm1(values))


def attend(
    layer: GraphAttention | HeterogeneousAttention, nodes: Array, scores: list[list[Array]]
) -> Array:
    """Mix ``nodes`` ``(n, width)`` node by node; ``scores[i][j]`` is the vector of that pair."""
    mixed = []
    for i, node in enumerate(nodes):
        weights = softmax(
            [
                float(scores[i][j] @ np.tanh(linear(layer.pair, node * other)))
                for j, other in enumerate(nodes)
            ]
        )
        message = sum(
            (w * other for w, other in zip(weights, nodes, strict=True)), np.zeros_like(node)
        )
        mixed.append(linear(layer.attended, message) + linear(layer.own, node))
    # A batch norm that has seen nothing yet subtracts 0 and divides by sqrt(1 + eps).
    return selu(np.stack(mixed) / math.sqrt(1 + layer.norm.eps))


def test_attention_is_what_a_loop_over_pairs_of_nodes_gives() -> None:
    layer = GraphAttention(5, 4, TEMPERATURE, 0.2).double().eval()
    nodes = random(3, 6, 5)
    score = array(layer.score)[:, 0]
    expected = [attend(layer, array(graph), [[score] * 6] * 6) for graph in nodes]
    np.testing.assert_allclose(array(layer(nodes)), np.stack(expected), rtol=1e-10, atol=1e-12)


def test_attention_among_two_types_is_what_a_loop_over_pairs_of_nodes_gives() -> None:
    layer = HeterogeneousAttention(5, 4, TEMPERATURE, 0.2).double().eval()
    graph = Graph(random(2, 4, 5), random(2, 3, 5, seed=1), random(2, 1, 5, seed=2))
    result = layer(graph)
    within = {
        True: array(layer.score_temporal)[:, 0],
        False: array(layer.score_spectral)[:, 0],
    }
    across = array(layer.score_mixed)[:, 0]
    is_temporal = [True] * 4 + [False] * 3
    scores = [[within[a] if a == b else across for b in is_temporal] for a in is_temporal]
    for index in range(2):
        nodes = np.stack(
            [linear(layer.temporal, node) for node in array(graph.temporal[index])]
            + [linear(layer.spectral, node) for node in array(graph.spectral[index])]
        )
        expected = attend(layer, nodes, scores)
        np.testing.assert_allclose(array(result.temporal[index]), expected[:4], atol=1e-12)
        np.testing.assert_allclose(array(result.spectral[index]), expected[4:], atol=1e-12)


def test_the_stack_node_gathers_the_nodes_as_they_were_before_the_update() -> None:
    layer = HeterogeneousAttention(5, 4, TEMPERATURE, 0.2).double().eval()
    graph = Graph(random(1, 4, 5), random(1, 3, 5, seed=1), random(1, 1, 5, seed=2))
    nodes = np.stack(
        [linear(layer.temporal, node) for node in array(graph.temporal[0])]
        + [linear(layer.spectral, node) for node in array(graph.spectral[0])]
    )
    stack = array(graph.stack)[0, 0]
    score = array(layer.stack_score)[:, 0]
    weights = softmax(
        [float(score @ np.tanh(linear(layer.stack_pair, node * stack))) for node in nodes]
    )
    message = sum((w * node for w, node in zip(weights, nodes, strict=True)), np.zeros(5))
    expected = linear(layer.stack_attended, message) + linear(layer.stack_own, stack)
    np.testing.assert_allclose(array(layer(graph).stack)[0, 0], expected, atol=1e-12)


def test_the_nodes_never_read_the_stack_node() -> None:
    layer = HeterogeneousAttention(5, 4, TEMPERATURE, 0.2).double().eval()
    temporal, spectral = random(1, 4, 5), random(1, 3, 5, seed=1)
    one = layer(Graph(temporal, spectral, random(1, 1, 5, seed=2)))
    other = layer(Graph(temporal, spectral, random(1, 1, 5, seed=3)))
    assert torch.equal(one.temporal, other.temporal)
    assert torch.equal(one.spectral, other.spectral)
    assert not torch.equal(one.stack, other.stack)


def test_a_batch_is_normalised_over_all_nodes_of_all_its_graphs() -> None:
    layer = GraphAttention(5, 4, TEMPERATURE, 0.0).double().train()
    nodes = random(3, 6, 5)
    mixed = layer.mix(nodes).reshape(18, 4)
    spread = (mixed.var(dim=0, unbiased=False) + layer.norm.eps).sqrt()
    expected = selu(array((mixed - mixed.mean(dim=0)) / spread)).reshape(3, 6, 4)
    np.testing.assert_allclose(array(layer(nodes)), expected, atol=1e-12)


def test_reordering_the_nodes_reorders_the_result() -> None:
    layer = GraphAttention(5, 4, TEMPERATURE, 0.2).double().eval()
    nodes = random(2, 6, 5)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    torch.testing.assert_close(layer(nodes[:, order]), layer(nodes)[:, order])


@pytest.mark.parametrize(
    ("count", "keep", "kept"),
    [(23, 0.5, 11), (29, 0.7, 20), (23, 0.4, 9), (29, 0.5, 14), (9, 0.7, 6), (14, 0.7, 9)],
)
def test_pooling_keeps_the_published_number_of_nodes(count: int, keep: float, kept: int) -> None:
    assert GraphPool(4, keep, 0.3).double().eval()(random(2, count, 4)).shape == (2, kept, 4)


def test_pooling_keeps_one_node_of_one() -> None:
    assert GraphPool(4, 0.5, 0.3).double().eval()(random(2, 1, 4)).shape == (2, 1, 4)


def test_pooling_scales_the_best_nodes_by_their_scores_and_orders_them_best_first() -> None:
    pool = GraphPool(4, 0.5, 0.3).double().eval()
    nodes = random(1, 7, 4)
    scores = [1 / (1 + math.exp(-linear(pool.score, node)[0])) for node in array(nodes[0])]
    best = sorted(range(7), key=lambda index: -scores[index])[:3]
    expected = np.stack([array(nodes[0, index]) * scores[index] for index in best])
    np.testing.assert_allclose(array(pool(nodes))[0], expected, atol=1e-12)
