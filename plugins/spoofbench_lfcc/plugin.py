"""What this plugin offers: two baselines of ASVspoof 2021 that read LFCCs."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import Figure, ModelSpec, hookimpl

RESULTS = "https://arxiv.org/abs/2109.00537"
"""Yamagishi et al. (2021), the results of ASVspoof 2021: baselines B02 and B03."""


def _figures(la: float, tdcf: float, df: float) -> tuple[Figure, ...]:
    return (
        Figure(protocol="la21-eval", metric="eer", value=la, source=RESULTS),
        Figure(protocol="la21-eval", metric="min-tdcf-2021", value=tdcf, source=RESULTS),
        Figure(protocol="df21-eval", metric="eer", value=df, source=RESULTS),
    )


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Offer the baselines B02 and B03 of ASVspoof 2021."""
    return (
        ModelSpec(
            name="lfcc-gmm",
            target="spoofbench_lfcc.gmm:LfccGmm",
            summary="Two mixtures of 512 Gaussians over LFCCs: a baseline of ASVspoof 2021.",
            min_samples=480,
            source="https://github.com/asvspoof-challenge/2021",
            figures=_figures(0.1930, 0.5758, 0.2525),
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
            figures=_figures(0.0926, 0.3445, 0.2348),
        ),
    )
