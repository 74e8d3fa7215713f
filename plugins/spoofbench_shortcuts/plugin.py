"""What this plugin offers: five countermeasures that hear nothing but a shortcut."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import ModelSpec, hookimpl

SILENCE = "https://arxiv.org/abs/2106.12914"
"""Mueller et al. (2021), who found that leading silence alone gives 15.1 % EER on 2019 LA."""


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Return the shortcuts."""
    return [
        _shortcut(
            "silence", "how long the silence before, within and after the speech is", SILENCE
        ),
        _shortcut("channel", "the recording channel (mean, spread and floor of the spectrum)"),
        _shortcut("duration", "how long the recording is"),
        _shortcut("loudness", "how loud the recording is"),
        _shortcut("bandwidth", "where the band of the recording ends"),
    ]


def _shortcut(name: str, hears: str, source: str = "") -> ModelSpec:
    return ModelSpec(
        name=f"shortcut-{name}",
        target=f"spoofbench_shortcuts.models:{name}",
        summary=f"Hears only {hears}.",
        min_samples=512,
        shortcut=hears,
        source=source,
    )
