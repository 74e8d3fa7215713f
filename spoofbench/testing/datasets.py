"""The contract of readers, held against the protocols that use one and whose corpus is there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import soundfile

from spoofbench import corpora
from spoofbench.contracts import Reader
from spoofbench.errors import SpoofbenchError
from spoofbench.plugins import catalogue
from spoofbench.protocols import Data, Protocol, load
from spoofbench.specs import DatasetSpec
from spoofbench.testing.clauses import Broken, Check, NotApplicable, state_untouched
from spoofbench.trials import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSubject:
    """A reader's spec, the reader, and a protocol with a corpus to read, if there is one."""

    spec: DatasetSpec
    reader: Reader
    data: Data | None = None
    root: Path | None = None

    def place(self) -> tuple[Data, Path]:
        """Return what to read, and where; raise `NotApplicable` where nothing is known."""
        if self.data is None or self.root is None:
            raise NotApplicable("no protocol on offer uses it with a corpus that is there")
        return self.data, self.root

    def read(self) -> list[Trial]:
        """Read the trials."""
        data, root = self.place()
        return list(self.reader(data, root))


def example(spec: DatasetSpec) -> tuple[Data, Path] | None:
    """Return the data of a protocol on offer that uses the reader, and where its corpus lies."""
    known = catalogue()
    for offer in known.protocols:
        if known.protocols.is_disputed(offer.spec.name):
            continue
        try:
            protocol: Protocol = load(offer.spec.name, known)
            if protocol.data.reader == spec.name:
                return protocol.data, corpora.root_of(protocol, known)
        except SpoofbenchError:
            continue
    return None


def trials_come_in_one_order(subject: DatasetSubject) -> None:
    """Reading twice gives the same trials in the same order, each once."""
    first = subject.read()
    if subject.read() != first:
        raise Broken("the same trials twice", "others", "Read in the order of the key file.")
    names = [trial.utterance for trial in first]
    if not names or len(set(names)) != len(names):
        raise Broken(
            "trials, each once",
            f"{len(names)} with {len(set(names))} names",
            "Drop none, add none.",
        )


def both_classes_are_told_apart(subject: DatasetSubject) -> None:
    """There are bona fide trials and spoofs, and only spoofs have an attack."""
    trials = subject.read()
    if len({trial.bonafide for trial in trials}) < 2:
        raise Broken("both classes", "one", "Is the column of the keys right?")
    if any(trial.bonafide and trial.attack != "-" for trial in trials):
        raise Broken("'-' for the attack of bona fide", "another", "Bona fide trials have none.")


def audio_stays_inside_the_corpus(subject: DatasetSubject) -> None:
    """Paths of audio are relative and stay below the corpus folder."""
    for trial in subject.read():
        path = Path(trial.audio)
        if path.is_absolute() or ".." in path.parts:
            raise Broken("paths below the corpus", trial.audio, "Refuse what leads outside.")


@contextmanager
def _no_audio_is_opened() -> Iterator[list[str]]:
    opened: list[str] = []
    whole = soundfile.SoundFile.__init__

    def noted(self: soundfile.SoundFile, file: object, *args: object, **said: object) -> None:
        opened.append(str(file))
        whole(self, file, *args, **said)

    soundfile.SoundFile.__init__ = noted
    try:
        yield opened
    finally:
        soundfile.SoundFile.__init__ = whole


def no_audio_is_opened(subject: DatasetSubject) -> None:
    """Reading the trials opens no audio, and leaves the process as it was."""
    subject.read()
    with state_untouched(), _no_audio_is_opened() as opened:
        subject.read()
    if opened:
        raise Broken("key files alone", f"{opened[0]} opened", "Leave audio to the harness.")


def a_corpus_that_is_not_there_is_told(subject: DatasetSubject) -> None:
    """An empty folder is told as an error of spoofbench, not as any exception."""
    data, _ = subject.place()
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = list(subject.reader(data, Path(folder)))
        except SpoofbenchError:
            return
        except Exception as error:
            raise Broken(
                "CorpusNotFound or InvalidKeys",
                f"{type(error).__name__}: {error}",
                "Catch what opening the key file raises.",
            ) from error
    raise Broken("CorpusNotFound or InvalidKeys", f"{len(found)} trials", "Look for the key file.")


CLAUSES: tuple[Check, ...] = (
    trials_come_in_one_order,
    both_classes_are_told_apart,
    audio_stays_inside_the_corpus,
    no_audio_is_opened,
    a_corpus_that_is_not_there_is_told,
)
