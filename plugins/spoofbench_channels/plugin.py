"""Declares the channels. See docs/reference/conditions-channels.md."""

from spoofbench import AugmentationSpec, hookimpl


@hookimpl
def spoofbench_augmentations() -> list[AugmentationSpec]:
    """Offer filters, converters and losses on the way."""
    return [*_filters(), *_amplitudes(), *_losses()]


def _filters() -> list[AugmentationSpec]:
    return [
        AugmentationSpec(
            name="band-limit",
            target="spoofbench_channels.filters:BandLimit",
            summary="Only the band below the level, and above the low edge, is left.",
            unit="Hz",
            levels=(6000.0, 4000.0, 3400.0, 2400.0),
            lowest=200.0,
            highest=96_000.0,
            options=(("low edge in Hz", 0.0),),
            family="channel",
        ),
        AugmentationSpec(
            name="resample",
            target="spoofbench_channels.filters:Resample",
            summary="Down to another sample rate and back.",
            unit="Hz",
            levels=(12_000.0, 11_025.0, 8000.0, 6000.0),
            lowest=1000.0,
            highest=192_000.0,
            family="channel",
        ),
    ]


def _amplitudes() -> list[AugmentationSpec]:
    return [
        AugmentationSpec(
            name="clip",
            target="spoofbench_channels.amplitude:Clip",
            summary="The loudest samples of the speech are cut to one height.",
            unit="% of speech",
            levels=(1.0, 2.0, 5.0, 10.0, 25.0),
            lowest=0.0,
            highest=90.0,
            family="channel",
        ),
        AugmentationSpec(
            name="gain",
            target="spoofbench_channels.amplitude:Gain",
            summary="Softer, or louder above 0.",
            unit="dB",
            levels=(-10.0, -20.0, -30.0, -40.0),
            lowest=-100.0,
            highest=60.0,
            neutral=0.0,
            family="channel",
            on_device=True,
        ),
        AugmentationSpec(
            name="quantise",
            target="spoofbench_channels.amplitude:Quantise",
            summary="Rounded to so many bits of full scale, without dither.",
            unit="bits",
            levels=(12.0, 10.0, 8.0, 6.0),
            lowest=2.0,
            highest=24.0,
            family="channel",
        ),
    ]


def _losses() -> list[AugmentationSpec]:
    return [
        AugmentationSpec(
            name="dropout",
            target="spoofbench_channels.losses:Dropout",
            summary="Pieces of 20 ms are silent.",
            unit="% of time",
            levels=(1.0, 2.0, 5.0, 10.0, 20.0),
            lowest=0.0,
            highest=90.0,
            family="channel",
        ),
        AugmentationSpec(
            name="packet-loss",
            target="spoofbench_channels.losses:PacketLoss",
            summary="Packets of 20 ms are lost in bursts and concealed by repetition.",
            unit="% of packets",
            levels=(1.0, 2.0, 5.0, 10.0, 20.0),
            lowest=0.0,
            highest=90.0,
            options=(("mean burst in packets", 3.0),),
            family="channel",
        ),
    ]
