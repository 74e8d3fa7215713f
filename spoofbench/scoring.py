"""Scoring: model x batches -> scores, each kept as soon as it is there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from spoofbench import batches
from spoofbench.audio import AudioCache
from spoofbench.batches import Batch, Crop, Failure, First, Notes, Variant, Whole, Work
from spoofbench.contracts import Countermeasure, Optimisable, Progress
from spoofbench.devices import PRECISIONS, denormals_flushed, evaluating, precision_context
from spoofbench.errors import BrokenPlugin, FailedTrials
from spoofbench.files import storage_errors, write_text
from spoofbench.locks import reserved
from spoofbench.processes import Processes
from spoofbench.scores import ScoreTable
from spoofbench.store import Store
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
    store: Store | None = None
    """Where decoded audio is kept on disk, if anywhere."""

    @property
    def crop(self) -> Crop:
        """What brings utterances to the model's input length."""
        return Whole(at_least=self.min_samples) if self.samples is None else First(self.samples)

    def loader(self, work: Sequence[Work], cache: AudioCache | None = None) -> DataLoader[Batch]:
        """Return a loader of ``work`` that brings utterances to the model's input length."""
        return batches.loader(
            work,
            cache=cache or self.cache(),
            crop=self.crop,
            workers=min(self.workers, len(work)),
            pin=self.device.type == "cuda",
        )

    def at(self, root: Path) -> Options:
        """Return these options for the corpus in ``root``."""
        return replace(self, root=root)

    def cache(self, capacity: int = batches.CACHE_BYTES) -> AudioCache:
        """Return a cache of decoded audio for one worker, of ``capacity`` bytes over all."""
        return AudioCache(self.root, self.rate, capacity // max(self.workers, 1), self.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The scores of a batch, as text with as many digits as the model's precision has.

    ``variant`` says what was done to the audio, ``notes`` what is to be kept beside each score.
    """

    place: int
    scores: tuple[tuple[str, str], ...]
    failures: tuple[Failure, ...]
    notes: tuple[Notes, ...] = ()
    variant: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One run among several that share a pass: its folder, and what is done to the audio."""

    folder: Path
    variant: Variant = batches.unchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a lane came to: the scores, and what is to be kept of each trial that has something."""

    table: ScoreTable
    notes: Mapping[str, Notes]


@dataclass(slots=True)
class Tally:
    """What one call of `score_lanes` did."""

    scored: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)


def optimised(model: Countermeasure, options: Options) -> Countermeasure:
    """Return the faster way to score that ``model`` offers, where there is one for these options.

    It is for processors, in float32 and bfloat16.
    """
    dtype = PRECISIONS[options.precision] or torch.float32
    fits = options.device.type == "cpu" and dtype != torch.float16
    return model.optimise(dtype) if fits and isinstance(model, Optimisable) else model


def score_batches(
    model: Countermeasure, loader: Iterable[Batch], options: Options
) -> Iterator[Scored]:
    """Score what ``loader`` gives, batch by batch, in order.

    Raises `BrokenPlugin` where the model does not return one score for each utterance.
    """
    with denormals_flushed(), evaluating(model):
        for batch in loader:
            yield _score(model, batch, options)


def _score(model: Countermeasure, batch: Batch, options: Options) -> Scored:
    if batch.error is not None:
        raise batch.error
    failures = list(batch.failures)
    scores = []
    notes = []
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
        noted = batch.notes or ({},) * len(batch.utterances)
        given_scores = zip(batch.utterances, precise.cpu().numpy(), noted, strict=True)
        for utterance, score, own in given_scores:
            if torch.isfinite(torch.tensor(score)):
                scores.append((utterance, str(score)))
                notes.append(own)
            else:
                failures.append(Failure(utterance=utterance, reason=f"the score is {score}"))
    return Scored(
        place=batch.place,
        scores=tuple(scores),
        failures=tuple(failures),
        notes=tuple(notes),
        variant=batch.variant,
    )


def score_lanes(
    model: Countermeasure,
    trials: Sequence[Trial],
    lanes: Sequence[Lane],
    options: Options,
    *,
    processes: Processes,
    progress: Progress,
) -> tuple[tuple[Result | FailedTrials, ...], Tally] | None:
    """Score ``trials`` in every lane, keeping results in its folder so that a call can go on.

    A recording is decoded once for all lanes that want it. Batches are the same however many
    processes share them, and whatever was scored before, so the scores are too: to the last bit
    where each process computes with as many threads, of which torchrun gives it one
    (``OMP_NUM_THREADS``). Returns None in all processes but the first.

    A lane of which some trials could not be scored gives the error instead of a result; the scores
    of the others are kept. Raises `InvalidRun` if another process is at work in a folder.
    """
    with ExitStack() as locks:
        for lane in lanes:
            with storage_errors(lane.folder):
                lane.folder.mkdir(parents=True, exist_ok=True)
            if processes.is_first:
                locks.enter_context(reserved(lane.folder))
        mine = _work(trials, lanes, options, processes)
        tally = Tally()
        started = time.perf_counter()
        failures = _score_into(lanes, model, mine, options, processes, tally, progress)
        tally.seconds = time.perf_counter() - started
        for lane, own in zip(lanes, failures, strict=True):
            _write_failures(lane.folder, processes.rank, own)
        processes.wait_for_all()
        if not processes.is_first:
            return None
        return tuple(_result(lane.folder, trials) for lane in lanes), tally


def _work(
    trials: Sequence[Trial], lanes: Sequence[Lane], options: Options, processes: Processes
) -> list[Work]:
    """Return what this process has to do: each batch, with the lanes that lack some of it."""
    done = [_read_parts(lane.folder).scores for lane in lanes]
    work = []
    for batch in batches.plan(trials, options.batch_size):
        if batch.place % processes.count != processes.rank:
            continue
        lacking = tuple(
            number
            for number, scored in enumerate(done)
            if not all(trial.utterance in scored for trial in batch.trials)
        )
        if lacking:
            work.append(replace(batch, variants=lacking))
    return work


def discard_parts(folder: Path) -> None:
    """Remove what `score_lanes` kept, once the whole score file is written."""
    for part in folder.glob("scores.part-*.tsv"):
        part.unlink()
    (folder / FAILURES).unlink(missing_ok=True)


def _score_into(
    lanes: Sequence[Lane],
    model: Countermeasure,
    work: Sequence[Work],
    options: Options,
    processes: Processes,
    tally: Tally,
    progress: Progress,
) -> list[list[Failure]]:
    """Score ``work``, writing each batch to its lane; return the failures of each lane."""
    failures: list[list[Failure]] = [[] for _ in lanes]
    total = sum(len(piece.trials) * len(piece.variants) for piece in work)
    if not total:
        return failures
    parts = [_new_part(lane.folder, processes.rank) for lane in lanes]
    loader = batches.variant_loader(
        work,
        [lane.variant for lane in lanes],
        cache=options.cache(),
        crop=options.crop,
        workers=min(options.workers, len(work)),
        pin=options.device.type == "cuda",
    )
    for scored in score_batches(model, chain.from_iterable(loader), options):
        part = parts[scored.variant]
        with storage_errors(part), part.open("a", encoding="utf-8") as file:
            file.writelines(map(_line, scored.scores, scored.notes))
        tally.scored += len(scored.scores)
        tally.failures += scored.failures
        failures[scored.variant] += scored.failures
        progress(tally.scored + len(tally.failures), total)
    return failures


def _line(score: tuple[str, str], notes: Notes) -> str:
    behind = f"\t{json.dumps(notes)}" if notes else ""
    return f"{score[0]}\t{score[1]}{behind}\n"


def _result(folder: Path, trials: Sequence[Trial]) -> Result | FailedTrials:
    try:
        return _gather(folder, trials)
    except FailedTrials as error:
        return error


def _gather(folder: Path, trials: Sequence[Trial]) -> Result:
    parts = _read_parts(folder)
    done = parts.scores
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
    return Result(table=ScoreTable.join(trials, done, source=str(folder)), notes=parts.notes)


def _write_failures(folder: Path, rank: int, failures: Sequence[Failure]) -> None:
    if failures:
        lines = [f"{f.utterance}\t{' '.join(f.reason.split())}\n" for f in failures]
        write_text(folder / f"failures.part-{rank}.tsv", "".join(lines))


@dataclass(slots=True)
class _Parts:
    """What was scored so far, and what is to be kept of each trial."""

    scores: dict[str, float] = field(default_factory=dict)
    notes: dict[str, Notes] = field(default_factory=dict)


def _read_parts(folder: Path) -> _Parts:
    """Read what was scored so far, what was scored last counting; a line cut off does not."""
    read = _Parts()
    parts = folder.glob("scores.part-*.tsv")
    for part in sorted(parts, key=lambda part: part.stat().st_mtime_ns):
        for line in part.read_text(encoding="utf-8").split("\n")[:-1]:
            utterance, score, *notes = line.split("\t", 2)
            read.scores[utterance] = float(score)
            if notes:
                read.notes[utterance] = json.loads(notes[0])
    return read


def _new_part(folder: Path, rank: int) -> Path:
    """Return a new file for this call: a line that was cut off is never written on."""
    calls = len(list(folder.glob(f"scores.part-{rank}-*.tsv")))
    return folder / f"scores.part-{rank}-{calls}.tsv"


def has_parameters(model: object) -> bool:
    """Say whether ``model`` has anything that training would set."""
    return isinstance(model, nn.Module) and any(True for _ in model.state_dict())
