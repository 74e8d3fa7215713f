"""Makes the files of the corpus in several processes, each whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from spoofbench import fingerprint
from spoofbench.contracts import Progress
from spoofbench.errors import InvalidKeys
from spoofbench.files import replaced
from spoofbench_mini.attacks import catalogue
from spoofbench_mini.contracts import (
    RATE,
    Audio,
    Made,
    SpeechSource,
    TextToSpeech,
    Unusable,
)
from spoofbench_mini.draws import generator
from spoofbench_mini.plan import Item
from spoofbench_mini.treatment import Bounds, treat

JOURNAL = "journal.jsonl"
"""What was made so far, a line for each file, in a corpus that is not finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one item: a file with its checksum, or why it could not be made."""

    utterance: str
    sha256: str = ""
    samples: int = 0
    steps: tuple[str, ...] = ()
    unusable: str = ""


def make_all(
    items: Sequence[Item],
    sources: Mapping[str, SpeechSource],
    folder: Path,
    *,
    seed: int,
    workers: int,
    progress: Progress,
) -> dict[str, Outcome]:
    """Make what is not made yet, and return what came of each item, by utterance.

    An item that an attack cannot make is in the result with the reason, and has no file.
    """
    journal = folder / JOURNAL
    made = _read(journal, items, folder)
    missing = [item for item in items if item.utterance not in made]
    progress(len(made), len(items))
    for part in {item.file.rpartition("/")[0] for item in items}:
        (folder / part).mkdir(parents=True, exist_ok=True)
    with (
        journal.open("a", encoding="utf-8") as lines,
        _pool(workers, sources, folder, seed) as pool,
    ):
        for outcome in pool.map(_make, missing):
            made[outcome.utterance] = outcome
            lines.write(json.dumps(asdict(outcome)) + "\n")
            lines.flush()
            progress(len(made), len(items))
    return made


def finish(folder: Path) -> None:
    """Take away what only an unfinished corpus needs."""
    (folder / JOURNAL).unlink(missing_ok=True)


def written(file: Path) -> Audio:
    """Read a file of the corpus."""
    audio: Audio = soundfile.read(file, dtype="float64")[0]
    return audio


def _read(journal: Path, items: Sequence[Item], folder: Path) -> dict[str, Outcome]:
    """Read what an interrupted build had made; a last line that was cut short counts for nothing.

    Raises `InvalidKeys` for a journal that something else wrote.
    """
    if not journal.is_file():
        return {}
    place = {item.utterance: item for item in items}
    made: dict[str, Outcome] = {}
    whole, _, _ = journal.read_text(encoding="utf-8").rpartition("\n")
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            said = json.loads(line)
            outcome = Outcome(**{**said, "steps": tuple(said["steps"])})
            item = place[outcome.utterance]
        except (ValueError, KeyError, TypeError):
            raise InvalidKeys(
                f"{journal}, line {number}: not a line of this build",
                hint=f"remove {folder} to start anew",
            ) from None
        file = folder / item.file
        if outcome.unusable or (file.is_file() and fingerprint.sha256(file) == outcome.sha256):
            made[outcome.utterance] = outcome
    journal.write_text(
        "".join(json.dumps(asdict(outcome)) + "\n" for outcome in made.values()), encoding="utf-8"
    )
    return made


@contextmanager
def _pool(
    workers: int, sources: Mapping[str, SpeechSource], folder: Path, seed: int
) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes; when the build is stopped, what has not begun is dropped."""
    pool = ProcessPoolExecutor(
        workers or os.cpu_count() or 1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_Worker.begin,
        initargs=(dict(sources), folder, seed),
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


class _Worker:
    """What one process knows; set once when it begins."""

    sources: ClassVar[dict[str, SpeechSource]]
    folder: ClassVar[Path]
    seed: ClassVar[int]

    @classmethod
    def begin(cls, sources: dict[str, SpeechSource], folder: Path, seed: int) -> None:
        """Leave Ctrl-C to the first process, and take one core, as there is a process for each."""
        import torch

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        torch.set_num_threads(1)
        cls.sources, cls.folder, cls.seed = sources, folder, seed


def _make(item: Item) -> Outcome:
    """Make the file of one item, in a process of the pool."""
    try:
        made = _audio(item)
    except Unusable as error:
        return Outcome(utterance=item.utterance, unusable=str(error))
    file = _Worker.folder / item.file
    samples = _sixteen_bit(made.audio)
    with replaced(file) as beside:
        soundfile.write(beside, samples, RATE, subtype="PCM_16", format="FLAC")
    return Outcome(
        utterance=item.utterance,
        sha256=fingerprint.sha256(file),
        samples=samples.size,
        steps=made.steps,
    )


def _audio(item: Item) -> Made:
    """Return the audio of one item after the treatment that both classes get.

    A copy is treated with the very draws of its original, so that the pair differs by the attack.
    All three have the band of the recording, and its length.
    """
    speech = item.speech
    names = (speech.source, speech.utterance)
    recording = _Worker.sources[speech.source].read(speech)
    raw = Made(audio=recording, steps=())
    if item.kind != "-":
        attack = catalogue.attack(item.attack)
        if isinstance(attack, TextToSpeech):
            names = ("tts", item.utterance)
            random = generator(_Worker.seed, item.attack, item.utterance)
            raw = attack.speak(item.text, item.language, random)
        else:
            raw = attack.copy(recording, generator(_Worker.seed, item.attack, *names))
    random = generator(_Worker.seed, "treatment", *names)
    last = treat(raw.audio, random, Bounds.of(recording, highest_hz=item.highest_hz))
    return Made(audio=last.audio, steps=(*raw.steps, *last.steps))


def _sixteen_bit(audio: Audio) -> NDArray[np.int16]:
    return np.clip(np.rint(audio * 32768), -32768, 32767).astype(np.int16)
