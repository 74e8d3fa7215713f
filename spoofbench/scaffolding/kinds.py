"""The code that a new plugin of each kind begins with: small, and right by its contract."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of plugin: what its project holds beside what all have.

    ``$name``, ``$package``, ``$class`` stand for those of the project.
    """

    name: str
    module: str
    """The module with the code, without ``.py``."""
    declaration: str
    """``plugin.py``."""
    code: str
    first_use: tuple[str, ...]
    """Commands that show the plugin at work."""
    extra_test: str = ""


MODEL = Kind(
    name="model",
    module="model",
    declaration='''"""What this plugin offers; the code is imported when it is used."""

from spoofbench import ModelSpec, hookimpl


@hookimpl
def spoofbench_models():
    """Return the models."""
    return [
        ModelSpec(
            name="$name",
            target="$package.model:$class",
            summary="Mean and deviation of LFCCs, and a linear layer.",
            samples=64_600,
        )
    ]
''',
    code='''"""A countermeasure: waveform in, score out, higher = more bona fide."""

import torch
from torch import nn
from torch.nn import functional

from spoofbench.torchaudio_import import torchaudio


class $class(nn.Module):
    """Replace the inside; `spoofbench plugins check $name` says whether the contract holds."""

    def __init__(self):
        super().__init__()
        self.lfcc = torchaudio().transforms.LFCC(sample_rate=16_000, n_lfcc=20, log_lf=True)
        self.norm = nn.BatchNorm1d(40)
        self.out = nn.Linear(40, 1)

    def score(self, audio, lengths):
        """Score ``audio`` ``(batch, time)``: one number for each utterance, ``(batch,)``."""
        features = self.lfcc(audio)  # (batch, coefficients, frames)
        statistics = torch.cat([features.mean(dim=2), features.std(dim=2)], dim=1)
        return self.out(self.norm(statistics)).squeeze(1)

    def loss(self, audio, lengths, bonafide):
        """Return one loss for each utterance, ``(batch,)``; the recipe weighs the classes."""
        scores = self.score(audio, lengths)
        return functional.binary_cross_entropy_with_logits(
            scores, bonafide.to(scores.dtype), reduction="none"
        )
''',
    first_use=(
        "spoofbench run $name                       # trains it on `toy`, prints its table",
        "spoofbench table runs/toy-eval             # beside AASIST, if that was run too",
    ),
)

AUGMENTATION = Kind(
    name="augmentation",
    module="augmentation",
    declaration='''"""What this plugin offers; the code is imported when it is used."""

from spoofbench import AugmentationSpec, hookimpl


@hookimpl
def spoofbench_augmentations():
    """Return the augmentations."""
    return [
        AugmentationSpec(
            name="$name",
            target="$package.augmentation:$class",
            summary="Tremolo: the level swings four times a second.",
            unit="dB",
            levels=(3.0, 6.0, 12.0),
            lowest=0.0,
            family="channel",
        )
    ]
''',
    code='''"""A transform of audio that has a level."""

import math

import torch


class $class:
    """Swings the level of the audio by as many dB as the level says."""

    def apply(self, audio, level, context):
        """Return ``audio`` ``(time,)`` changed; draw from ``context.random`` alone."""
        time = torch.arange(len(audio)) / context.rate
        phase = 2 * math.pi * torch.rand(1, generator=context.random)
        swing_db = -level * (0.5 + 0.5 * torch.sin(2 * math.pi * 4.0 * time + phase))
        return audio * 10 ** (swing_db / 20)
''',
    first_use=(
        "spoofbench augmentations                   # lists it, with its levels",
        "spoofbench robustness --conditions '$name@6'",
    ),
)

DATASET = Kind(
    name="dataset",
    module="reader",
    declaration='''"""What this plugin offers; the code is imported when it is used."""

from spoofbench import DatasetSpec, hookimpl


@hookimpl
def spoofbench_datasets():
    """Return the readers."""
    return [
        DatasetSpec(
            name="$name",
            target="$package.reader:read",
            summary="Key files with a JSON object on each line.",
        )
    ]
''',
    code='''"""From a key file to trials: one JSON object a line, such as
``{"file": "a.wav", "speaker": "s1", "label": "bonafide"}``; a spoof has an ``attack`` too.
"""

import json

from spoofbench.errors import CorpusNotFound, InvalidKeys
from spoofbench.trials import Trial


def read(data, root):
    """Return the trials that ``data`` describes below ``root``, in order; open no audio."""
    keys = root / data.keys
    try:
        lines = keys.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CorpusNotFound(f"{keys} cannot be read: {error}") from error
    return [_trial(line, f"{keys}, line {number}") for number, line in enumerate(lines, start=1)]


def _trial(line, where):
    try:
        said = json.loads(line)
        bonafide = {"bonafide": True, "spoof": False}[said["label"]]
        file, speaker = said["file"], said["speaker"]
    except (ValueError, KeyError, TypeError) as error:
        hint = "each line needs file, speaker and label"
        raise InvalidKeys(f"{where}: {error!r}", hint=hint) from None
    if file.startswith("/") or ".." in file.split("/"):
        raise InvalidKeys(f"{where}: {file} lies outside the corpus")
    return Trial(
        utterance=file.rpartition(".")[0].replace("/", "_"),
        speaker=speaker,
        attack="-" if bonafide else said.get("attack", "unknown"),
        bonafide=bonafide,
        audio=file,
    )
''',
    first_use=("spoofbench datasets                        # lists it: a protocol's `reader`",),
    extra_test="""

def test_a_line_becomes_a_trial(tmp_path):
    from types import SimpleNamespace

    from $package.reader import read

    (tmp_path / "keys.jsonl").write_text('{"file": "a/b.wav", "speaker": "s", "label": "spoof"}')
    (trial,) = read(SimpleNamespace(keys="keys.jsonl"), tmp_path)
    assert (trial.utterance, trial.bonafide, trial.attack) == ("a_b", False, "unknown")
""",
)

