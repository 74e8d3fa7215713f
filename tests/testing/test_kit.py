"""Every clause of every contract catches what it is there for: sabotaged toys must fail it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spoofbench.contracts import Context
from spoofbench.errors import UnknownName
from spoofbench.plugins import catalogue
from spoofbench.specs import (
    AugmentationSpec,
    MetricSpec,
    ModelSpec,
    ObjectiveSpec,
    ReporterSpec,
    TrackerSpec,
)
from spoofbench.testing import (
    augmentations,
    kit,
    metrics,
    models,
    objectives,
    parametrize_contract,
    reporters,
    trackers,
)
from spoofbench.testing.clauses import Broken, Check, NotApplicable

SHORTEST = 400


class Good(nn.Module):
    """A model that keeps every clause."""

    said = 4

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        rows = [own[:length] for own, length in zip(audio, lengths.tolist(), strict=True)]
        features = torch.stack(
            [torch.stack([r.abs().mean(), r.std(), r.diff().abs().mean()]) for r in rows]
        )
        return self.layer(10 * features).squeeze(1)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(
            self.score(audio, lengths), bonafide.float(), reduction="none"
        )


class Embeds(Good):
    width = 1

    def embed(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return self.score(audio, lengths)[:, None]

    def judge(self, embedded: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(embedded), embedded], dim=1)


class JudgesTheOtherWay(Embeds):
    def judge(self, embedded: Tensor) -> Tensor:
        return super().judge(embedded).flip(1)


class SaysAnotherWidth(Embeds):
    width = 3


class TwoColumns(Good):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return super().score(audio, lengths)[:, None].expand(-1, 2)


class Infinite(Good):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return super().score(audio, lengths) / 0


class Batched(Good):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        given = super().score(audio, lengths)
        return given - given.mean()


class HearsPadding(Good):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return super().score(audio, torch.full_like(lengths, audio.shape[1]))


class Random(Good):
    def __init__(self) -> None:
        super().__init__()
        self.own = torch.Generator().manual_seed(0)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return super().score(audio, lengths) + torch.rand(1, generator=self.own)


class MadeAtRandom(Good):
    count = 0

    def __init__(self) -> None:
        super().__init__()
        MadeAtRandom.count += 1
        self.offset = float(MadeAtRandom.count)

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return super().score(audio, lengths) + self.offset


class Writes(Good):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        audio -= audio.mean()
        return super().score(audio, lengths)


class Draws(Good):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        torch.rand(1)
        return super().score(audio, lengths)


class NotANumberForSilence(Good):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return super().score(audio, lengths) + 0 * audio.square().mean(dim=1).log()


class FailsForTheShortest(Good):
    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        if audio.shape[1] <= SHORTEST:
            raise RuntimeError("kernel size cannot be greater than input")
        return super().score(audio, lengths)


class ForgetsWeights(Good):
    def load_state_dict(self, *args: Any, **said: Any) -> None:
        """Load nothing."""


class OneLoss(Good):
    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return super().loss(audio, lengths, bonafide).mean()


class Detached(Good):
    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return super().loss(audio, lengths, bonafide).detach() + 0 * self.layer.weight.sum()


class Flipped(Good):
    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return super().loss(audio, lengths, ~bonafide)


class FlippedFit(nn.Module):
    sign = -1.0

    def features(self, audio: Tensor, lengths: Tensor) -> list[Tensor]:
        return list((audio.abs().sum(dim=1) / lengths)[:, None, None])

    def fit(self, features: Tensor, bonafide: Tensor) -> None:
        self.lead = features[bonafide].mean() - features[~bonafide].mean()

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        lead = getattr(self, "lead", torch.tensor(1.0))
        return self.sign * lead.sign() * torch.cat(self.features(audio, lengths)).squeeze(1)


class Fast(Good):
    error = 0.01

    def optimise(self, dtype: torch.dtype) -> nn.Module:
        whole = self

        class Faster(nn.Module):
            def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
                return whole.score(audio, lengths) + whole.error

        return Faster()


class Loses(Good):
    def rename_published(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        return dict(list(state.items())[:1])


class Larger(Good):
    said = 5


class Nothing:
    pass


def subject(make: Callable[[], Any], **said: Any) -> models.ModelSubject:
    usual = {"name": "toy", "target": "a:b", "summary": "", "min_samples": SHORTEST}
    usual["parameters"] = getattr(make, "said", 0)
    return models.ModelSubject(spec=ModelSpec(**(usual | said)), make=make)


MODELS: list[tuple[Check, type]] = [
    (models.gives_one_finite_score_for_each_utterance, TwoColumns),
    (models.gives_one_finite_score_for_each_utterance, Infinite),
    (models.gives_one_finite_score_for_each_utterance, Nothing),
    (models.scores_hang_on_no_other_utterance, Batched),
    (models.padding_is_not_heard, HearsPadding),
    (models.scores_are_the_same_again, Random),
    (models.it_is_the_same_whenever_it_is_made, MadeAtRandom),
    (models.audio_is_not_written_into, Writes),
    (models.global_state_is_left_alone, Draws),
    (models.odd_audio_is_survived, NotANumberForSilence),
    (models.odd_audio_is_survived, FailsForTheShortest),
    (models.it_is_as_large_as_it_says, Larger),
    (models.weights_survive_saving, ForgetsWeights),
    (models.losses_are_one_for_each_utterance, OneLoss),
    (models.losses_are_one_for_each_utterance, Detached),
    (models.judging_embeddings_gives_the_loss, JudgesTheOtherWay),
    (models.judging_embeddings_gives_the_loss, SaysAnotherWidth),
    (models.learning_raises_the_score_of_bona_fide, Flipped),
    (models.fitting_raises_the_score_of_bona_fide, FlippedFit),
    (models.the_faster_way_gives_the_same_scores, Fast),
    (models.published_names_keep_every_tensor, Loses),
]


@pytest.mark.parametrize(
    ("clause", "sabotaged"), MODELS, ids=[f"{c.__name__}-{m.__name__}" for c, m in MODELS]
)
def test_a_sabotaged_model_breaks_the_clause(clause: Check, sabotaged: type):
    with pytest.raises(Broken) as broken:
        clause(subject(sabotaged))
    assert broken.value.expected
    assert broken.value.do.endswith((".", "?"))


def test_every_clause_about_models_is_proven():
    assert {clause for clause, _ in MODELS} == set(models.CLAUSES)


@pytest.mark.parametrize("clause", models.CLAUSES, ids=lambda clause: clause.__name__)
def test_a_good_model_breaks_no_clause(clause: Check):
    class Right(FlippedFit):
        sign = 1.0

    for make in (Good, Embeds, Right):
        with contextlib.suppress(NotApplicable):
            clause(subject(make))


def shifted(audio: Tensor, level: float, context: Context) -> Tensor:
    return audio + 0.01 * torch.randn(len(audio), generator=context.random)


def augmentation(apply: Callable[..., Tensor], **said: Any) -> augmentations.AugmentationSubject:
    class Made:
        def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
            return apply(audio, level, context)

    if "apply_batch" in said:
        batch = said.pop("apply_batch")
        Made.apply_batch = lambda self, *args: batch(*args)  # type: ignore[attr-defined]
    spec = AugmentationSpec(name="toy", target="a:b", summary="", unit="dB", levels=(1.0,), **said)
    return augmentations.AugmentationSubject(spec=spec, make=Made)


def written(audio: Tensor, level: float, context: Context) -> Tensor:
    audio += 0.1
    return audio.clone()


AUGMENTATIONS: list[tuple[Check, Callable[..., Tensor]]] = [
    (augmentations.audio_keeps_its_form, lambda a, level, c: a[:-1]),
    (augmentations.audio_keeps_its_form, lambda a, level, c: a.double()),
    (augmentations.audio_keeps_its_form, lambda a, level, c: a / 0),
    (augmentations.the_same_draws_give_the_same_audio, lambda a, level, c: a + torch.rand(1)),
    (augmentations.something_is_done, lambda a, level, c: a.clone()),
    (augmentations.the_input_is_not_written_into, written),
    (augmentations.global_state_is_left_alone, lambda a, level, c: a + 0 * torch.rand(1)),
    (augmentations.silence_is_survived_or_refused, lambda a, level, c: a / a.abs().max()),
]


@pytest.mark.parametrize(("clause", "apply"), AUGMENTATIONS)
def test_a_sabotaged_augmentation_breaks_the_clause(clause: Check, apply: Callable[..., Tensor]):
    with pytest.raises(Broken):
        clause(augmentation(apply))


def test_a_batch_that_is_done_otherwise_is_caught():
    wrong = augmentation(shifted, apply_batch=lambda audio, level, contexts: 2 * audio)
    with pytest.raises(Broken):
        augmentations.a_batch_is_done_as_one_by_one(wrong)


def test_every_clause_about_augmentations_is_proven():
    proven = {clause for clause, _ in AUGMENTATIONS}
    assert proven | {augmentations.a_batch_is_done_as_one_by_one} == set(augmentations.CLAUSES)


class Centre(nn.Module):
    """An objective that keeps every clause."""

    judges = True

    def __init__(self, trials: Any) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.randn(objectives.WIDTH))

    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Any) -> Tensor:
        return nn.functional.softplus(torch.where(bonafide, -1, 1) * self.score(embedded))

    def score(self, embedded: Tensor) -> Tensor:
        return -(embedded - self.centre).square().sum(dim=1) / 100


class MeanLoss(Centre):
    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Any) -> Tensor:
        return super().loss(embedded, bonafide, trials).mean()


class Cut(Centre):
    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Any) -> Tensor:
        return super().loss(embedded.detach(), bonafide, trials)


class Compares(Centre):
    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Any) -> Tensor:
        return super().loss(embedded - embedded.mean(dim=0), bonafide, trials)


class Divides(Centre):
    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Any) -> Tensor:
        length = embedded.square().sum(dim=1, keepdim=True).sqrt()
        return super().loss(embedded / length, bonafide, trials)


class WritesEmbeddings(Centre):
    def score(self, embedded: Tensor) -> Tensor:
        return super().score(embedded.data.mul_(2))


class DrawsInLoss(Centre):
    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Any) -> Tensor:
        return super().loss(embedded, bonafide, trials) + 0 * torch.rand(1)


class TwoScores(Centre):
    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Any) -> Tensor:
        return -embedded.sum(dim=1)

    def score(self, embedded: Tensor) -> Tensor:
        return embedded[:, :2]


class TurnedRound(Centre):
    def loss(self, embedded: Tensor, bonafide: Tensor, trials: Any) -> Tensor:
        return super().loss(embedded, ~bonafide, trials)


class ByTrials(Centre):
    def __init__(self, trials: Any) -> None:
        super().__init__(trials)
        self.head = nn.Linear(objectives.WIDTH, 1 + len(trials))


class ForgetsItsCentre(Centre):
    def __init__(self, trials: Any) -> None:
        super().__init__(trials)
        self.shift = float(len(trials))

    def score(self, embedded: Tensor) -> Tensor:
        return super().score(embedded) + self.shift


def objective(make: type[Centre]) -> objectives.ObjectiveSubject:
    spec = ObjectiveSpec(name="toy", target="a:b", summary="", judges=True)
    return objectives.ObjectiveSubject(spec=spec, make=make)


OBJECTIVES: list[tuple[Check, type[Centre]]] = [
    (objectives.losses_are_one_for_each_utterance, MeanLoss),
    (objectives.losses_are_one_for_each_utterance, Cut),
    (objectives.losses_hang_on_no_other_utterance, Compares),
    (objectives.odd_embeddings_are_survived, Divides),
    (objectives.embeddings_are_not_written_into, WritesEmbeddings),
    (objectives.global_state_is_left_alone, DrawsInLoss),
    (objectives.scores_are_one_finite_number_for_each_utterance, TwoScores),
    (objectives.learning_raises_the_score_of_bona_fide, TurnedRound),
    (objectives.what_judges_needs_no_trials, ByTrials),
    (objectives.what_judges_needs_no_trials, ForgetsItsCentre),
]


@pytest.mark.parametrize(("clause", "sabotaged"), OBJECTIVES)
def test_a_sabotaged_objective_breaks_the_clause(clause: Check, sabotaged: type[Centre]):
    with pytest.raises(Broken):
        clause(objective(sabotaged))


@pytest.mark.parametrize("clause", objectives.CLAUSES)
def test_a_good_objective_breaks_no_clause(clause: Check):
    clause(objective(Centre))


def test_every_clause_about_objectives_is_proven():
    assert {clause for clause, _ in OBJECTIVES} == set(objectives.CLAUSES)


def metric(compute: Callable[..., Any], **said: Any) -> metrics.MetricSubject:
    spec = MetricSpec(name="toy", target="a:b", summary="", title="T", **said)
    return metrics.MetricSubject(spec=spec, metric=compute)


def overlap(judged: Any) -> float:
    return float((judged.bonafide[:, None] <= judged.spoof).mean())


def writing(judged: Any) -> float:
    judged.bonafide.flags.writeable = True
    np.add(judged.bonafide, 1, out=judged.bonafide)
    return overlap(judged)


METRICS: list[tuple[Check, Callable[..., Any], dict[str, Any]]] = [
    (metrics.it_is_a_finite_float, lambda j: float("nan"), {}),
    (metrics.it_is_a_finite_float, lambda j: np.zeros(1), {}),
    (metrics.it_is_a_finite_float, lambda j: 100 * overlap(j) + 1, {"percent": True}),
    (metrics.better_separation_is_no_worse, lambda j: 1 - overlap(j), {}),
    (metrics.better_separation_is_no_worse, overlap, {"higher_is_better": True}),
    (metrics.scores_are_not_written_into, writing, {}),
    (metrics.ties_are_survived, lambda j: overlap(j) + 0 / float(np.ptp(j.spoof) or np.nan), {}),
]


@pytest.mark.parametrize(("clause", "compute", "said"), METRICS)
def test_a_sabotaged_metric_breaks_the_clause(
    clause: Check, compute: Callable[..., Any], said: dict[str, Any]
):
    with pytest.raises((Broken, ValueError)):
        clause(metric(compute, **said))


def test_every_clause_about_metrics_is_proven():
    assert {clause for clause, _, _ in METRICS} == set(metrics.CLAUSES)


def reporter(write: Callable[..., None]) -> reporters.ReporterSubject:
    spec = ReporterSpec(name="toy", target="a:b", summary="")
    return reporters.ReporterSubject(spec=spec, reporter=write)


def plain(tables: Any, stream: Any) -> None:
    for table in tables:
        stream.write(f"{table.title} {' '.join(table.stamps)}\n")
        for row in table.rows:
            stream.write(f"{row.run} {row.group} {row.values['eer']:.4f}\n")


def without_stamps(tables: Any, stream: Any) -> None:
    for table in tables:
        for row in table.rows:
            stream.write(f"{row.run} {row.group} {row.values['eer']:.4f}\n")


def counting(tables: Any, stream: Any, count: list[int] = []) -> None:  # noqa: B006
    count.append(1)
    stream.write(f"{len(count)}\n")
    plain(tables, stream)


REPORTERS: list[tuple[Check, Callable[..., None]]] = [
    (reporters.every_run_and_number_is_there, lambda t, s: plain([], s)),
    (reporters.every_run_and_number_is_there, lambda t, s: s.close()),
    (reporters.stamps_are_there, without_stamps),
    (reporters.odd_names_and_missing_numbers_are_survived,
     lambda t, s: s.write(str(int(t[0].rows[4].values["eer"])))),
    (reporters.several_tables_and_none_are_survived, lambda t, s: plain(t[:1], s)),
    (reporters.the_same_is_written_again, counting),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "write"), REPORTERS)
def test_a_sabotaged_reporter_breaks_the_clause(clause: Check, write: Callable[..., None]):
    with pytest.raises((Broken, ValueError)):
        clause(reporter(write))


@pytest.mark.parametrize("clause", reporters.CLAUSES)
def test_a_good_reporter_breaks_no_clause(clause: Check):
    clause(reporter(plain))


def test_every_clause_about_reporters_is_proven():
    assert {clause for clause, _ in REPORTERS} == set(reporters.CLAUSES)


class Log:
    """A tracker that keeps every clause."""

    def __init__(self, folder: Path, terms: Any) -> None:
        self.folder = folder / "log"
        self.folder.mkdir(exist_ok=True)

    def epoch(self, epoch: Any) -> None:
        (self.folder / f"{epoch.epoch}.txt").write_text(str(epoch.loss))

    def end(self, record: Any) -> None:
        (self.folder / "end.txt").write_text(str(record.best_dev_eer))


class WantsAModel(Log):
    def __init__(self, folder: Path, terms: Any) -> None:
        super().__init__(folder, terms)
        terms.weights.keys()


class TakesNoEpochAgain(Log):
    def epoch(self, epoch: Any) -> None:
        (self.folder / f"{epoch.epoch}.txt").touch(exist_ok=False)


class NeedsAnEpoch(Log):
    def end(self, record: Any) -> None:
        (self.folder / "1.txt").rename(self.folder / "last.txt")


class AppendsToTheCsv(Log):
    def epoch(self, epoch: Any) -> None:
        with (self.folder.parent / "epochs.csv").open("a") as file:
            file.write("again\n")


class WritesBeside(Log):
    def end(self, record: Any) -> None:
        (self.folder.parents[1] / "all.csv").write_text("")


class DrawsAName(Log):
    def epoch(self, epoch: Any) -> None:
        torch.rand(1)


TRACKERS: list[tuple[Check, type]] = [
    (trackers.a_training_is_logged_to_its_end, WantsAModel),
    (trackers.a_training_that_goes_on_is_logged_on, TakesNoEpochAgain),
    (trackers.a_training_without_epochs_is_logged, NeedsAnEpoch),
    (trackers.what_the_training_keeps_is_left_alone, AppendsToTheCsv),
    (trackers.what_the_training_keeps_is_left_alone, WritesBeside),
    (trackers.the_process_is_left_alone, DrawsAName),
]


def tracker(make: type) -> trackers.TrackerSubject:
    spec = TrackerSpec(name="toy", target="a:b", summary="")
    return trackers.TrackerSubject(spec=spec, make=make)


@pytest.mark.parametrize(("clause", "sabotaged"), TRACKERS)
def test_a_sabotaged_tracker_breaks_the_clause(clause: Check, sabotaged: type):
    with pytest.raises((Broken, OSError, AttributeError)):
        clause(tracker(sabotaged))


@pytest.mark.parametrize("clause", trackers.CLAUSES)
def test_a_good_tracker_breaks_no_clause(clause: Check):
    clause(tracker(Log))


def test_every_clause_about_trackers_is_proven():
    assert {clause for clause, _ in TRACKERS} == set(trackers.CLAUSES)


@pytest.mark.parametrize("kind", kit.KINDS)
def test_every_clause_is_a_sentence(kind: str):
    shelf = getattr(catalogue(), f"{kind}s")
    clauses = kit.clauses_of(kind, next(iter(shelf)))
    assert clauses
    assert all(clause.sentence and not clause.sentence.endswith(".") for clause in clauses)
    assert len({clause.name for clause in clauses}) == len(clauses)


def test_an_unknown_kind_is_refused():
    with pytest.raises(UnknownName, match="no contract for 'teapot'"):
        parametrize_contract("teapot", "aasist")


@parametrize_contract("metric", "eer")
def test_a_plugin_s_own_tests_may_use_it(clause: kit.Clause):
    clause.check()


RATE = 16_000
METRIC_NAMES = [offer.spec.name for offer in catalogue().metrics]
OBJECTIVE_NAMES = [offer.spec.name for offer in catalogue().objectives]
REPORTER_NAMES = [offer.spec.name for offer in catalogue().reporters]
MODEL_NAMES = [
    offer.spec.name
    for offer in catalogue().models
    if offer.plugin.distribution == "spoofbench" and not offer.spec.name.startswith("ssl-")
]
"""Those on pretrained front ends take long to make: tests/plugins/ssl has a small one."""


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("metric", name) for name in METRIC_NAMES),
        *(("objective", name) for name in OBJECTIVE_NAMES),
        *(("reporter", name) for name in REPORTER_NAMES),
        *(("model", name) for name in MODEL_NAMES),
    ],
)
def test_what_comes_along_keeps_its_contract(kind: str, name: str):
    """Models that can hear one second of the four that they are scored on: for time."""
    offer = getattr(catalogue(), f"{kind}s").get(name)
    if kind == "model" and offer.spec.samples and offer.spec.min_samples <= RATE:
        offer = replace(offer, spec=replace(offer.spec, samples=RATE))
    broken = [v for v in kit.verdicts(kind, offer) if v.outcome == "broken"]
    assert [f"{v.clause}: {v.said}" for v in broken] == []


AUGMENTATION_NAMES = [o.spec.name for o in catalogue().augmentations if not o.spec.source]


@pytest.mark.parametrize("name", AUGMENTATION_NAMES)
def test_augmentations_keep_their_contract(name: str):
    offer = catalogue().augmentations.get(name)
    broken = [v for v in kit.verdicts("augmentation", offer) if v.outcome == "broken"]
    assert [f"{v.clause}: {v.said}" for v in broken] == []
