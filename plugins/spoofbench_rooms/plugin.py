"""Declares the rooms. See docs/reference/conditions-rooms.md."""

from spoofbench import AugmentationSpec, hookimpl


@hookimpl
def spoofbench_augmentations() -> list[AugmentationSpec]:
    """Offer simulated rooms of a reverberation time, and folders of measured responses."""
    return [
        AugmentationSpec(
            name="room",
            target="spoofbench_rooms.simulated:Room",
            summary="One of twenty simulated rooms whose walls give the reverberation time.",
            unit="s RT60",
            levels=(0.2, 0.4, 0.6, 0.8, 1.2),
            lowest=0.1,
            highest=3.0,
            family="reverb",
        ),
        AugmentationSpec(
            name="room-recordings",
            target="spoofbench_rooms.recorded:RoomRecordings",
            summary="A room whose impulse response was measured, drawn from a folder.",
            unit="",
            levels=(),
            family="reverb",
            source="a folder",
        ),
    ]
