"""Benchmark speech anti-spoofing.

Plugin authors import what they need from here; it loads no torch.
"""

from spoofbench.contracts import (
    Augmentation,
    BatchAugmentation,
    Context,
    CorpusBuilder,
    Countermeasure,
    Embedding,
    JudgingObjective,
    Metric,
    Objective,
    ObjectiveContext,
    Pool,
    PretrainedPart,
    PublishedNames,
    Reader,
    Reporter,
    Talk,
    Tracker,
    TrackerMaker,
    Trainable,
)
from spoofbench.errors import SpoofbenchError
from spoofbench.hookspecs import hookimpl
from spoofbench.specs import (
    API_VERSION,
    AugmentationSpec,
    Checkpoint,
    CorpusSpec,
    DatasetSpec,
    Download,
    Figure,
    MetricSpec,
    ModelSpec,
    ObjectiveSpec,
    ProtocolSpec,
    ReporterSpec,
    TrackerSpec,
)

__version__ = "0.1.0"

__all__ = [
    "API_VERSION",
    "Augmentation",
    "AugmentationSpec",
    "BatchAugmentation",
    "Checkpoint",
    "Context",
    "CorpusBuilder",
    "CorpusSpec",
    "Countermeasure",
    "DatasetSpec",
    "Download",
    "Embedding",
    "Figure",
    "JudgingObjective",
    "Metric",
    "MetricSpec",
    "ModelSpec",
    "Objective",
    "ObjectiveContext",
    "ObjectiveSpec",
    "Pool",
    "PretrainedPart",
    "ProtocolSpec",
    "PublishedNames",
    "Reader",
    "Reporter",
    "ReporterSpec",
    "SpoofbenchError",
    "Talk",
    "Tracker",
    "TrackerMaker",
    "TrackerSpec",
    "Trainable",
    "hookimpl",
]
