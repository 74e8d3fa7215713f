"""What a training will be, put together and checked before anything is learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spoofbench import weights
from spoofbench.contracts import ClosedForm, Countermeasure, PretrainedPart
from spoofbench.errors import InvalidRecipe
from spoofbench.jobs.job import Job
from spoofbench.protocols import Protocol
from spoofbench.robustness.pool import POOL_BYTES, SpeechPool
from spoofbench.robustness.ranges import parse_ranges
from spoofbench.specs import ModelSpec
from spoofbench.terms import Terms
from spoofbench.training import fit, tasks, trainings
from spoofbench.training.aims import aims_of
from spoofbench.training.augmenting import Augmenter
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.recipe import Recipe, recipe_for
from spoofbench.training.trainings import PartRecord, TrainingTerms


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


def training_of(
    job: Job,
    train: Protocol,
    dev: Protocol,
    *,
    given: str | None = None,
    recipe_file: str | None = None,
    changes: Mapping[str, Any] | None = None,
    paper_selection: bool = False,
) -> Training:
    """Put together what training on ``train``, chosen by ``dev``, will be.

    ``given`` is the corpus whose folder --data names; None for that of ``train``. Raises what
    stands in the way: `InvalidRecipe`, `CorpusNotFound`, `InvalidCondition`, ...
    """
    given = given or train.data.corpus
    tasks.check_role(train, "trained on")
    if not paper_selection:
        tasks.check_role(dev, "chosen by")
    request, spec, model = job.request, job.spec, job.model()
    recipe = _recipe(spec, model, train, recipe_file, changes or {})
    start = weights.find(spec, recipe.start, option="start") if recipe.start else None
    on, by = job.terms(train, given=given), job.terms(dev, given=given)
    tasks.check(on, by, recipe, paper_selection=paper_selection)
    aims = aims_of(
        recipe,
        model,
        spec.name,
        on,
        job.catalogue,
        spec.sample_rate,
        min_samples=spec.min_samples,
    )
    terms = TrainingTerms(
        model=job.record(),
        train=PartRecord(protocol=train.name, fingerprint=on.fingerprint),
        dev=PartRecord(protocol=dev.name, fingerprint=by.fingerprint),
        recipe=recipe,
        start=start.sha256 if start else "",
        teacher=aims.teacher.sha256 if aims and aims.teacher else "",
        seed=request.seed,
        precision=request.precision,
        device=job.device.type,
        compiler=request.compiler,
        micro_batch=request.micro_batch,
        processes=job.processes.count,
    )
    task = tasks.Task(
        model_name=spec.name,
        identity=terms.but_for_seed(),
        train=on,
        dev=by,
        recipe=recipe,
        seed=request.seed,
        options=job.options(by.root, recipe.samples),
        folder=trainings.folder_for(request.out, terms),
        start=start,
        augmenter=_augmenter(job, recipe, on),
        aims=aims,
        micro_batch=request.micro_batch,
        keep=request.keep,
        checkpoint_seconds=60 * request.checkpoint_every,
        compiler=request.compiler,
        processes=job.processes,
        note=job.voice.note,
    )
    return Training(terms=terms, task=task)


def _recipe(
    spec: ModelSpec,
    model: Countermeasure,
    train: Protocol,
    file: str | None,
    changes: Mapping[str, Any],
) -> Recipe:
    """Return how the model is trained; one that is fitted at once has no steps to change."""
    if not isinstance(model, ClosedForm):
        recipe = recipe_for(spec, corpus=train.training, file=file, options=changes)
        if isinstance(model, PretrainedPart) and not recipe.start:
            raise InvalidRecipe(
                f"{spec.name} is trained from published weights of a part of it, and the "
                "recipe does not say where they are",
                hint=f"spoofbench train {spec.name} --start FILE ({spec.source} "
                "describes them; docs/reference/models.md says where they are)",
            )
        return recipe
    if file is not None or changes:
        raise InvalidRecipe(
            f"{spec.name} is fitted at once, so no recipe changes it",
            hint="leave out --recipe and --set",
        )
    return Recipe(batch_size=1, epochs=1, samples=spec.samples)


def _augmenter(job: Job, recipe: Recipe, on: Terms) -> Augmenter | None:
    """Return what the recipe's conditions stand for. Raises what makes one impossible."""
    if not recipe.augment:
        return None
    cache = job.options(on.root, None).cache(POOL_BYTES)
    augmenter = Augmenter(
        conditions=[parse_ranges(text, job.catalogue) for text in recipe.augment],
        share=recipe.augment_share,
        seed=job.request.seed,
        rate=job.spec.sample_rate,
        pool=SpeechPool.of(on.trials, cache, seed=job.request.seed),
    )
    augmenter.ready()
    return augmenter
