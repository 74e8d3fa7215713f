"""A single recording under a condition, for people to listen to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from spoofbench import audio
from spoofbench.audio import AudioCache
from spoofbench.batches import Notes
from spoofbench.corpora import read_trials, root_of
from spoofbench.errors import InvalidCondition
from spoofbench.files import replaced, storage_errors
from spoofbench.plugins import Catalogue
from spoofbench.protocols import load
from spoofbench.robustness.applying import Applied
from spoofbench.robustness.pool import POOL_BYTES, SpeechPool
from spoofbench.robustness.ranges import parse_ranges
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

    ``protocol`` gives the other speakers, ``seed`` the numbers that ``condition`` leaves open; they
    are noted. Samples beyond full scale are clipped in the file, and noted. Raises
    `InvalidCondition`, `InvalidAudio`.
    """
    if out.suffix not in ENDINGS:
        raise InvalidCondition(f"{out}: what is written is one of {', '.join(ENDINGS)}")
    if out.exists() and out.samefile(file):
        raise InvalidCondition(f"{out} is the recording itself", hint="write to another file")
    wanted = parse_ranges(condition, catalogue)
    asked = wanted.drawn(np.random.default_rng(seed))
    if not protocol and any(step.spec.talkers for step in asked.steps):
        raise InvalidCondition(
            f"{condition} mixes in other speakers, and a recording alone has none",
            hint="say whose: --protocol NAME",
        )
    trial = Trial(utterance=file.stem, speaker="", attack="-", bonafide=True, audio="")
    pool = None
    if protocol:
        trials = _trials(protocol, catalogue, data)
        pool = SpeechPool.of(trials.trials, AudioCache(trials.root, RATE, POOL_BYTES), seed=seed)
        trial = next((t for t in trials.trials if t.utterance == file.stem), trial)
    applied = Applied(condition=asked, seed=seed, rate=RATE, pool=pool)
    applied.ready()
    changed, notes = applied(audio.read(file, RATE), trial)
    if len(wanted.probes) > 1:
        notes = {"condition": str(asked), **notes}
    peak = float(abs(changed).max())
    if peak > 1:
        notes = {**notes, "peak": peak, "clipped in the file": "beyond full scale"}
    with storage_errors(out), replaced(out) as beside:
        soundfile.write(beside, changed, RATE, format=out.suffix[1:].upper())
    return notes


class _Trials(NamedTuple):
    trials: tuple[Trial, ...]
    root: Path


def _trials(protocol: str, catalogue: Catalogue, data: Path | None) -> _Trials:
    """Read the trials of a protocol, whose speakers are to be mixed in."""
    chosen = load(protocol, catalogue)
    root = root_of(chosen, catalogue, data=data)
    return _Trials(read_trials(chosen, catalogue, root), root)
