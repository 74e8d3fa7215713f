"""Every codec of this plugin, with the settings that make it what its name says."""

from __future__ import annotations

from spoofbench_codecs.chain import Codec
from spoofbench_codecs.ffmpeg_coders import FfmpegCoder
from spoofbench_codecs.soundfile_coders import RawCoder, VorbisCoder

_AMR_NB = (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)
# What MPEG-2 layer III, that of 16 kHz, has.
_MP3 = tuple(map(float, (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)))


def g711_alaw() -> Codec:
    """ITU-T G.711 with the A law."""
    return Codec(coder=RawCoder(name="g711-alaw", subtype="ALAW"))


def g711_mulaw() -> Codec:
    """ITU-T G.711 with the mu law."""
    return Codec(coder=RawCoder(name="g711-mulaw", subtype="ULAW"))


def gsm() -> Codec:
    """GSM 06.10, full rate."""
    return Codec(coder=RawCoder(name="gsm", subtype="GSM610"))


def vorbis() -> Codec:
    """Vorbis, of libvorbis."""
    return Codec(coder=VorbisCoder(name="vorbis"))


def g722() -> Codec:
    """ITU-T G.722 in its mode 1, 64 kbit/s."""
    return Codec(
        coder=FfmpegCoder(
            name="g722", encoder="g722", decoder="g722", rate=16_000, sample_format="s16", kbit=64
        )
    )


def g726() -> Codec:
    """ITU-T G.726, 2 to 5 bits a sample."""
    return Codec(
        coder=FfmpegCoder(
            name="g726",
            encoder="g726",
            decoder="g726",
            rate=8000,
            sample_format="s16",
            levels=(16, 24, 32, 40),
            decoder_bits=True,
            # FFmpeg's decoder wraps around near full scale; G.726 itself is adaptive in level.
            gain=0.5,
        )
    )


def amr_nb() -> Codec:
    """3GPP AMR narrowband, without discontinuous transmission."""
    return Codec(
        coder=FfmpegCoder(
            name="amr-nb",
            encoder="libopencore_amrnb",
            decoder="amrnb",
            rate=8000,
            sample_format="s16",
            levels=_AMR_NB,
        )
    )


def opus() -> Codec:
    """Opus as calls use it: frames of 20 ms at a constant bit rate, tuned for speech."""
    return Codec(
        coder=FfmpegCoder(
            name="opus",
            encoder="libopus",
            decoder="opus",
            rate=16_000,
            sample_format="flt",
            flags=(
                ("application", "voip"),
                ("vbr", "off"),
                ("frame_duration", "20"),
                ("compression_level", "1"),
            ),
            complexity="compression_level",
        )
    )


def mp3() -> Codec:
    """MP3 at a constant bit rate, of LAME at the quality of its option ``-f``."""
    return Codec(
        coder=FfmpegCoder(
            name="mp3",
            encoder="libmp3lame",
            decoder="mp3float",
            rate=16_000,
            sample_format="fltp",
            levels=_MP3,
            flags=(("compression_level", "7"),),
        )
    )


def aac() -> Codec:
    """AAC, low complexity profile, of FFmpeg's own encoder."""
    return Codec(
        coder=FfmpegCoder(
            name="aac",
            encoder="aac",
            decoder="aac",
            rate=16_000,
            sample_format="fltp",
            flags=(("aac_coder", "fast"),),
        )
    )
