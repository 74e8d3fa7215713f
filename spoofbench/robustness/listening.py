"""A single recording under a condition, for people to listen to."""

from __future__ import annotations

from pathlib import Path

import soundfile

from spoofbench import audio
from spoofbench.audio import AudioCache
from spoofbench.batches import CACHE_BYTES, Notes
from spoofbench.contracts import Pool
from spoofbench.corpora import read_trials, root_of
from spoofbench.errors import InvalidCondition
from spoofbench.files import replaced, storage_errors
from spoofbench.plugins import Catalogue
from spoofbench.protocols import load
from spoofbench.robustness.applying import Applied
from spoofbench.robustness.conditions import parse
from spoofbench.robustness.pool import SpeechPool
from spoofbench.trials import Trial

RATE = 16_000
"""Samples per second of what is written; that of the models."""
ENDINGS = (".wav", ".flac")


def write_changed(
    file: Path,
    condition: str,
    out: Path,
    catalogue: Catalogue,
    *,
    protocol: str = "",
    data: Path | None = None,
    seed: int = 0,
) -> Notes:
    """Write ``file`` to ``out`` as it is under ``condition``; return what was measured.

    ``protocol`` gives the other speakers. Samples beyond full scale are clipped in the file, and
    noted. Raises `InvalidCondition`, `InvalidAudio`.
    """
    if out.suffix not in ENDINGS:
        raise InvalidCondition(f"{out}: what is written is one of {', '.join(ENDINGS)}")
    applied = Applied(condition=parse(condition, catalogue), seed=seed, rate=RATE)
    if not protocol and any(step.spec.talkers for step in applied.condition.steps):
        raise InvalidCondition(
            f"{condition} mixes in other speakers, and a recording alone has none",
            hint="say whose: --protocol NAME",
        )
    applied.ready()
    waveform = audio.read(file, RATE)
    pool = _pool(protocol, catalogue, data, file.stem, seed) if protocol else None
    changed, notes = applied.changed(waveform, file.stem, pool)
    peak = float(abs(changed).max())
    if peak > 1:
        notes = {**notes, "peak": peak, "clipped in the file": "beyond full scale"}
    with storage_errors(out), replaced(out) as beside:
        soundfile.write(beside, changed, RATE, format=out.suffix[1:].upper())
    return notes


def _pool(protocol: str, catalogue: Catalogue, data: Path | None, name: str, seed: int) -> Pool:
    chosen = load(protocol, catalogue)
    root = root_of(chosen, catalogue, data=data)
    trials = read_trials(chosen, catalogue, root)
    own = next((t.speaker for t in trials if t.utterance == name), "")
    listened = Trial(utterance=name, speaker=own, attack="-", bonafide=True, audio="")
    return SpeechPool.of(trials, AudioCache(root, RATE, CACHE_BYTES), seed=seed).beside(listened)
