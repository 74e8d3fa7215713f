"""The hooks. Each takes nothing and returns specs; returning them is all that a plugin does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from spoofbench.specs import (
        AugmentationSpec,
        CorpusSpec,
        DatasetSpec,
        MetricSpec,
        ModelSpec,
        ObjectiveSpec,
        ProtocolSpec,
        ReporterSpec,
        TrackerSpec,
    )

PROJECT = "spoofbench"
"""pluggy's project name, and the entry-point group in which plugins register."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def spoofbench_models() -> Sequence[ModelSpec]:
    """Return the countermeasures on offer. Called once, when any model is looked up or listed."""
    return ()


@hookspec
def spoofbench_datasets() -> Sequence[DatasetSpec]:
    """Return the readers on offer: each turns one layout of key files into trials."""
    return ()


@hookspec
def spoofbench_corpora() -> Sequence[CorpusSpec]:
    """Return the corpora that are known: their licence, and how one comes by them."""
    return ()


@hookspec
def spoofbench_protocols() -> Sequence[ProtocolSpec]:
    """Return the protocols on offer: each names a TOML file inside the plugin's package."""
    return ()


@hookspec
def spoofbench_augmentations() -> Sequence[AugmentationSpec]:
    """Return the augmentations on offer: transforms of audio that have a level."""
    return ()


@hookspec
def spoofbench_objectives() -> Sequence[ObjectiveSpec]:
    """Return the objectives on offer: losses on a model's embeddings, which recipes name."""
    return ()


@hookspec
def spoofbench_metrics() -> Sequence[MetricSpec]:
    """Return the metrics on offer; protocols name those that they report."""
    return ()


@hookspec
def spoofbench_reporters() -> Sequence[ReporterSpec]:
    """Return the output formats on offer; ``--format`` names one."""
    return ()


@hookspec
def spoofbench_trackers() -> Sequence[TrackerSpec]:
    """Return the trackers on offer: where ``--tracker`` logs the epochs of a training."""
    return ()
