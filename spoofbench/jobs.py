"""The whole job behind ``run`` and ``train``: corpus, weights, scores; each step once only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from spoofbench import (
    adapters,
    auditing,
    batches,
    corpora,
    devices,
    estimate,
    fingerprint,
    objectives,
    runs,
    scores,
    scoring,
    weights,
)
from spoofbench.contracts import (
    Augmentation,
    ClosedForm,
    Countermeasure,
    PretrainedPart,
    Progress,
    Trainable,
)
from spoofbench.errors import (
    CorpusNotFound,
    FailedTrials,
    InvalidRecipe,
    InvalidSettings,
    InvalidWeights,
)
from spoofbench.locks import reserved
from spoofbench.plugins import Catalogue, Offer, instantiate
from spoofbench.processes import Processes, own_device
from spoofbench.protocols import Protocol, load
from spoofbench.robustness import measured
from spoofbench.robustness.applying import Applied
from spoofbench.robustness.conditions import Condition
from spoofbench.robustness.pool import POOL_BYTES, SpeechPool
from spoofbench.robustness.ranges import parse_ranges
from spoofbench.runs import CLEAN, ModelRecord, RunRecord, WeightsRecord
from spoofbench.scoring import Options
from spoofbench.seeds import training_identity
from spoofbench.specs import ModelSpec, TrackerSpec
from spoofbench.store import Store
from spoofbench.terms import Terms, terms_of
from spoofbench.training import closed_form, fit, tasks, tracking, trainings
from spoofbench.training.aims import aims_of
from spoofbench.training.augmenting import Augmenter
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.recipe import Recipe, recipe_for
from spoofbench.training.tracking import Tracking
from spoofbench.training.trainings import PartRecord, TrainingRecord, TrainingTerms
from spoofbench.trials import missing_audio
from spoofbench.weights import Weights

SHOWN = 3
"""Trials of each class whose scores are shown before a detector without a plugin is judged."""
AS_IT_IS = Condition()
"""Audio to which nothing is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How a job speaks: notes beside the results, and progress of what takes long."""

    note: Callable[[str], None]
    progress: Callable[[str, str], AbstractContextManager[Progress]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for; the same for ``run`` and ``train``."""

    model: str
    data: Path | None
    out: Path
    limit: int | None
    device: str
    precision: str
    batch_size: int
    workers: int | None
    seed: int
    micro_batch: int | None = None
    trackers: tuple[str, ...] = ()
    keep: int = 1
    compiler: str = ""
    cache_dir: Path | None = None
    cache_limit: float = 32.0
    """Gigabytes that decoded audio may take in ``cache_dir``."""


