"""What this plugin offers: two baselines of ASVspoof 2021 that read LFCCs."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import Figure, ModelSpec, hookimpl

RESULTS = "https://www.asvspoof.org/index2021.html"
"""The organisers' table of baselines: the progress phase of ASVspoof 2021."""


def _on_progress(metric: str, value: float, task: str = "la21") -> Figure:
    return Figure(protocol=f"{task}-progress", metric=metric, value=value, source=RESULTS)


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Offer two baselines of ASVspoof 2021."""
    return (
        ModelSpec(
            name="lfcc-gmm",
            target="spoofbench_lfcc.gmm:LfccGmm",
            summary="Two mixtures of 512 Gaussians over LFCCs: a baseline of ASVspoof 2021.",
            min_samples=480,
            source="https://github.com/asvspoof-challenge/2021",
            figures=(
                _on_progress("eer", 0.2113),
                _on_progress("min-tdcf-2021", 0.5836),
                _on_progress("eer", 0.2101, "df21"),
            ),
        ),
        ModelSpec(
            name="lfcc-lcnn",
            target="spoofbench_lfcc.lcnn:LfccLcnn",
            summary="A light CNN and LSTMs over LFCCs: a baseline of ASVspoof 2021.",
            samples=64_600,
            min_samples=2_720,
            parameters=269_729,
            recipe="spoofbench_lfcc:lcnn.toml",
            source="https://arxiv.org/abs/2103.11326",
            figures=(_on_progress("eer", 0.0890), _on_progress("min-tdcf-2021", 0.3152)),
        ),
    )
