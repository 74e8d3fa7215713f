"""What this plugin offers. See docs/reference/conditions-codecs.md."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import AugmentationSpec, hookimpl

_CODECS = "spoofbench_codecs.codecs"
_BIT_RATE = "kbit/s"


@hookimpl
def spoofbench_augmentations() -> Sequence[AugmentationSpec]:
    """Offer codecs of telephony, of calls over the internet, and of music and film."""
    return [*_telephony(), *_wideband()]


def _telephony() -> list[AugmentationSpec]:
    return [
        _without_level("g711-alaw", "G.711 A-law, 64 kbit/s: European fixed lines."),
        _without_level("g711-mulaw", "G.711 mu-law, 64 kbit/s: American and Japanese fixed lines."),
        AugmentationSpec(
            name="g726",
            target=f"{_CODECS}:g726",
            summary="G.726 ADPCM at 16, 24, 32 or 40 kbit/s: cordless phones.",
            unit=_BIT_RATE,
            levels=(40, 32, 24, 16),
            lowest=16,
            highest=40,
            family="codec",
        ),
        _without_level("gsm", "GSM 06.10 full rate, 13 kbit/s: mobile phones of the nineties."),
        AugmentationSpec(
            name="amr-nb",
            target=f"{_CODECS}:amr_nb",
            summary="AMR narrowband in one of its eight modes: mobile phones.",
            unit=_BIT_RATE,
            levels=(12.2, 10.2, 7.95, 6.7, 5.9, 4.75),
            lowest=4.75,
            highest=12.2,
            family="codec",
        ),
    ]


def _wideband() -> list[AugmentationSpec]:
    return [
        _without_level("g722", "G.722, 64 kbit/s: wideband telephony."),
        AugmentationSpec(
            name="opus",
            target=f"{_CODECS}:opus",
            summary="Opus at a constant bit rate, tuned for speech: calls over the internet.",
            unit=_BIT_RATE,
            levels=(64, 32, 24, 16, 12, 8, 6),
            lowest=6,
            highest=128,
            options=(("complexity", 1.0),),
            family="codec",
        ),
        AugmentationSpec(
            name="mp3",
            target=f"{_CODECS}:mp3",
            summary="MP3 at a constant bit rate: podcasts and the web.",
            unit=_BIT_RATE,
            levels=(64, 48, 32, 24, 16, 8),
            lowest=8,
            highest=160,
            family="codec",
        ),
        AugmentationSpec(
            name="aac",
            target=f"{_CODECS}:aac",
            summary="AAC, low complexity profile, at an average bit rate: film and streaming.",
            unit=_BIT_RATE,
            levels=(64, 48, 32, 24, 16),
            lowest=12,
            highest=80,
            family="codec",
        ),
        AugmentationSpec(
            name="vorbis",
            target=f"{_CODECS}:vorbis",
            summary="Vorbis at a quality from 10 to 0: games and the web.",
            unit="quality",
            levels=(8, 6, 4, 2, 0),
            lowest=0,
            highest=10,
            family="codec",
        ),
    ]


def _without_level(name: str, summary: str) -> AugmentationSpec:
    return AugmentationSpec(
        name=name,
        target=f"{_CODECS}:{name.replace('-', '_')}",
        summary=summary,
        unit="",
        levels=(),
        family="codec",
    )