class Job:
    """A model and a catalogue, and the steps that a request needs."""

    def __init__(
        self, request: Request, catalogue: Catalogue, processes: Processes, voice: Voice
    ) -> None:
        self.request = request
        self.catalogue = catalogue
        self.processes = processes
        self.voice = voice
        self.offer: Offer[ModelSpec] = (
            adapters.offer_named(request.model)
            if adapters.is_adapter(request.model)
            else catalogue.models.get(request.model)
        )
        self.spec = self.offer.spec
        self.trackers: list[Offer[TrackerSpec]] = [
            catalogue.trackers.get(name) for name in request.trackers
        ]
        self.device = own_device(devices.device_named(request.device))
        devices.precision_context(request.precision, self.device)

    def terms(self, protocol: Protocol, *, given: str | None = None) -> Terms:
        """Find the corpus of ``protocol``, generating it if need be, and read its trials.

        ``given`` is the corpus whose folder --data names; None for that of ``protocol``.
        """
        data = self.request.data if given in (None, protocol.data.corpus) else None
        if protocol.data.sample_rate != self.spec.sample_rate:
            raise InvalidSettings(
                f"{self.spec.name} takes audio at {self.spec.sample_rate:,} Hz, "
                f"{protocol.name} gives it at {protocol.data.sample_rate:,} Hz",
                hint="choose another model or protocol",
            )
        if self.processes.is_first:
            self._generate(protocol, data)
        self.processes.wait_for_all()
        root = corpora.root_of(protocol, self.catalogue, data=data)
        trials = corpora.read_trials(protocol, self.catalogue, root)
        if self.request.limit is None:
            corpora.check_audio(protocol, trials, root)
            return terms_of(protocol, self.catalogue, root, available=trials)
        missing = {trial.utterance for trial in missing_audio(trials, root)}
        present = [trial for trial in trials if trial.utterance not in missing]
        if not present:
            corpora.check_audio(protocol, trials, root)
        return terms_of(
            protocol, self.catalogue, root, limit_to=self.request.limit, available=present
        )

    def model(self) -> Countermeasure:
        """Make the model, with its random weights if it has any, from the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.request.seed)
            made = instantiate(self.offer, "model")
        if not isinstance(made, Countermeasure):
            raise InvalidSettings(f"the model '{self.spec.name}' has no score()")
        return made.to(self.device) if isinstance(made, nn.Module) else made

    def _generate(self, protocol: Protocol, data: Path | None) -> None:
        corpus = protocol.data.corpus
        if corpora.locate(corpus, self.catalogue, data=data).folder is not None:
            return
        if corpus not in self.catalogue.corpora.names():
            return
        spec = self.catalogue.corpora.get(corpus).spec
        if spec.target and not spec.asks:
            with self.voice.progress(f"generating the corpus {corpus}", "files") as progress:
                corpora.build(spec, corpora.generated_folder(spec), progress)

    def _record(self) -> ModelRecord:
        plugin = self.offer.plugin
        return ModelRecord(
            name=self.spec.name,
            target=self.spec.target,
            plugin=plugin.name,
            distribution=plugin.distribution,
            version=plugin.version,
        )

    def _options(self, root: Path, samples: int | None) -> Options:
        request = self.request
        return Options(
            device=self.device,
            precision=request.precision,
            batch_size=request.batch_size,
            workers=batches.workers_for(request.workers, self.device),
            samples=samples,
            min_samples=self.spec.min_samples,
            root=root,
            rate=self.spec.sample_rate,
            store=self._store(),
        )

    def _store(self) -> Store | None:
        """Return where decoded audio is kept on disk, if the user wants it to be."""
        folder = self.request.cache_dir
        return Store(folder, limit=int(self.request.cache_limit * 1e9)) if folder else None

    def training(
        self,
        train: Protocol,
        dev: Protocol,
        *,
        given: str | None = None,
        recipe_file: str | None = None,
        changes: Mapping[str, Any] | None = None,
        paper_selection: bool = False,
    ) -> Training:
        """Put together what training on ``train``, chosen by ``dev``, will be.

        ``given`` is the corpus whose folder --data names; None for that of ``train``.
        """
        given = given or train.data.corpus
        tasks.check_role(train, "trained on")
        if not paper_selection:
            tasks.check_role(dev, "chosen by")
        recipe = self._recipe(train, recipe_file, changes or {})
        start = weights.find(self.spec, recipe.start, option="start") if recipe.start else None
        on, by = self.terms(train, given=given), self.terms(dev, given=given)
        tasks.check(on, by, recipe, paper_selection=paper_selection)
        aims = aims_of(
            recipe, self.model(), self.spec.name, on, self.catalogue, self.spec.sample_rate
        )
        terms = TrainingTerms(
            model=self._record(),
            train=PartRecord(protocol=train.name, fingerprint=on.fingerprint),
            dev=PartRecord(protocol=dev.name, fingerprint=by.fingerprint),
            recipe=recipe,
            start=start.sha256 if start else "",
            teacher=aims.teacher.sha256 if aims and aims.teacher else "",
            seed=self.request.seed,
            precision=self.request.precision,
            device=self.device.type,
            compiler=self.request.compiler,
        )
        task = tasks.Task(
            model_name=self.spec.name,
            train=on,
            dev=by,
            recipe=recipe,
            seed=self.request.seed,
            options=self._options(by.root, recipe.samples),
            folder=trainings.folder_for(self.request.out, terms),
            start=start,
            augmenter=self._augmenter(recipe, on),
            aims=aims,
            micro_batch=self.request.micro_batch,
            keep=self.request.keep,
            compiler=self.request.compiler,
            processes=self.processes,
            note=self.voice.note,
        )
        return Training(terms=terms, task=task)

    def _recipe(self, train: Protocol, file: str | None, changes: Mapping[str, Any]) -> Recipe:
        """Return how the model is trained; one that is fitted at once has no steps to change."""
        model = self.model()
        if not isinstance(model, ClosedForm):
            recipe = recipe_for(self.spec, corpus=train.training, file=file, options=changes)
            if isinstance(model, PretrainedPart) and not recipe.start:
                raise InvalidRecipe(
                    f"{self.spec.name} is trained from published weights of a part of it, and the "
                    "recipe does not say where they are",
                    hint=f"spoofbench train {self.spec.name} --start FILE ({self.spec.source} "
                    "describes them; docs/reference/models.md says where they are)",
                )
            return recipe
        if file is not None or changes:
            raise InvalidRecipe(
                f"{self.spec.name} is fitted at once, so no recipe changes it",
                hint="leave out --recipe and --set",
            )
        return Recipe(batch_size=1, epochs=1, samples=self.spec.samples)

    def _augmenter(self, recipe: Recipe, on: Terms) -> Augmenter | None:
        """Return what the recipe's conditions stand for. Raises what makes one impossible."""
        if not recipe.augment:
            return None
        cache = self._options(on.root, None).cache(POOL_BYTES)
        augmenter = Augmenter(
            conditions=[parse_ranges(text, self.catalogue) for text in recipe.augment],
            share=recipe.augment_share,
            seed=self.request.seed,
            rate=self.spec.sample_rate,
            pool=SpeechPool.of(on.trials, cache, seed=self.request.seed),
        )
        augmenter.ready()
        return augmenter

    def train(self, training: Training) -> Weights:
        """Train, or go on, unless it was done before; return the weights chosen by dev EER."""
        task = training.task
        if (record := trainings.read(task.folder)) is not None:
            self.voice.note(f"trained before: {task.folder}")
            return self._trained(task.folder, record)
        if self.request.precision == "fp16" and self.device.type == "cpu":
            raise InvalidSettings(
                "a processor cannot train in fp16", hint="use --precision bf16, or fp32"
            )
        count = self.processes.count
        if task.recipe.batch_size % count:
            raise InvalidRecipe(
                f"batches of {task.recipe.batch_size} cannot be shared by {count} processes",
                hint="choose a batch size that they divide: --set batch_size=...",
            )
        self.processes.wait_for_all()  # before the first writes what the others look for
        trainings.refuse_changed(self.request.out, training.terms)
        self.processes.wait_for_all()
        trackers = self.trackers if self.processes.is_first else []
        told = Tracking(
            tracking.make(trackers, task.folder, training.terms), task.folder, self.voice.note
        )
        if self.processes.is_first:
            trainings.begin(training.terms, task.folder)
        started = time.perf_counter()
        told.tell(training.history())
        file = self._fitted(training, told)
        origin = weights.origin_of(file)
        if origin is None:
            raise InvalidWeights(f"{file} does not say how it was trained")
        epochs = training.history()
        seconds = sum(e.seconds for e in epochs) if epochs else time.perf_counter() - started
        steps = len(epochs) * task.steps_per_epoch()
        record = TrainingRecord(
            terms=training.terms,
            best_epoch=origin.epoch,
            best_dev_eer=origin.dev_eer,
            seconds=round(seconds, 3),
            seconds_per_step=round(seconds / steps, 6) if steps else 0.0,
            utterances_per_second=round(steps * task.recipe.batch_size / seconds, 3),
            peak_mb=max((e.peak_mb for e in epochs), default=0.0),
            sha256=fingerprint.sha256(file),
            arguments=runs.arguments(),
            versions=runs.versions(),
            finished=runs.now(),
        )
        if self.processes.is_first:
            told.end(record)
            trainings.write(record, task.folder)
        return self._trained(task.folder, record)

    def _fitted(self, training: Training, told: Tracking) -> Path:
        """Fit or train the model, and return the file of its weights."""
        task, model = training.task, self.model()
        if isinstance(model, ClosedForm):
            if self.processes.count > 1:
                raise InvalidSettings(
                    f"{self.spec.name} is fitted at once, in one process",
                    hint=f"first: spoofbench train {self.spec.name}, without torchrun",
                )
            with (
                reserved(task.folder),
                self.voice.progress(f"measuring {task.train.protocol.name}", "utterances") as shown,
            ):
                return closed_form.fit(
                    lambda: instantiate(self.offer, "model"), task, progress=shown
                )
        if not isinstance(model, Trainable):
            raise InvalidRecipe(
                f"{self.spec.name} has no loss(), so it cannot be trained",
                hint="give weights with --weights FILE",
            )

        def report(epoch: Epoch, is_best: bool) -> None:
            told.tell(training.history())
            self.voice.note(
                f"epoch {epoch.epoch:>3} of {task.recipe.epochs}: loss {epoch.loss:.4f}, "
                f"dev EER {100 * epoch.dev_eer:6.2f} %{' (best so far)' if is_best else ''}; "
                f"{epoch.utterances_per_second:.1f} utterances/s, "
                f"{100 * epoch.waiting:.0f} % of it waiting for audio, {epoch.peak_mb:,.0f} MB; "
                f"{epoch.cache_mb:,.0f} MB of audio held, {100 * epoch.cache_hits:.0f} % of the "
                "readings found it decoded"
            )

        with (
            reserved(task.folder) if self.processes.is_first else nullcontext(),
            self.voice.progress(f"training {self.spec.name}", "steps") as progress,
        ):
            return fit.fit(
                lambda: instantiate(self.offer, "model"), task, progress=progress, report=report
            )

    def _trained(self, folder: Path, record: TrainingRecord) -> Weights:
        file = folder / tasks.BEST
        if not file.is_file() or fingerprint.sha256(file) != record.sha256:
            raise InvalidWeights(
                f"{file} is not the file that its training wrote",
                hint=f"remove {folder} to train again, or name it with --weights to use it anyway",
            )
        return Weights(
            file=file, source="trained", sha256=record.sha256, origin=weights.origin_of(file)
        )

    def chosen_weights(
        self, wanted: str | None, protocol: Protocol, *, this_seed: bool = False
    ) -> Weights | Training | None:
        """Return the weights to score with, or the training that will give them.

        They are those that were asked for, else those trained before in this workspace, with
        another seed too unless ``this_seed`` matters. None is for models that have no parameters:
        random weights never yield a table.
        """
        if wanted is not None:
            return weights.find(self.spec, wanted)
        if not scoring.has_parameters(self.model()):
            return None
        if not (protocol.train and protocol.dev):
            raise InvalidWeights(
                f"{self.spec.name} needs weights, and {protocol.name} does not say on which "
                "protocols a model for it is trained and chosen",
                hint="give them with --weights",
            )
        try:
            training = self.training(
                load(protocol.train, self.catalogue),
                load(protocol.dev, self.catalogue),
                given=protocol.data.corpus,
            )
        except CorpusNotFound as error:
            raise CorpusNotFound(
                f"{self.spec.name} needs weights, or data to be trained on: {error}",
                hint=f"give weights with --weights, or the corpus\n{error.hint}".rstrip(),
            ) from error
        if trainings.read(training.task.folder) is not None:
            return self.train(training)
        if this_seed:
            return training
        others = trainings.finished(self.request.out, self.spec.name, training.terms.train.protocol)
        if len(others) > 1:
            raise InvalidWeights(
                f"{self.spec.name} was trained {len(others)} times on "
                f"{training.terms.train.protocol} in {self.request.out}, each time otherwise",
                hint="say which: "
                + " or ".join(f"--weights {folder / tasks.BEST}" for folder, _ in others),
            )
        if others and not training.begun():
            (folder, record), *_ = others
            self.voice.note(f"using what was trained before, though on other terms: {folder}")
            return self._trained(folder, record)
        return training

    def plan(self, terms: Terms, found: Weights | Training | None) -> list[str]:
        """Say in lines what will be done, and how long it may take."""
        lines = [f"protocol  {terms.protocol.name}: {len(terms.trials):,} trials in {terms.root}"]
        left = len(terms.trials)
        if isinstance(found, Training):
            lines += self.training_plan(found)
        else:
            lines.append(f"weights   {found.file} ({found.source})" if found else "weights   none")
            left = 0 if runs.is_finished(self.run_folder(terms, found)) else left
        if not left:
            return [*lines, "scores    are there already"]
        each = estimate.scoring_seconds(
            self.model(), self._options(terms.root, self._samples(found))
        )
        duration = estimate.in_words(each * left / self.processes.count)
        return [*lines, f"scores    {left:,} trials to score: {duration} on {self.device}"]

    def training_plan(self, training: Training) -> list[str]:
        """Say in lines what training will do, and how long it may take."""
        task, recipe = training.task, training.task.recipe
        lines = [
            f"training  {self.spec.name} on {task.train.protocol.name} "
            f"({len(task.train.trials):,} trials), chosen by {task.dev.protocol.name} "
            f"({len(task.dev.trials):,} trials)",
        ]
        model = self.model()
        if isinstance(model, ClosedForm):
            return [*lines, "recipe    fitted at once"]
        lines.append(f"recipe    {', '.join(f'{name} {_said(value)}' for name, value in recipe)}")
        if isinstance(model, Trainable):
            learning = estimate.training_seconds(model, task.options, recipe.samples)
            scoring_dev = estimate.scoring_seconds(model, task.options) * len(task.dev.trials)
            epoch = learning * task.steps_per_epoch() * recipe.batch_size + scoring_dev
            lines.append(f"time      {estimate.in_words(epoch * recipe.epochs)} on {self.device}")
        return lines

    def run_folder(
        self, terms: Terms, found: Weights | None, condition: Condition = AS_IT_IS
    ) -> Path:
        """Return the folder of scoring ``terms`` with these weights under a condition."""
        terms_of_run = self._terms_of(terms, found, condition)
        return runs.folder_for(self.request.out, terms.protocol, terms_of_run)

    def score(self, terms: Terms, found: Weights | None) -> Path | None:
        """Score ``terms`` unless it was done before; return the run folder (first process only)."""
        folders = self.score_conditions(terms, found, [AS_IT_IS])
        return folders[0] if folders else None

    def score_conditions(
        self, terms: Terms, found: Weights | None, conditions: Sequence[Condition]
    ) -> list[Path]:
        """Score ``terms`` under each condition that was not done before, in one pass.

        Returns the run folders, in the first process; an empty list in the others. Raises
        `InvalidCondition` for a condition that cannot be made of these trials.
        """
        folders = [self.run_folder(terms, found, condition) for condition in conditions]
        missing = [
            (folder, condition)
            for folder, condition in zip(folders, conditions, strict=True)
            if not runs.is_finished(folder)
        ]
        if self.processes.is_first and len(missing) < len(folders):
            before = [str(folder) for folder in folders if runs.is_finished(folder)]
            said = before[0] if len(before) == 1 else f"{len(before)} of {len(folders)} conditions"
            self.voice.note(f"scored before: {said}")
        if missing:
            self._score_missing(terms, found, missing)
        return folders if self.processes.is_first else []

    def _score_missing(
        self, terms: Terms, found: Weights | None, missing: Sequence[tuple[Path, Condition]]
    ) -> None:
        options = self._options(terms.root, self._samples(found))
        pool = None
        if any(condition.steps for _, condition in missing):
            pool = SpeechPool.of(terms.trials, options.cache(POOL_BYTES), seed=self.request.seed)
        made: dict[str, Augmentation] = {}
        lanes = [
            scoring.Lane(folder=folder, variant=self._applied(condition, pool, made))
            for folder, condition in missing
        ]
        model = scoring.optimised(self._loaded(found), options)
        if adapters.is_adapter(self.request.model) and self.processes.is_first:
            self._show_first(model, terms, options)
        with self.voice.progress(f"scoring {terms.protocol.name}", "utterances") as progress:
            result = scoring.score_lanes(
                model,
                terms.trials,
                lanes,
                options,
                processes=self.processes,
                progress=progress,
            )
        if result is None:
            return
        results, tally = result
        failures: dict[str, FailedTrials] = {}
        for (folder, condition), own in zip(missing, results, strict=True):
            if isinstance(own, FailedTrials):
                failures[str(condition)] = own
                continue
            scores.write(own.table, folder / runs.SCORES)
            measured.write(own.notes, terms.trials, folder)
            runs.write(self._run_record(terms, found, options, tally, condition), folder)
            scoring.discard_parts(folder)
        if failures:
            raise _told_together(failures)

    def _loaded(self, found: Weights | None) -> Countermeasure:
        """Return the model with its weights, and with the objective that they were trained by."""
        model = self.model()
        if found is None:
            return model
        if found.origin is not None:
            model = objectives.as_trained(model, found.origin.recipe, self.catalogue)
        module = cast(nn.Module, model)
        weights.load(module, found)
        return cast(Countermeasure, module.to(self.device))

    def _show_first(self, model: Countermeasure, terms: Terms, options: Options) -> None:
        """Say what a detector gives for a few trials, so that a flipped sign is seen at once."""
        shown = [
            trial
            for bonafide in (True, False)
            for trial in [t for t in terms.trials if t.bonafide is bonafide][:SHOWN]
        ]
        key = {trial.utterance: trial.key for trial in shown}
        work = batches.plan(shown, len(shown))
        for scored in scoring.score_batches(model, options.loader(work), options):
            for utterance, score in scored.scores:
                self.voice.note(f"  {key[utterance]:<9} {score:>12}  {utterance}")
        self.voice.note("  higher should be bona fide; if not: sign=- behind a comma")

    def _applied(
        self, condition: Condition, pool: SpeechPool | None, made: dict[str, Augmentation]
    ) -> Applied:
        applied = Applied(
            condition=condition,
            seed=self.request.seed,
            rate=self.spec.sample_rate,
            pool=pool,
            made=made,
        )
        applied.ready()
        return applied

    def _condition_record(self, condition: Condition) -> runs.ConditionRecord | None:
        if not condition.steps:
            return None
        return runs.ConditionRecord(
            text=str(condition),
            seed=self.request.seed,
            augmentations=Applied(
                condition=condition, seed=self.request.seed, rate=self.spec.sample_rate
            ).identities(),
        )

    def _samples(self, found: Weights | Training | None) -> int | None:
        """Return the input length: what the weights were trained with, else the model's own."""
        if isinstance(found, Training):
            return found.task.recipe.samples
        if found is not None and found.origin is not None:
            return found.origin.recipe.samples
        return self.spec.samples

    def _terms_of(
        self, terms: Terms, found: Weights | None, condition: Condition = AS_IT_IS
    ) -> runs.Terms:
        return runs.Terms(
            model=self._record(),
            weights=WeightsRecord(source=found.source, sha256=found.sha256)
            if found
            else WeightsRecord(source="none"),
            fingerprint=terms.fingerprint,
            samples=self._samples(found),
            precision=self.request.precision,
            device=self.device.type,
            condition=self._condition_record(condition),
        )

    def _run_record(
        self,
        terms: Terms,
        found: Weights | None,
        options: Options,
        tally: scoring.Tally,
        condition: Condition,
    ) -> RunRecord:
        return RunRecord(
            label=f"{self.spec.name} ({found.name})" if found else self.spec.name,
            terms=self._terms_of(terms, found, condition),
            protocol=terms.protocol,
            fingerprint=terms.fingerprint,
            corpus=str(terms.root.resolve()),
            training=training_identity(found.origin) if found and found.origin else "",
            seed=found.origin.seed if found and found.origin else None,
            chosen_by_eval=found.origin.dev
            if found and found.origin and found.origin.chosen_by_eval
            else "",
            limit=terms.limit,
            trials=len(terms.trials),
            batch_size=options.batch_size,
            processes=self.processes.count,
            threads=torch.get_num_threads(),
            seconds=round(tally.seconds, 3),
            scored=tally.scored,
            device_name=devices.description(self.device),
            arguments=runs.arguments(),
            versions=runs.versions(),
            finished=runs.now(),
        )


