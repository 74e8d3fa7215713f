"""Fingerprints: a hash of everything that must be equal for two runs to share a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from spoofbench.protocols import CROP_RULE, Protocol
from spoofbench.specs import MetricSpec
from spoofbench.trials import Trial


def digits(terms: Mapping[str, object]) -> str:
    """Return 12 hexadecimal digits that stand for ``terms``, whose values are as in JSON."""
    return hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest()[:12]


def of(
    protocol: Protocol, trials: Sequence[Trial], metrics: Sequence[MetricSpec], root: Path
) -> str:
    """Return the fingerprint of ``trials`` judged as ``protocol`` says: 64 hexadecimal digits.

    It covers the trial list with its keys, the sample rate, the crop rule, the metrics and their
    versions, the groups, the detection costs and threshold, and, where a metric needs them, the ASV
    scores and the costs. It does not cover where the corpus lies, nor the protocol's name.
    """
    tandem = protocol.tandem if any(m.needs_asv or m.needs_joint for m in metrics) else None
    terms = {
        "sample_rate": protocol.data.sample_rate,
        "crop": CROP_RULE,
        "metrics": [[metric.name, metric.version] for metric in metrics],
        "by": protocol.report.by,
        "detection": protocol.detection.model_dump(),
        "tandem": tandem.model_dump(exclude={"scores", "keys", "expect"}) if tandem else None,
        "asv": [sha256(root / file) for file in (tandem.scores, tandem.keys) if file]
        if tandem
        else None,
    }
    digest = hashlib.sha256(json.dumps(terms, sort_keys=True).encode())
    digest.update("".join(_line(trial) for trial in trials).encode())
    return digest.hexdigest()


def _line(trial: Trial) -> str:
    columns = ""
    if trial.columns:
        columns = "\t".join(f"{name}={value}" for name, value in sorted(trial.columns.items()))
    return f"{trial.utterance}\t{trial.speaker}\t{trial.attack}\t{trial.key}\t{columns}\n"


def sha256(file: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
