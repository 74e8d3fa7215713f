"""What this plugin offers: two back ends on each of three pretrained front ends."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import ModelSpec, hookimpl

FRONT_ENDS = {
    "": ("XLS-R 300M", "https://arxiv.org/abs/2111.09296", "xlsr"),
    "-base": ("wav2vec 2.0 base", "https://arxiv.org/abs/2006.11477", "base"),
    "-wavlm": ("WavLM base", "https://arxiv.org/abs/2110.13900", "wavlm"),
}
"""What stands behind a name: the front end, its paper, and what its functions are called."""
PARAMETERS = {
    "ssl-linear": 315_438_745,
    "ssl-linear-base": 94_371_725,
    "ssl-linear-wavlm": 94_381_949,
    "ssl-graph": 315_528_858,
    "ssl-graph-base": 94_445_710,
    "ssl-graph-wavlm": 94_455_934,
}


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Offer a linear probe and graph attention on each front end."""
    return [
        ModelSpec(
            name=f"ssl-{back_end}{suffix}",
            target=f"spoofbench_ssl.models:{back_end}_{function}",
            summary=f"{title}, {does}.",
            samples=64_600,
            min_samples=400,
            parameters=PARAMETERS[f"ssl-{back_end}{suffix}"],
            recipe=f"spoofbench_ssl:{back_end}.toml",
            source=paper,
        )
        for back_end, does in (
            ("linear", "frozen, and a linear layer"),
            ("graph", "trained along, and graph attention over frames"),
        )
        for suffix, (title, paper, function) in FRONT_ENDS.items()
    ]
