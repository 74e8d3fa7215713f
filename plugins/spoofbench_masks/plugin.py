"""Declares the masks. See docs/reference/conditions-masks.md."""

from spoofbench import AugmentationSpec, hookimpl


@hookimpl
def spoofbench_augmentations() -> list[AugmentationSpec]:
    """Offer a mask of frequencies and one of time; their place and width are drawn."""
    return [
        AugmentationSpec(
            name="frequency-mask",
            target="spoofbench_masks.masks:FrequencyMask",
            summary="A band of drawn place and width is left out (SpecAugment).",
            unit="Hz at most",
            levels=(500.0, 1000.0, 2000.0, 4000.0),
            lowest=1.0,
            highest=96_000.0,
            family="channel",
            on_device=True,
        ),
        AugmentationSpec(
            name="time-mask",
            target="spoofbench_masks.masks:TimeMask",
            summary="A stretch of drawn place and length is silent (SpecAugment).",
            unit="ms at most",
            levels=(100.0, 200.0, 500.0, 1000.0),
            lowest=1.0,
            highest=60_000.0,
            family="channel",
            on_device=True,
        ),
    ]