OBJECTIVE = Kind(
    name="objective",
    module="objective",
    declaration='''"""What this plugin offers; the code is imported when it is used."""

from spoofbench import ObjectiveSpec, hookimpl


@hookimpl
def spoofbench_objectives():
    """Return the objectives."""
    return [
        ObjectiveSpec(
            name="$name",
            target="$package.objective:$class",
            summary="A centre for bona fide speech, and a margin around it.",
            judges=True,
            options=(("margin", 4.0),),
        )
    ]
''',
    code='''"""A loss on what a model sums an utterance up in, and a score."""

import torch
from torch import nn


class $class(nn.Module):
    """Squared distance to a learned centre for bona fide, and what a spoof lacks to a margin."""

    def __init__(self, context):
        super().__init__()
        (self.margin,) = context.options
        self.centre = nn.Parameter(torch.zeros(context.width))

    def loss(self, embedded, bonafide, trials):
        """Return one loss for each utterance, ``(batch,)``; the recipe weighs the classes."""
        distance = -self.score(embedded)
        return torch.where(bonafide, distance, (self.margin - distance).clamp(min=0))

    def score(self, embedded):
        """Score ``embedded`` ``(batch, width)``: ``(batch,)``, higher = more bona fide."""
        return -(embedded - self.centre).square().sum(dim=1)
''',
    first_use=(
        "spoofbench objectives                      # lists it, with its options",
        "spoofbench train aasist-l --set 'objective=\"$name\"'",
    ),
)

METRIC = Kind(
    name="metric",
    module="metric",
    declaration='''"""What this plugin offers; the code is imported when it is used."""

from spoofbench import MetricSpec, hookimpl


@hookimpl
def spoofbench_metrics():
    """Return the metrics."""
    return [
        MetricSpec(
            name="$name",
            target="$package.metric:overlap",
            summary="How often a spoof scores no lower than a bona fide utterance.",
            title="overlap %",
            percent=True,
        )
    ]
''',
    code='''"""A number that judges scores."""

import numpy as np


def overlap(judged):
    """Return the share of pairs in which the spoof scores no lower: 0 is perfect, 0.5 chance."""
    spoof = np.sort(judged.spoof)
    not_lower = len(spoof) - np.searchsorted(spoof, judged.bonafide, side="left")
    return float(not_lower.mean() / len(spoof))
''',
    first_use=(
        "spoofbench metrics                         # lists it",
        "spoofbench table runs/toy-eval --metrics eer,$name",
    ),
)

REPORTER = Kind(
    name="reporter",
    module="report",
    declaration='''"""What this plugin offers; the code is imported when it is used."""

from spoofbench import ReporterSpec, hookimpl


@hookimpl
def spoofbench_reporters():
    """Return the formats."""
    return [
        ReporterSpec(
            name="$name",
            target="$package.report:write",
            summary="One line for each run and group, tabs between.",
        )
    ]
''',
    code='''"""A way of writing tables down."""


def write(tables, stream):
    """Write ``tables`` to ``stream``: stamps first, for they must never be lost."""
    for table in tables:
        print(f"# {table.title}", file=stream)
        for stamp in table.stamps:
            print(f"# ! {stamp}", file=stream)
        print("run", "group", *(m.title for m in table.metrics), sep="\\t", file=stream)
        for row in table.rows:
            values = (f"{row.values[metric.name]:.6g}" for metric in table.metrics)
            print(row.run, row.group, *values, sep="\\t", file=stream)
''',
    first_use=("spoofbench table runs/toy-eval --format $name",),
)

TRACKER = Kind(
    name="tracker",
    module="tracker",
    declaration='''"""What this plugin offers; the code is imported when it is used."""

from spoofbench import TrackerSpec, hookimpl


@hookimpl
def spoofbench_trackers():
    """Return the trackers."""
    return [
        TrackerSpec(
            name="$name",
            target="$package.tracker:$class",
            summary="A small file that says how far a training has come.",
        )
    ]
''',
    code='''"""A place to log a training."""

import json


class $class:
    """Keeps ``$name/status.json`` in the training's folder, for a monitor to look at."""

    def __init__(self, folder, terms):
        self.file = folder / "$name" / "status.json"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.known = {"model": terms.model.name, "seed": terms.seed, "of": terms.recipe.epochs}

    def epoch(self, epoch):
        """Say what an epoch gave; one that comes again is written over."""
        self.write(epoch=epoch.epoch, loss=epoch.loss, dev_eer=epoch.dev_eer)

    def end(self, record):
        """Say what came of it all."""
        self.write(best_epoch=record.best_epoch, best_dev_eer=record.best_dev_eer)

    def write(self, **said):
        """Write what is known."""
        self.file.write_text(json.dumps(self.known | said))
''',
    first_use=("spoofbench train lfcc-lcnn --set epochs=2 --tracker $name",),
)

KINDS = {
    kind.name: kind for kind in (MODEL, AUGMENTATION, DATASET, OBJECTIVE, METRIC, REPORTER, TRACKER)
}
