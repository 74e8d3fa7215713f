"""What this plugin offers: AASIST, its variants, and RawGAT-ST, which it came from."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import Checkpoint, Figure, ModelSpec, hookimpl

PAPER = "https://arxiv.org/abs/2110.01200"
RAWGAT_PAPER = "https://arxiv.org/abs/2107.12710"
RECIPE = "spoofbench_aasist:paper.toml"
RECIPES = tuple(
    f"spoofbench_aasist:{name}.toml" for name in ("paper", "la", "la-rawboost", "finetune", "mini")
)
SAMPLES = 64_600
MIN_SAMPLES = 2_315
REPOSITORY = "https://github.com/clovaai/aasist"
WEIGHTS = (
    "https://raw.githubusercontent.com/clovaai/aasist/"
    "a04c9863f63d44471dde8a6abcb3b082b07cd1d1/models/weights"
)
RAWGAT_REPOSITORY = "https://github.com/eurecom-asp/RawGAT-ST-antispoofing"
RAWGAT_WEIGHTS = (
    "https://raw.githubusercontent.com/eurecom-asp/RawGAT-ST-antispoofing/"
    "2f770aa46d303b9ed7513ba041b8e64cab1b31b5/Pre_trained_models"
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
RAWGAT_OFFICIAL = Checkpoint(
    name="official",
    url=f"{RAWGAT_WEIGHTS}/RawGAT_ST_mul/Best_epoch.pth",
    sha256="8a91ce8201d42119cbfb9ebca8850e5914f1a85959b3ca962819783738c2a9e2",
    size=1_858_500,
    licence="MIT",
    source=RAWGAT_REPOSITORY,
)


def _on_la(metric: str, value: float, paper: str, note: str) -> Figure:
    return Figure(protocol="la-eval", metric=metric, value=value, source=paper, note=note)


@hookimpl
def spoofbench_models() -> Sequence[ModelSpec]:
    """Offer the AASIST pair, two variants of it, and RawGAT-ST."""
    return (
        ModelSpec(
            name="aasist",
            target="spoofbench_aasist.model:aasist",
            summary="Spectro-temporal graph attention on sinc filters, 297,866 parameters.",
            samples=SAMPLES,
            min_samples=MIN_SAMPLES,
            parameters=297_866,
            recipe=RECIPE,
            recipes=RECIPES,
            checkpoints=(AASIST_OFFICIAL,),
            source=PAPER,
            figures=(
                _on_la("eer", 0.0083, PAPER, "best of three seeds; their mean is 1.13 %"),
                _on_la("min-tdcf-2019", 0.0275, PAPER, "best of three seeds"),
            ),
        ),
        ModelSpec(
            name="aasist-l",
            target="spoofbench_aasist.model:aasist_l",
            summary="The light AASIST, 85,306 parameters.",
            samples=SAMPLES,
            min_samples=MIN_SAMPLES,
            parameters=85_306,
            recipe=RECIPE,
            recipes=RECIPES,
            checkpoints=(AASIST_L_OFFICIAL,),
            source=PAPER,
            figures=(_on_la("eer", 0.0099, PAPER, "best of three seeds"),),
        ),
        ModelSpec(
            name="aasist-sequential",
            target="spoofbench_aasist.model:aasist_sequential",
            summary="AASIST with attention one graph at a time: same scores, for comparing speed.",
            samples=SAMPLES,
            min_samples=MIN_SAMPLES,
            parameters=297_866,
            recipe=RECIPE,
            recipes=RECIPES,
            checkpoints=(AASIST_OFFICIAL,),
            source=PAPER,
        ),
        ModelSpec(
            name="aasist-conformer",
            target="spoofbench_aasist.conformer:AasistConformer",
            summary="AASIST with a conformer in place of its graph of frames.",
            samples=SAMPLES,
            min_samples=MIN_SAMPLES,
            parameters=418_949,
            recipe=RECIPE,
            recipes=RECIPES,
            source="https://arxiv.org/abs/2005.08100",
        ),
        ModelSpec(
            name="rawgat-st",
            target="spoofbench_aasist.rawgat_st:RawGatSt",
            summary="A graph of bands times a graph of frames, on sinc filters; before AASIST.",
            samples=SAMPLES,
            min_samples=63_551,
            max_samples=65_737,
            parameters=440_810,
            recipe="spoofbench_aasist:rawgat_st.toml",
            checkpoints=(RAWGAT_OFFICIAL,),
            source=RAWGAT_PAPER,
            figures=(
                _on_la("eer", 0.0106, RAWGAT_PAPER, "the published weights"),
                _on_la("min-tdcf-2019", 0.0335, RAWGAT_PAPER, "the published weights"),
            ),
        ),
    )
