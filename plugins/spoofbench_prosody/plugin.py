"""What this plugin offers: a countermeasure that hears only prosody."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import ModelSpec, hookimpl


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Offer the regression on prosody."""
    return (
        ModelSpec(
            name="prosody",
            target="spoofbench_prosody.model:prosody",
            summary="F0, jitter, shimmer, harmonicity and level, and a logistic regression.",
            min_samples=3_200,
            source="https://parselmouth.readthedocs.io",
        ),
    )
