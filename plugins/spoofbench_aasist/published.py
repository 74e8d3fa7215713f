"""The names and layout of the published checkpoints, translated to those of our model."""

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
NAMES = (
    OTHERS
    | {
        f"encoder.{n}.0.{old}": f"encoder.{n}.{new}"
        for n in range(6)
        for old, new in ENCODER.items()
    }
    | {
        f"{layer}.{old}": f"{ours}.{new}"
        for layer, ours in ATTENTION_LAYERS.items()
        for old, new in ATTENTION.items()
    }
)
"""Published names of modules and parameters, and ours."""

LEAVES = ("", ".weight", ".bias", ".running_mean", ".running_var", ".num_batches_tracked")


def rename(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the tensors of a published checkpoint our names; unknown names stay as they are.

    The kernels of the published encoder are ``(out, in, bands, frames)``; ours are
    ``(out, in, frames, bands)``.
    """
    names = {old + leaf: new + leaf for old, new in NAMES.items() for leaf in LEAVES}
    return {
        names.get(name, name): tensor.mT if name in names and tensor.ndim == 4 else tensor
        for name, tensor in state.items()
    }
