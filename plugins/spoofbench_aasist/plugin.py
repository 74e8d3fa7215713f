"""What this plugin offers: AASIST, AASIST-L, and AASIST with its attention one graph at a time."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import Checkpoint, ModelSpec, hookimpl

PAPER = "https://arxiv.org/abs/2110.01200"
RECIPE = "spoofbench_aasist:paper.toml"
SAMPLES = 64_600
MIN_SAMPLES = 2_315
REPOSITORY = "https://github.com/clovaai/aasist"
WEIGHTS = (
    "https://raw.githubusercontent.com/clovaai/aasist/"
    "a04c9863f63d44471dde8a6abcb3b082b07cd1d1/models/weights"
)

AASIST_OFFICIAL = Checkpoint(
    name="official",
    url=f"{WEIGHTS}/AASIST.pth",
    sha256="51d2d9cf0738172f61e2a384ec50a54a55363240f67c971ed55a92435bc1a1c0",
    size=1_281_532,
    licence="MIT",
    source=REPOSITORY,
)
AASIST_L_OFFICIAL = Checkpoint(
    name="official",
    url=f"{WEIGHTS}/AASIST-L.pth",
    sha256="814331d088032bb4c3fa61cc014789eadeed464209dd094ab3a2dd6ffbdce27a",
    size=426_428,
    licence="MIT",
    source=REPOSITORY,
)


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Offer the AASIST pair, and the reference implementation of its attention."""
    return (
        ModelSpec(
            name="aasist",
            target="spoofbench_aasist.model:aasist",
            summary="Spectro-temporal graph attention on sinc filters, 297,866 parameters.",
            samples=SAMPLES,
            min_samples=MIN_SAMPLES,
            recipe=RECIPE,
            checkpoints=(AASIST_OFFICIAL,),
            source=PAPER,
        ),
        ModelSpec(
            name="aasist-l",
            target="spoofbench_aasist.model:aasist_l",
            summary="The light AASIST, 85,306 parameters.",
            samples=SAMPLES,
            min_samples=MIN_SAMPLES,
            recipe=RECIPE,
            checkpoints=(AASIST_L_OFFICIAL,),
            source=PAPER,
        ),
        ModelSpec(
            name="aasist-sequential",
            target="spoofbench_aasist.model:aasist_sequential",
            summary="AASIST with attention one graph at a time: same scores, for comparing speed.",
            samples=SAMPLES,
            min_samples=MIN_SAMPLES,
            recipe=RECIPE,
            checkpoints=(AASIST_OFFICIAL,),
            source=PAPER,
        ),
    )
