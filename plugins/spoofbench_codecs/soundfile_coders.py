"""The codecs of libsndfile: G.711, GSM 06.10, Vorbis."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from spoofbench.errors import InvalidCondition
from spoofbench_codecs.coder import Array, Coded, Setting, from_int16, to_int16

_VORBIS_HEADERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCoder:
    """A telephony codec of libsndfile, written without any header. ``subtype`` is its name there.

    It gets 16-bit samples: above full scale, libsndfile's A-law tables wrap around.
    """

    name: str
    subtype: str
    rate: int = 8000

    def require(self) -> None:
        """Raise `InvalidCondition` where libsndfile lacks the codec."""
        _require(self.name, "RAW", self.subtype)

    def code(self, audio: Array, setting: Setting) -> Coded:  # noqa: ARG002
        """Encode and decode ``audio`` ``(time,)``; ``setting`` changes nothing."""
        import soundfile

        file = BytesIO()
        soundfile.write(file, to_int16(audio), self.rate, format="RAW", subtype=self.subtype)
        payload = file.tell()
        file.seek(0)
        decoded, _ = soundfile.read(
            file,
            dtype="int16",
            format="RAW",
            subtype=self.subtype,
            samplerate=self.rate,
            channels=1,
        )
        return Coded(audio=from_int16(decoded), payload=payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class VorbisCoder:
    """libvorbis at a quality from 0 to 10: it has no constant bit rate."""

    name: str
    rate: int = 16_000

    def require(self) -> None:
        """Raise `InvalidCondition` where libsndfile lacks Vorbis or soundfile its quality."""
        import soundfile

        _require(self.name, "OGG", "VORBIS")
        if "compression_level" not in inspect.signature(soundfile.write).parameters:
            raise InvalidCondition(
                f"'{self.name}': soundfile {soundfile.__version__} cannot set a quality",
                hint="pip install 'soundfile>=0.13'",
            )

    def code(self, audio: Array, setting: Setting) -> Coded:
        """Encode and decode ``audio`` ``(time,)`` at the quality ``setting.level``."""
        import soundfile

        file = BytesIO()
        with soundfile.SoundFile(
            file,
            "w",
            samplerate=self.rate,
            channels=1,
            format="OGG",
            subtype="VORBIS",
            compression_level=1 - setting.level / 10,
        ) as encoder:
            # libvorbis overflows its stack when it is given minutes at once.
            for start in range(0, len(audio), self.rate):
                encoder.write(audio[start : start + self.rate])
        payload = sum(list(_packets(file.getvalue()))[_VORBIS_HEADERS:])
        file.seek(0)
        decoded, _ = soundfile.read(file, dtype="float32")
        return Coded(audio=decoded, payload=payload)


def _require(name: str, container: str, subtype: str) -> None:
    import soundfile

    if subtype not in soundfile.available_subtypes(container):
        raise InvalidCondition(
            f"'{name}': libsndfile {soundfile.__libsndfile_version__} was built without {subtype}",
            hint="pip install --force-reinstall --only-binary soundfile soundfile, whose wheel "
            "brings a libsndfile that has it",
        )


def _packets(ogg: bytes) -> Iterator[int]:
    """Give the size, in bytes, of every packet of an Ogg stream (RFC 3533, section 6)."""
    at, size = 0, 0
    while at < len(ogg):
        segments = ogg[at + 27 : at + 27 + ogg[at + 26]]
        for segment in segments:
            size += segment
            if segment < 255:
                yield size
                size = 0
        at += 27 + len(segments) + sum(segments)
