"""What this plugin offers: a late fusion."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import ModelSpec, hookimpl


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Offer the fusion of AASIST-L and LFCC-LCNN."""
    return (
        ModelSpec(
            name="late-fusion",
            target="spoofbench_fusion.model:late_fusion",
            summary="aasist-l and lfcc-lcnn side by side, their scores added with learned weights.",
            samples=64_600,
            min_samples=2_720,
            parameters=85_306 + 269_729 + 3,
            recipe="spoofbench_fusion:fusion.toml",
        ),
    )
