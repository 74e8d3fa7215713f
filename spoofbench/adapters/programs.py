"""Detectors that are programs: paths go in on standard input, scores come out, line by line.

Any language and any environment will do. The program is started once, without a shell; for every
line with the path of a WAV file it writes a line with the score, and nothing else.
"""

from __future__ import annotations

import math
import queue
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from spoofbench.errors import BrokenPlugin, UnknownName

SECONDS = 600
"""A program that takes longer over one recording has hung."""
_KEPT = 5
"""Last lines of complaint that an error shows."""


class Program:
    """A running program, as a function on waveforms."""

    def __init__(self, command: Sequence[str], *, rate: int) -> None:
        self._rate = rate
        self._command = command
        self._complaints: deque[str] = deque(maxlen=_KEPT)
        self._lines: queue.Queue[str | None] = queue.Queue()
        try:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
        except (OSError, IndexError) as error:
            raise UnknownName(
                f"command:{' '.join(command)} cannot be started: {error}",
                hint="name a program with its arguments, in quotation marks",
            ) from error
        threading.Thread(target=self._read_scores, daemon=True).start()
        threading.Thread(target=self._read_complaints, daemon=True).start()

    def __call__(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the program's scores of ``audio`` ``(batch, time)``: ``(batch,)``."""
        with tempfile.TemporaryDirectory(prefix="spoofbench-") as folder:
            scores = []
            for number, (row, length) in enumerate(zip(audio, lengths.tolist(), strict=True)):
                file = Path(folder) / f"{number}.wav"
                soundfile.write(file, row[:length].numpy(), self._rate, subtype="FLOAT")
                scores.append(self._asked(file))
        return torch.tensor(scores)

    def _asked(self, file: Path) -> float:
        if self._process.stdin is None:
            raise self._failed("it takes no input")
        try:
            self._process.stdin.write(f"{file}\n")
            self._process.stdin.flush()
        except OSError:
            raise self._failed("it ended") from None
        try:
            line = self._lines.get(timeout=SECONDS)
        except queue.Empty:
            self._process.kill()
            raise self._failed(f"it gave no score in {SECONDS} s") from None
        if line is None:
            raise self._failed("it ended")
        try:
            score = float(line)
        except ValueError:
            raise self._failed(f"it wrote {line.strip()!r}, which is no number") from None
        if not math.isfinite(score):
            raise self._failed(f"it wrote {line.strip()}")
        return score

    def _failed(self, why: str) -> BrokenPlugin:
        told = "".join(f"\n  {line}" for line in self._complaints)
        return BrokenPlugin(
            f"command:{' '.join(self._command)}: {why}{told}",
            hint="for each path on its standard input it must write one line: the score",
        )

    def _read_scores(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._lines.put(None)

    def _read_complaints(self) -> None:
        for line in self._process.stderr or ():
            self._complaints.append(line.rstrip())

    def __del__(self) -> None:
        """End the program with the job."""
        process = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            process.kill()
