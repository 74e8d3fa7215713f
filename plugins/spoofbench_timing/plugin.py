"""Declares what changes time. See docs/reference/conditions-timing.md."""

from spoofbench import AugmentationSpec, hookimpl


@hookimpl
def spoofbench_augmentations() -> list[AugmentationSpec]:
    """Offer changes of speed, pitch and length."""
    return [
        AugmentationSpec(
            name="speed",
            target="spoofbench_timing.rates:Speed",
            summary="Played faster, or slower below 1, so that pitch and length change.",
            unit="times the speed",
            levels=(1.05, 1.1, 1.2, 1.4),
            lowest=0.5,
            highest=2.0,
            neutral=1.0,
            family="time",
            keeps_length=False,
        ),
        AugmentationSpec(
            name="pitch",
            target="spoofbench_timing.rates:Pitch",
            summary="Higher by semitones, or lower below 0, at the same length.",
            unit="semitones",
            levels=(1.0, 2.0, 3.0, 4.0),
            lowest=-12.0,
            highest=12.0,
            neutral=0.0,
            family="time",
        ),
        AugmentationSpec(
            name="trim-silence",
            target="spoofbench_timing.cuts:TrimSilence",
            summary="No silence before and after, which is so many dB below the loudest frame.",
            unit="dB below peak",
            levels=(60.0, 50.0, 40.0, 30.0, 20.0),
            lowest=5.0,
            highest=100.0,
            family="time",
            keeps_length=False,
        ),
        AugmentationSpec(
            name="duration",
            target="spoofbench_timing.cuts:Duration",
            summary="Only the first seconds.",
            unit="s",
            levels=(4.0, 3.0, 2.0, 1.0, 0.5),
            lowest=0.05,
            highest=600.0,
            family="time",
            keeps_length=False,
        ),
    ]