def _said(value: object) -> object:
    """Return what a recipe's ``value`` is called in the plan."""
    return "none" if value in (None, "", (), {}) else value


def _told_together(failures: Mapping[str, FailedTrials]) -> FailedTrials:
    """Return one error for the conditions under which trials failed; the others are complete."""
    (name, first), *others = failures.items()
    if name == CLEAN and not others:
        return first
    also = f"\nand trials failed under {', '.join(name for name, _ in others)}" if others else ""
    return FailedTrials(f"{name}: {first}{also}", hint=first.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A training that is to be done, or was."""

    terms: TrainingTerms
    task: tasks.Task

    def begun(self) -> bool:
        """Say whether there is a checkpoint to go on from."""
        return (self.task.folder / tasks.LAST).is_file()

    def history(self) -> tuple[Epoch, ...]:
        """Return the epochs that are done."""
        return fit.history(self.task.folder) if self.begun() else ()


def run_shortcuts(
    request: Request, protocol: Protocol, catalogue: Catalogue, processes: Processes, voice: Voice
) -> list[Path]:
    """Judge every shortcut model by ``protocol``, fitted on its train part; return the runs.

    ``request`` says where and how; its model is not looked at. What was done before is not done
    again, and only what is new is told.
    """
    folders = []
    quiet = replace(voice, note=lambda said: None)  # noqa: ARG005
    for name in auditing.shortcuts(catalogue):
        job = Job(replace(request, model=name), catalogue, processes, quiet)
        terms = job.terms(protocol)
        found = job.chosen_weights(None, protocol)
        folder = job.score(terms, job.train(found) if isinstance(found, Training) else found)
        if folder is not None:
            folders.append(folder)
    return folders
