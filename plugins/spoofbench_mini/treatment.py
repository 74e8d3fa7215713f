"""What every file goes through, bona fide and spoof alike, so that channels tell them less apart.

It makes the channel alike, not equal: what is left of it, the audit measures.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile
from scipy import signal

from spoofbench.robustness.speech_level import active_level
from spoofbench_mini.contracts import RATE, WIDEST_HZ, Audio, Made, Speech, Unusable
from spoofbench_mini.draws import generator

NARROWEST_HZ = 3400.0
"""A band is never cut below this, however little a recording has above it."""
LOWEST_HZ = 80.0
SHORTEST_SECONDS = 1.0
LONGEST_SECONDS = 14.0

_SILENT_DB = 40.0
"""So far below its loudest frames, a frame at an end counts as silence."""
_FRAME = RATE // 50
_MARGIN_SECONDS = (0.05, 0.30)
_SHARE = (0.8, 1.0)
_FADE = RATE // 100
_LEVEL_DB = (-29.0, -23.0)
_NOISE_DB = (-36.0, -28.0)
_PEAK = 0.97
_TAPS = 255
_AUDIBLE_DB = 60.0
_CODEC_LEVEL = 0.4


def bandwidth(recording: Audio) -> float:
    """Return where the band of ``recording`` ends in Hz, in steps of 100 Hz.

    It is the highest frequency within 60 dB of the strongest, in the mean power spectrum.
    """
    frequencies, power = signal.welch(recording, RATE, nperseg=min(512, len(recording)))
    audible = power >= power.max() * 10 ** (-_AUDIBLE_DB / 10)
    highest = float(frequencies[np.flatnonzero(audible)[-1]]) if power.max() > 0 else WIDEST_HZ
    return float(np.clip(np.floor(highest / 100) * 100, NARROWEST_HZ, WIDEST_HZ))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What all that is made of one recording shares: where its band ends, how long it speaks."""

    highest_hz: float
    speech_samples: int

    @classmethod
    def of(cls, recording: Audio, *, highest_hz: float = WIDEST_HZ) -> Bounds:
        """Return those of a recording; raise `Unusable` where nobody speaks in it."""
        first, last = _spoken(recording)
        limit = min(highest_hz, bandwidth(recording))
        return cls(highest_hz=limit, speech_samples=last - first)


def treat_recording(speech: Speech, recording: Audio, seed: int) -> Audio:
    """Return a recording as the corpus with ``seed`` has it. Raises `Unusable`."""
    random = generator(seed, "treatment", speech.source, speech.utterance)
    return treat(recording, random, Bounds.of(recording)).audio


def treat(audio: Audio, random: np.random.Generator, bounds: Bounds) -> Made:
    """Band-limit, trim, set the level, add a noise floor, code and decode: in this order.

    The end of the speech is cut off, a drawn share of what ``bounds`` allow being left: so all that
    is made of one recording is as long, and no class alone ends where its speech ends. Margins,
    share, level and noise are drawn from ``random``, always as many numbers. Raises `Unusable`
    where there is no speech, or too much or too little of it.
    """
    margins = random.uniform(*_MARGIN_SECONDS, size=2)
    share = random.uniform(*_SHARE)
    level_db = random.uniform(*_LEVEL_DB)
    noise_db = random.uniform(*_NOISE_DB)
    if not np.isfinite(audio).all():
        raise Unusable("holds samples that are not finite numbers")
    limited = _band_limited(audio, bounds.highest_hz)
    trimmed = _trimmed(limited, margins, round(share * bounds.speech_samples))
    seconds = len(trimmed) / RATE
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise Unusable(
            f"with its silence trimmed it is not from {SHORTEST_SECONDS:g} to "
            f"{LONGEST_SECONDS:g} s long"
        )
    speech = active_level(trimmed, RATE)
    if speech is None:
        raise Unusable("nobody speaks in it")
    levelled = trimmed * 10 ** ((level_db - speech.level_db) / 20)
    noise = random.standard_normal(len(levelled)) * 10 ** ((level_db + noise_db) / 20)
    floored = levelled + noise
    peak = float(np.abs(floored).max())
    return Made(
        audio=_coded(floored * min(1.0, _PEAK / peak)),
        steps=(
            f"band {LOWEST_HZ:g}-{bounds.highest_hz:g} Hz",
            f"trim, margins {margins[0]:.3f} and {margins[1]:.3f} s",
            f"cut after {share * bounds.speech_samples / RATE:.3f} s of speech",
            f"active level {level_db:.1f} dB (ITU-T P.56)",
            f"white noise {noise_db:.1f} dB re speech",
            f"Ogg Vorbis, compression {_CODEC_LEVEL:g}",
            "16 bit FLAC",
        ),
    )


def _band_limited(audio: Audio, highest_hz: float) -> Audio:
    taps = signal.firwin(_TAPS, highest_hz, fs=RATE)
    high_pass = signal.butter(2, LOWEST_HZ, "highpass", fs=RATE, output="sos")
    low = signal.oaconvolve(audio, taps, mode="same")
    limited: Audio = signal.sosfiltfilt(high_pass, low)
    return limited


def _spoken(audio: Audio) -> tuple[int, int]:
    """Return where speech begins and ends, in samples. Raises `Unusable` where there is none."""
    frames = audio[: len(audio) // _FRAME * _FRAME].reshape(-1, _FRAME)
    energy_db = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)
    if not len(frames) or energy_db.max() < -100:
        raise Unusable("nobody speaks in it")
    spoken = np.flatnonzero(energy_db > np.quantile(energy_db, 0.95) - _SILENT_DB)
    return int(spoken[0]) * _FRAME, (int(spoken[-1]) + 1) * _FRAME


def _trimmed(audio: Audio, margins: Audio, longest: int) -> Audio:
    """Leave at most ``longest`` samples of speech, faded out where it is cut, between margins.

    Before the speech is what was there, and zeros where that was less; behind it are zeros.
    """
    start, end = _spoken(audio)
    before, after = np.rint(margins * RATE).astype(int)
    end = min(end, start + longest)
    speech = audio[start:end].copy()
    fade = min(_FADE, len(speech))
    speech[len(speech) - fade :] *= np.linspace(1, 0, fade)
    lead = np.pad(audio[max(start - before, 0) : start], (max(before - start, 0), 0))
    return np.concatenate([lead, speech, np.zeros(after)])


def _coded(audio: Audio) -> Audio:
    """Return ``audio`` through a codec at a low rate, the last step for every file."""
    buffer = io.BytesIO()
    soundfile.write(
        buffer, audio, RATE, format="OGG", subtype="VORBIS", compression_level=_CODEC_LEVEL
    )
    buffer.seek(0)
    decoded: Audio = soundfile.read(buffer, dtype="float64")[0]
    return decoded
