"""What this plugin offers: seven kinds of noise."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import AugmentationSpec, hookimpl

_LEVELS = (20.0, 15.0, 10.0, 5.0, 0.0, -5.0)


def _noise(
    name: str,
    target: str,
    summary: str,
    *,
    options: tuple[tuple[str, float], ...] = (),
    talkers: int = 0,
    source: str = "",
) -> AugmentationSpec:
    return AugmentationSpec(
        name=name,
        target=f"spoofbench_noise.{target}",
        summary=summary,
        unit="dB SNR",
        levels=_LEVELS,
        lowest=-40,
        highest=80,
        family="noise",
        options=options,
        talkers=talkers,
        source=source,
    )


@hookimpl
def spoofbench_augmentations() -> Sequence[AugmentationSpec]:
    """Return the noises; the level of all of them is a signal-to-noise ratio."""
    return [
        _noise("white", "coloured:White", "White noise: equal power at all frequencies."),
        _noise("pink", "coloured:Pink", "Pink noise: power falls by 10 dB a decade."),
        _noise("brown", "coloured:Brown", "Brown noise: power falls by 20 dB a decade."),
        _noise(
            "hum",
            "hum:Hum",
            "Mains hum: 50 or 60 Hz and its harmonics.",
            options=(("mains frequency in Hz", 50.0),),
        ),
        _noise(
            "babble",
            "babble:Babble",
            "Three to eight other speakers of the protocol at once.",
            options=(("talkers, 0 for a random number of 3 to 8", 0.0),),
            talkers=3,
        ),
        _noise(
            "music",
            "recorded:Recorded",
            "Pieces of a folder of music, such as that of MUSAN.",
            source="a folder",
        ),
        _noise(
            "recordings",
            "recorded:Recorded",
            "Pieces of a folder of recordings, such as MUSAN's noise or ESC-50.",
            source="a folder",
        ),
    ]
