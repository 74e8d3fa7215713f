"""Benchmark speech anti-spoofing.

Plugin authors import what they need from here; it loads no torch.
"""

from spoofbench.contracts import (
    Augmentation,
    Context,
    CorpusBuilder,
    Countermeasure,
    Metric,
    PublishedNames,
    Reader,
    Reporter,
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
    MetricSpec,
    ModelSpec,
    ProtocolSpec,
    ReporterSpec,
)

__version__ = "0.1.0"

__all__ = [
    "API_VERSION",
    "Augmentation",
    "AugmentationSpec",
    "Checkpoint",
    "Context",
    "CorpusBuilder",
    "CorpusSpec",
    "Countermeasure",
    "DatasetSpec",
    "Download",
    "Metric",
    "MetricSpec",
    "ModelSpec",
    "ProtocolSpec",
    "PublishedNames",
    "Reader",
    "Reporter",
    "ReporterSpec",
    "SpoofbenchError",
    "Trainable",
    "hookimpl",
]
