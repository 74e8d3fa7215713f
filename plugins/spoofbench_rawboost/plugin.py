"""What this plugin offers: the three stages of RawBoost, and its eight algorithms."""

from spoofbench import AugmentationSpec, hookimpl


@hookimpl
def spoofbench_augmentations() -> list[AugmentationSpec]:
    """Return RawBoost whole, the level naming the algorithm, and each of its stages."""
    return [
        AugmentationSpec(
            name="rawboost",
            target="spoofbench_rawboost.boost:RawBoost",
            summary="RawBoost (Tak et al. 2022); the level is the algorithm, 0 to 8.",
            unit="algorithm",
            levels=(4.0,),  # algorithms are no scale from easy to hard
            lowest=0.0,
            highest=8.0,
            neutral=0.0,
            family="channel",
            on_device=True,
            version=2,
        ),
        AugmentationSpec(
            name="rawboost-convolutive",
            target="spoofbench_rawboost.boost:Convolutive",
            summary="Its linear and non-linear convolutive noise, for so many orders.",
            unit="orders",
            levels=(1.0, 3.0, 5.0),
            lowest=1.0,
            highest=10.0,
            family="channel",
            on_device=True,
            version=2,
        ),
        AugmentationSpec(
            name="rawboost-impulsive",
            target="spoofbench_rawboost.boost:Impulsive",
            summary="Its impulsive noise that follows the signal, on at most so many samples.",
            unit="% of samples",
            levels=(1.0, 5.0, 10.0),
            lowest=0.0,
            highest=100.0,
            family="channel",
            on_device=True,
            version=2,
        ),
        AugmentationSpec(
            name="rawboost-stationary",
            target="spoofbench_rawboost.boost:Stationary",
            summary="Its coloured noise that does not follow the signal.",
            unit="dB SNR",
            levels=(40.0, 25.0, 10.0),
            lowest=-20.0,
            highest=100.0,
            family="noise",
            on_device=True,
            version=2,
        ),
    ]
