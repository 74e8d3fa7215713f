"""What this plugin offers: one of each kind."""

from spoofbench import (
    AugmentationSpec,
    CorpusSpec,
    DatasetSpec,
    MetricSpec,
    ModelSpec,
    ProtocolSpec,
    ReporterSpec,
    hookimpl,
)


@hookimpl
def spoofbench_models():
    """Offer a small model that can be trained."""
    return [
        ModelSpec(
            name="lfcc-linear",
            target="spoofbench_example.model:LfccLinear",
            summary="Mean and deviation of LFCCs over time, and a linear layer.",
            samples=8_000,
            min_samples=400,
            recipe="spoofbench_example:lfcc-linear.toml",
        )
    ]


@hookimpl
def spoofbench_augmentations():
    """Offer a change of level."""
    return [
        AugmentationSpec(
            name="level-change",
            target="spoofbench_example.gain:Gain",
            summary="Louder or softer.",
            unit="dB",
            levels=(-6, -12, -24),
        )
    ]


@hookimpl
def spoofbench_metrics():
    """Offer the area under the ROC curve."""
    return [
        MetricSpec(
            name="pair-order",
            target="spoofbench_example.pair_order:pair_order",
            summary="Chance that a bona fide trial scores above a spoof.",
            title="AUC",
            percent=True,
        )
    ]


@hookimpl
def spoofbench_reporters():
    """Offer plain lines."""
    return [
        ReporterSpec(
            name="lines",
            target="spoofbench_example.lines:write",
            summary="One line for each number.",
        )
    ]


@hookimpl
def spoofbench_datasets():
    """Offer a reader of CSV files."""
    return [
        DatasetSpec(
            name="csv-keys",
            target="spoofbench_example.csv_keys:read_trials",
            summary="CSV files with the columns path and key.",
        )
    ]


@hookimpl
def spoofbench_corpora():
    """Offer a corpus that is generated."""
    return [
        CorpusSpec(
            name="beeps",
            target="spoofbench_example.beeps:build",
            summary="Tones for bona fide, noise for spoofs; no human speech.",
            licence="CC0-1.0",
            obtain="generated on first use",
        )
    ]


@hookimpl
def spoofbench_protocols():
    """Offer the three parts of that corpus."""
    return [
        ProtocolSpec(
            name=f"beeps-{part}",
            target=f"spoofbench_example:beeps-{part}.toml",
            summary=f"Tones and noise, {part}.",
            aliases=("beeps",) if part == "eval" else (),
        )
        for part in ("train", "dev", "eval")
    ]
