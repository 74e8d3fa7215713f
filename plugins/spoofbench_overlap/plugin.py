"""What this plugin offers: overlap by a bona fide talker, and by a spoofed one."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import AugmentationSpec, hookimpl


def _overlap(name: str, target: str, summary: str) -> AugmentationSpec:
    return AugmentationSpec(
        name=name,
        target=f"spoofbench_overlap.overlap:{target}",
        summary=summary,
        unit="dB SIR",
        levels=(15.0, 10.0, 5.0, 0.0, -5.0),
        lowest=-40,
        highest=80,
        family="overlap",
        options=(("share of the time in %", 100.0),),
        talkers=1,
    )


@hookimpl
def spoofbench_augmentations() -> Sequence[AugmentationSpec]:
    """Return the overlaps; their level is a signal-to-interferer ratio."""
    return [
        _overlap("overlap", "Overlap", "One other talker of the protocol over part of the time."),
        _overlap(
            "overlap-spoof",
            "OverlapBySpoof",
            "A spoof of one other speaker over part of the time.",
        ),
    ]
