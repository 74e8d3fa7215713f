"""The names and layout of the published checkpoints, translated to those of our models."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

ENCODER = {
    "bn1": "unused_norm",
    "bn2": "norm",
    "conv1": "first",
    "conv2": "second",
    "conv_downsample": "shortcut",
}
ATTENTION = {
    "att_proj": "pair",
    "att_weight": "score",
    "proj_with_att": "attended",
    "proj_without_att": "own",
    "bn": "norm",
    # The heterogeneous layers take the temporal nodes as type 1, the spectral ones as type 2.
    "proj_type1": "temporal",
    "proj_type2": "spectral",
    "att_weight11": "score_temporal",
    "att_weight22": "score_spectral",
    "att_weight12": "score_mixed",
    "att_projM": "stack_pair",
    "att_weightM": "stack_score",
    "proj_with_attM": "stack_attended",
    "proj_without_attM": "stack_own",
}
ATTENTION_LAYERS = {
    "GAT_layer_S": "spectral_attention",
    "GAT_layer_T": "temporal_attention",
    "HtrgGAT_layer_ST11": "branches.0.first",
    "HtrgGAT_layer_ST12": "branches.0.second",
    "HtrgGAT_layer_ST21": "branches.1.first",
    "HtrgGAT_layer_ST22": "branches.1.second",
}
OTHERS = {
    "pos_S": "position",
    "master1": "branches.0.stack",
    "master2": "branches.1.stack",
    "first_bn": "frontend.norm",
    "pool_S.proj": "spectral_pool.score",
    "pool_T.proj": "temporal_pool.score",
    "pool_hS1.proj": "branches.0.spectral_pool.score",
    "pool_hT1.proj": "branches.0.temporal_pool.score",
    "pool_hS2.proj": "branches.1.spectral_pool.score",
    "pool_hT2.proj": "branches.1.temporal_pool.score",
    "out_layer": "head",
}
RAWGAT_BLOCK = ENCODER | {"conv_1": "unused_first"}
RAWGAT_LAYERS = {
    "GAT_layer1": "spectral.attention",
    "GAT_layer2": "temporal.attention",
    "GAT_layer3": "joint_attention",
}
RAWGAT_OTHERS = {
    "first_bn": "frontend.norm",
    "pool1.proj": "spectral.pool.score",
    "pool2.proj": "temporal.pool.score",
    "pool3.proj": "joint_pool.score",
    "proj1": "spectral.project",
    "proj2": "temporal.project",
    "proj": "node_value",
    "proj_node": "head",
}
ENCODERS = {"encoder1": "spectral_encoder", "encoder2": "temporal_encoder"}


def _in_layers(layers: Mapping[str, str], inside: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{layer}.{old}": f"{ours}.{new}"
        for layer, ours in layers.items()
        for old, new in inside.items()
    }


NAMES = (
    OTHERS
    | _in_layers({f"encoder.{n}.0": f"encoder.{n}" for n in range(6)}, ENCODER)
    | _in_layers(ATTENTION_LAYERS, ATTENTION)
)
"""AASIST: published names of modules and parameters, and ours."""

RAWGAT_NAMES = (
    RAWGAT_OTHERS
    | _in_layers(RAWGAT_LAYERS, ATTENTION)
    | {
        name: ours
        for theirs, own in ENCODERS.items()
        for n in range(6)
        # The first block has no other convolution than the one that its successors never use.
        for name, ours in _in_layers(
            {f"{theirs}.{n}.0": f"{own}.{n}"}, RAWGAT_BLOCK if n else ENCODER | {"conv_1": "first"}
        ).items()
    }
)
"""RawGAT-ST: the same."""

LEAVES = ("", ".weight", ".bias", ".running_mean", ".running_var", ".num_batches_tracked")


def rename(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the tensors of a published AASIST our names; unknown names stay as they are."""
    return _renamed(state, NAMES)


def rename_rawgat_st(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the tensors of the published RawGAT-ST our names; unknown names stay as they are."""
    return _renamed(state, RAWGAT_NAMES)


def _renamed(state: Mapping[str, Tensor], table: Mapping[str, str]) -> dict[str, Tensor]:
    # The published kernels are (out, in, bands, frames); ours are (out, in, frames, bands).
    names = {old + leaf: new + leaf for old, new in table.items() for leaf in LEAVES}
    return {
        names.get(name, name): tensor.mT if name in names and tensor.ndim == 4 else tensor
        for name, tensor in state.items()
    }
