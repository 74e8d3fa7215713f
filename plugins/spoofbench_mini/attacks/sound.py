"""What attacks share: rates, the draw of a speed, and programs that are run without a shell."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from spoofbench_mini.contracts import RATE, Audio, Unusable

SECONDS = 120
"""A program that takes longer over one utterance has hung."""


def at_rate(samples: NDArray[np.floating], rate: int, *, to: int = RATE) -> Audio:
    """Return ``samples`` ``(time,)`` at the rate ``to``. Raises `Unusable` if there are none."""
    mono: Audio = np.asarray(samples, dtype=np.float64)
    if mono.ndim == 2:
        mono = mono.mean(axis=1)
    if not len(mono) or not np.isfinite(mono).all():
        raise Unusable("the synthesiser made nothing that is audio")
    if rate != to:
        mono = soxr.resample(mono, rate, to, quality="HQ")
    return mono


def speed(random: np.random.Generator) -> float:
    """Draw how fast a voice speaks, as a factor."""
    return round(float(random.uniform(0.9, 1.15)), 2)


def missing_program(program: str, package: str) -> str:
    """Return the command that installs ``program``, or nothing if it is there."""
    return "" if shutil.which(program) else f"apt-get install {package}"


def output(command: Sequence[str], stdin: bytes) -> bytes:
    """Run ``command`` without a shell and return what it writes to its output.

    Raises `Unusable` if it fails, hangs or writes nothing.
    """
    written = _run(command, stdin)
    if not written:
        raise Unusable(f"{command[0]} wrote nothing")
    return written


def spoken(command: Sequence[str], stdin: bytes = b"") -> Audio:
    """Run ``command`` with a file name behind it, and return the WAV that it writes there.

    A header written to a pipe would not tell how long the audio is. Raises `Unusable`.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "spoken.wav"
        _run([*command, str(place)], stdin)
        try:
            samples, rate = soundfile.read(place, dtype="float64")
        except (soundfile.SoundFileError, OSError) as error:
            raise Unusable(f"{command[0]} wrote no audio") from error
    return at_rate(samples, rate)


def _run(command: Sequence[str], stdin: bytes) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603
            command, input=stdin, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unusable(f"{command[0]} did not end in {SECONDS} s") from error
    except OSError as error:
        raise Unusable(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        raise Unusable(f"{command[0]} failed with exit code {done.returncode}")
    return done.stdout
