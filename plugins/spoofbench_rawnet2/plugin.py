"""What this plugin offers: RawNet2."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import Figure, ModelSpec, hookimpl

RESULTS = "https://www.asvspoof.org/index2021.html"
"""The organisers' table of baselines: the progress phase of ASVspoof 2021."""


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Offer a baseline of ASVspoof 2021."""
    return (
        ModelSpec(
            name="rawnet2",
            target="spoofbench_rawnet2.model:RawNet2",
            summary="Sinc filters, gated residual blocks and a GRU: a baseline of ASVspoof 2021.",
            samples=64_600,
            min_samples=3_211,
            parameters=17_621_410,
            recipe="spoofbench_rawnet2:paper.toml",
            source="https://arxiv.org/abs/2011.01108",
            figures=(
                Figure(protocol="la21-progress", metric="eer", value=0.0949, source=RESULTS),
                Figure(
                    protocol="la21-progress", metric="min-tdcf-2021", value=0.4152, source=RESULTS
                ),
                Figure(protocol="df21-progress", metric="eer", value=0.0610, source=RESULTS),
            ),
        ),
    )
