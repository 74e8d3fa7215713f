"""The codecs of FFmpeg, through PyAV: G.722, G.726, AMR-NB, Opus, MP3, AAC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from spoofbench.errors import InvalidCondition, MissingExtra
from spoofbench_codecs.coder import (
    Array,
    Coded,
    Setting,
    check_level,
    from_int16,
    to_int16,
)

if TYPE_CHECKING:
    from av import AudioCodecContext, AudioFrame, Packet

_HINT = "pip install 'spoofbench[codecs]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class FfmpegCoder:
    """A codec of FFmpeg: ``encoder`` and ``decoder`` are its names there.

    ``levels`` are all the bit rates that it has, in kbit/s; empty if any will do. ``kbit`` is the
    bit rate of one without a choice. ``sample_format`` is what the encoder takes. ``flags`` are
    further settings of the encoder. ``complexity`` names the setting that the first option of a
    condition goes to. ``decoder_bits`` tells the decoder how many bits a sample has.
    ``gain`` goes before the encoder and is taken back behind the decoder.
    """

    name: str
    encoder: str
    decoder: str
    rate: int
    sample_format: Literal["s16", "flt", "fltp"]
    levels: tuple[float, ...] = ()
    kbit: float = 0.0
    flags: tuple[tuple[str, str], ...] = ()
    complexity: str = ""
    decoder_bits: bool = False
    gain: float = 1.0

    def require(self) -> None:
        """Raise `MissingExtra` without PyAV, `InvalidCondition` where FFmpeg lacks the codec."""
        av = _av(self.name)
        for codec, mode, kind in ((self.encoder, "w", "encoder"), (self.decoder, "r", "decoder")):
            try:
                av.Codec(codec, mode)
            except av.codec.codec.UnknownCodecError as error:
                raise InvalidCondition(
                    f"'{self.name}': the FFmpeg of PyAV {av.__version__} has no {kind} {codec!r}",
                    hint="pip install --force-reinstall --only-binary av av, whose wheel brings an "
                    "FFmpeg that has it",
                ) from error

    def code(self, audio: Array, setting: Setting) -> Coded:
        """Encode and decode ``audio`` ``(time,)`` at ``setting.level`` kbit/s."""
        check_level(self.name, setting.level, self.levels)
        av = _av(self.name)
        try:
            encoder = self._encoder(setting)
            packets = list(
                _encode(encoder, self._frames(audio * np.float32(self.gain), encoder.frame_size))
            )
            decoded = _decode(self._decoder(encoder, setting), packets)
        except av.FFmpegError as error:
            raise InvalidCondition(
                f"'{self.name}@{setting.level:g}' failed in FFmpeg: {error}"
            ) from error
        return Coded(
            audio=_at_rate(decoded, self.rate) / np.float32(self.gain),
            payload=sum(packet.size for packet in packets),
        )

    def _encoder(self, setting: Setting) -> AudioCodecContext:
        encoder = _context(self.encoder, "w")
        encoder.sample_rate = self.rate
        encoder.layout = "mono"
        encoder.format = self.sample_format
        encoder.time_base = Fraction(1, self.rate)
        encoder.bit_rate = round((self.kbit or setting.level) * 1000)
        encoder.options = dict(self.flags) | self._complexity(setting)
        encoder.open()
        return encoder

    def _complexity(self, setting: Setting) -> dict[str, str]:
        if not self.complexity or not setting.options:
            return {}
        wanted = setting.options[0]
        if wanted not in range(11):
            raise InvalidCondition(
                f"'{self.name}@{setting.level:g}@{wanted:g}': the complexity of {self.name} is a "
                "whole number from 0 to 10"
            )
        return {self.complexity: f"{wanted:.0f}"}

    def _decoder(self, encoder: AudioCodecContext, setting: Setting) -> AudioCodecContext:
        decoder = _context(self.decoder, "r")
        decoder.sample_rate = self.rate
        decoder.layout = "mono"
        if encoder.extradata:
            decoder.extradata = encoder.extradata
        if self.decoder_bits:
            bits = round(setting.level * 1000 / self.rate)
            decoder.options = {"bits_per_coded_sample": str(bits)}
        return decoder

    def _frames(self, audio: Array, size: int) -> list[AudioFrame]:
        """Cut ``audio`` ``(time,)`` into frames of ``size`` samples, the last filled with zeros."""
        from av import AudioFifo, AudioFrame

        padded = np.pad(audio, (0, -len(audio) % size))
        samples = to_int16(padded) if self.sample_format == "s16" else padded
        whole = AudioFrame.from_ndarray(samples[None], format=self.sample_format, layout="mono")
        whole.sample_rate = self.rate
        queue = AudioFifo()
        queue.write(whole)
        return queue.read_many(size)


def _av(name: str) -> ModuleType:
    """Import PyAV for the codec ``name``."""
    try:
        import av
    except ImportError as error:
        raise MissingExtra(f"'{name}' needs PyAV, which is not installed", hint=_HINT) from error
    return av


def _context(codec: str, mode: Literal["r", "w"]) -> AudioCodecContext:
    """Make a fresh encoder or decoder; one thread, since others work on other trials."""
    from av import CodecContext

    context = cast("AudioCodecContext", CodecContext.create(codec, mode))
    context.thread_count = 1
    return context


def _encode(encoder: AudioCodecContext, frames: Sequence[AudioFrame]) -> Iterator[Packet[Any]]:
    for frame in frames:
        yield from encoder.encode(frame)
    yield from encoder.encode(None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Decoded:
    audio: Array
    rate: int


def _decode(decoder: AudioCodecContext, packets: Sequence[Packet[Any]]) -> _Decoded:
    """Decode the bytes of ``packets``, and nothing else that the encoder attached to them."""
    from av import Packet

    bare = [Packet(bytes(packet)) for packet in packets]
    frames = [frame for packet in [*bare, None] for frame in decoder.decode(packet)]
    audio = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    if audio.dtype == np.int16:
        audio = from_int16(audio)
    return _Decoded(audio=audio, rate=frames[0].sample_rate)


def _at_rate(decoded: _Decoded, rate: int) -> Array:
    """Bring ``decoded`` to ``rate``: the decoder of Opus always gives 48 kHz."""
    if decoded.rate == rate:
        return decoded.audio
    import soxr

    resampled: Array = soxr.resample(decoded.audio, decoded.rate, rate)
    return resampled
