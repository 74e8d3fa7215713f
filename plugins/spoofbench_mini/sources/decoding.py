"""From a recording of any kind that sources have to one channel at the rate of the corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from spoofbench import audio
from spoofbench.errors import InvalidAudio, InvalidSettings
from spoofbench_mini.contracts import RATE, Audio, Unusable

G722 = ".g722"
"""Raw G.722, which has no header: always at 16 kHz, half a byte a sample."""
LONGEST_SECONDS = 12.0
SHORTEST_SECONDS = 1.5

_READ = (".wav", ".flac", ".ogg", ".opus", ".mp3")
ENDINGS = (*_READ, G722)


def read(file: Path) -> Audio:
    """Decode ``file``; raises `Unusable`, without decoding, for what is too long or too narrow."""
    if file.suffix.lower() == G722:
        _check_length(file.stat().st_size * 2 / RATE)
        return _g722(file)
    try:
        about = soundfile.info(file)
    except (soundfile.SoundFileError, OSError) as error:
        raise Unusable("cannot be decoded") from error
    if about.samplerate < RATE:
        raise Unusable(f"recorded at {about.samplerate / 1000:g} kHz, less than {RATE // 1000}")
    _check_length(about.frames / about.samplerate)
    try:
        return audio.read(file, RATE).astype(np.float64)
    except InvalidAudio as error:
        raise Unusable("cannot be decoded") from error


def _check_length(seconds: float) -> None:
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        longer = seconds > LONGEST_SECONDS
        limit = LONGEST_SECONDS if longer else SHORTEST_SECONDS
        raise Unusable(f"{'longer' if longer else 'shorter'} than {limit:g} s")


def _g722(file: Path) -> Audio:
    try:
        import av
    except ModuleNotFoundError as error:
        raise InvalidSettings(
            f"{file.name} is G.722, which PyAV decodes, and it is not installed",
            hint="pip install 'spoofbench[codecs]'",
        ) from error
    try:
        with av.open(str(file), format="g722") as container:
            frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    except av.error.FFmpegError as error:
        raise Unusable("cannot be decoded") from error
    if not frames:
        raise Unusable("cannot be decoded")
    return np.concatenate(frames).astype(np.float64) / 32768
