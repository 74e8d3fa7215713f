"""What this plugin offers."""

from collections.abc import Sequence

from spoofbench import TrackerSpec, hookimpl


@hookimpl
def spoofbench_trackers() -> Sequence[TrackerSpec]:
    """Offer TensorBoard."""
    return [
        TrackerSpec(
            name="tensorboard",
            target="spoofbench_tensorboard.tracker:TensorBoard",
            summary="Event files for TensorBoard, in tensorboard/ of the training's folder.",
        )
    ]
