"""Scoring: model x batches -> scores, each kept as soon as it is there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from spoofbench import batches
from spoofbench.batches import Batch, Failure, First, Whole, Work
from spoofbench.contracts import Countermeasure, Progress
from spoofbench.devices import denormals_flushed, evaluating, precision_context
from spoofbench.errors import BrokenPlugin, FailedTrials
from spoofbench.files import storage_errors, write_text
from spoofbench.locks import reserved
from spoofbench.processes import Processes
from spoofbench.scores import ScoreTable
from spoofbench.trials import Trial

FAILURES = "failures.tsv"
NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How scores are computed; of these, only ``precision`` and ``samples`` may change them."""

    device: torch.device
    precision: str = "fp32"
    batch_size: int = 8
    workers: int = 1
    samples: int | None = None
    min_samples: int = 1
    root: Path
    rate: int = 16_000

    def loader(self, work: Sequence[Work]) -> DataLoader[Batch]:
        """Return a loader of ``work`` that brings utterances to the model's input length."""
        crop = Whole(at_least=self.min_samples) if self.samples is None else First(self.samples)
        return batches.loader(
            work,
            root=self.root,
            rate=self.rate,
            crop=crop,
            workers=min(self.workers, len(work)),
            pin=self.device.type == "cuda",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The scores of a batch, as text with as many digits as the model's precision has."""

    place: int
    scores: tuple[tuple[str, str], ...]
    failures: tuple[Failure, ...]


@dataclass(slots=True)
class Tally:
    """What one call of `score_run` did."""

    scored: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)


def score_batches(
    model: Countermeasure, loader: DataLoader[Batch], options: Options
) -> Iterator[Scored]:
    """Score what ``loader`` gives, batch by batch, in order.

    Raises `BrokenPlugin` where the model does not return one score for each utterance.
    """
    with denormals_flushed(), evaluating(model):
        for batch in loader:
            yield _score(model, batch, options)


def _score(model: Countermeasure, batch: Batch, options: Options) -> Scored:
    failures = list(batch.failures)
    scores = []
    if batch.utterances:
        moved = batch.to(options.device)
        with precision_context(options.precision, options.device):
            given = model.score(moved.audio, moved.lengths)
        shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        if shape != (len(batch.utterances),):
            raise BrokenPlugin(
                f"the model returned {shape} for {len(batch.utterances)} utterances",
                hint="score() must return a tensor with one score for each utterance: (batch,)",
            )
        precise = given.double() if given.dtype == torch.float64 else given.float()
        for utterance, score in zip(batch.utterances, precise.cpu().numpy(), strict=True):
            if torch.isfinite(torch.tensor(score)):
                scores.append((utterance, str(score)))
            else:
                failures.append(Failure(utterance=utterance, reason=f"the score is {score}"))
    return Scored(place=batch.place, scores=tuple(scores), failures=tuple(failures))


def score_run(
    model: Countermeasure,
    trials: Sequence[Trial],
    folder: Path,
    options: Options,
    *,
    processes: Processes,
    progress: Progress,
) -> tuple[ScoreTable, Tally] | None:
    """Score ``trials``, keeping results in ``folder`` so that a call cut short can be continued.

    Batches are the same however many processes share them, and whatever was scored before, so the
    scores are too: to the last bit where each process computes with as many threads, of which
    torchrun gives it one (``OMP_NUM_THREADS``). Returns None in all processes but the first.

    Raises `FailedTrials` if some trials could not be scored (the scores of the others are kept),
    `InvalidRun` if another process is at work in ``folder``.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with reserved(folder) if processes.is_first else nullcontext():
        done = _read_parts(folder)
        whole = batches.plan(trials, options.batch_size)
        mine = [
            work
            for work in whole
            if work.place % processes.count == processes.rank
            and not all(trial.utterance in done for trial in work.trials)
        ]
        tally = Tally()
        started = time.perf_counter()
        _score_into(_new_part(folder, processes.rank), model, mine, options, tally, progress)
        tally.seconds = time.perf_counter() - started
        _write_failures(folder, processes.rank, tally.failures)
        processes.wait_for_all()
        if not processes.is_first:
            return None
        return _gather(folder, trials), tally


def discard_parts(folder: Path) -> None:
    """Remove what `score_run` kept, once the whole score file is written."""
    for part in folder.glob("scores.part-*.tsv"):
        part.unlink()
    (folder / FAILURES).unlink(missing_ok=True)


def _score_into(
    part: Path,
    model: Countermeasure,
    work: Sequence[Work],
    options: Options,
    tally: Tally,
    progress: Progress,
) -> None:
    total = sum(len(piece.trials) for piece in work)
    if not total:
        return
    for scored in score_batches(model, options.loader(work), options):
        with storage_errors(part), part.open("a", encoding="utf-8") as file:
            file.writelines(f"{utterance}\t{score}\n" for utterance, score in scored.scores)
        tally.scored += len(scored.scores)
        tally.failures += scored.failures
        progress(tally.scored + len(tally.failures), total)


def _gather(folder: Path, trials: Sequence[Trial]) -> ScoreTable:
    done = _read_parts(folder)
    lines = []
    for file in sorted(folder.glob("failures.part-*.tsv")):
        lines += file.read_text("utf-8").splitlines()
        file.unlink()
    told = [tuple(line.split("\t", 1)) for line in lines]
    # A call that was killed may have left failures that were mended since.
    failures = [(utterance, reason) for utterance, reason in told if utterance not in done]
    if failures:
        order = {trial.utterance: place for place, trial in enumerate(trials)}
        failures.sort(key=lambda failure: order[failure[0]])
        lines = [f"{utterance}\t{reason}" for utterance, reason in failures]
        write_text(folder / FAILURES, "utterance\treason\n" + "\n".join(lines) + "\n")
        shown = "\n".join(f"  {utterance}: {reason}" for utterance, reason in failures[:NAMED])
        more = f"\n  and {len(failures) - NAMED:,} more" if len(failures) > NAMED else ""
        raise FailedTrials(
            f"{len(failures):,} of {len(trials):,} trials could not be scored, so there is no "
            f"table:\n{shown}{more}",
            hint=f"all of them: {folder / FAILURES}\nThe scores of the others are kept: mend the "
            "recordings and give the same command again",
        )
    return ScoreTable.join(trials, done, source=str(folder))


def _write_failures(folder: Path, rank: int, failures: Sequence[Failure]) -> None:
    if failures:
        lines = [f"{f.utterance}\t{' '.join(f.reason.split())}\n" for f in failures]
        write_text(folder / f"failures.part-{rank}.tsv", "".join(lines))


def _read_parts(folder: Path) -> dict[str, float]:
    """Read what was scored so far, what was scored last counting; a line cut off does not."""
    scores = {}
    parts = folder.glob("scores.part-*.tsv")
    for part in sorted(parts, key=lambda part: part.stat().st_mtime_ns):
        for line in part.read_text(encoding="utf-8").split("\n")[:-1]:
            utterance, score = line.split("\t")
            scores[utterance] = float(score)
    return scores


def _new_part(folder: Path, rank: int) -> Path:
    """Return a new file for this call: a line that was cut off is never written on."""
    calls = len(list(folder.glob(f"scores.part-{rank}-*.tsv")))
    return folder / f"scores.part-{rank}-{calls}.tsv"


def has_parameters(model: object) -> bool:
    """Say whether ``model`` has anything that training would set."""
    return isinstance(model, nn.Module) and any(True for _ in model.state_dict())
