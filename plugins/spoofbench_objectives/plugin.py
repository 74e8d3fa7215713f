"""What this plugin offers: two objectives that judge, and one that is added."""

from spoofbench import ObjectiveSpec, hookimpl


@hookimpl
def spoofbench_objectives() -> list[ObjectiveSpec]:
    """Return OC-Softmax, AM-Softmax, and the speaker as a second task."""
    return [
        ObjectiveSpec(
            name="oc-softmax",
            target="spoofbench_objectives.margins:OcSoftmax",
            summary="One direction for bona fide speech, and spoofs kept away from it.",
            judges=True,
            options=(("bonafide_margin", 0.9), ("spoof_margin", 0.2), ("scale", 20.0)),
            source="https://arxiv.org/abs/2010.13995",
        ),
        ObjectiveSpec(
            name="am-softmax",
            target="spoofbench_objectives.margins:AmSoftmax",
            summary="A direction for each class, and a margin between them.",
            judges=True,
            options=(("margin", 0.35), ("scale", 30.0)),
            source="https://arxiv.org/abs/1801.05599",
        ),
        ObjectiveSpec(
            name="speaker",
            target="spoofbench_objectives.speaker:SpeakerHead",
            summary="Who speaks, as a second task; reversed, the model unlearns it.",
            options=(("reversal", 0.0),),
            source="https://arxiv.org/abs/1409.7495",
        ),
    ]
