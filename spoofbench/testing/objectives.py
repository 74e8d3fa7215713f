"""The contract of objectives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from spoofbench.contracts import JudgingObjective, Objective
from spoofbench.devices import evaluating
from spoofbench.specs import ObjectiveSpec
from spoofbench.testing.clauses import Broken, Check, NotApplicable, close, state_untouched
from spoofbench.trials import Trial

WIDTH = 6
TRIALS = tuple(
    Trial(
        utterance=f"U{number}",
        speaker=f"S{number % 3}",
        attack="-" if number % 2 else "A01",
        bonafide=bool(number % 2),
        audio=f"U{number}.flac",
    )
    for number in range(6)
)
"""Of three speakers, each with both keys."""
BONAFIDE = torch.tensor([trial.bonafide for trial in TRIALS])
STEP = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSubject:
    """An objective's spec, and how one is made for embeddings of `WIDTH` and for trials."""

    spec: ObjectiveSpec
    make: Callable[[Sequence[Trial]], nn.Module]

    def made(self, trials: Sequence[Trial] = TRIALS) -> nn.Module:
        """Make it, each time from the same random state."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.make(trials).eval()

    def judging(self) -> nn.Module:
        """Make it; raise `NotApplicable` if it does not judge."""
        if not self.spec.judges:
            raise NotApplicable("it does not judge (ObjectiveSpec.judges)")
        return self.made()


def embeddings() -> Tensor:
    """Return one embedding for each of the trials, ``(6, WIDTH)``."""
    return torch.randn(len(TRIALS), WIDTH, generator=torch.Generator().manual_seed(1))


def losses(objective: nn.Module, embedded: Tensor, bonafide: Tensor = BONAFIDE) -> Tensor:
    """Return the losses of ``embedded``, which are those of the first trials."""
    return cast(Objective, objective).loss(embedded, bonafide, TRIALS[: len(embedded)])


def scores(objective: nn.Module, embedded: Tensor) -> Tensor:
    """Return the scores of ``embedded``, without gradients."""
    with evaluating(objective):
        return cast(JudgingObjective, objective).score(embedded)


def losses_are_one_for_each_utterance(subject: ObjectiveSubject) -> None:
    """Each utterance has one finite loss, ``(batch,)``, with a gradient for its embedding."""
    embedded = embeddings().requires_grad_()
    given = losses(subject.made(), embedded)
    if tuple(given.shape) != (len(TRIALS),):
        raise Broken(f"losses ({len(TRIALS)},)", f"{tuple(given.shape)}", "Use reduction='none'.")
    if not torch.isfinite(given).all():
        raise Broken("finite losses", f"{given.tolist()}", "Guard logarithms and divisions.")
    if given.requires_grad:
        given.sum().backward()  # type: ignore[no-untyped-call]
    if embedded.grad is None or not embedded.grad.abs().sum() > 0:
        raise Broken("a gradient for the embeddings", "none", "Is the loss detached from them?")


def losses_hang_on_no_other_utterance(subject: ObjectiveSubject) -> None:
    """The loss of an utterance does not hang on the others of its batch."""
    objective, embedded = subject.made(), embeddings()
    together = losses(objective, embedded)
    alone = torch.cat(
        [
            cast(Objective, objective).loss(embedded[n : n + 1], BONAFIDE[n : n + 1], [trial])
            for n, trial in enumerate(TRIALS)
        ]
    )
    if not close(together, alone):
        raise Broken(
            f"{alone.tolist()} as when each is alone",
            f"{together.tolist()} in a batch",
            "A batch may come in parts: take no means over it.",
        )


def odd_embeddings_are_survived(subject: ObjectiveSubject) -> None:
    """Embeddings of zeros, and large ones, have finite losses and gradients."""
    objective = subject.made()
    for name, odd in (("zeros", 0 * embeddings()), ("large embeddings", 1e4 * embeddings())):
        given = losses(objective, odd.requires_grad_())
        (gradient,) = torch.autograd.grad(given.sum(), odd)
        if not (torch.isfinite(given).all() and torch.isfinite(gradient).all()):
            raise Broken(
                f"finite losses and gradients for {name}",
                f"losses {given.tolist()}",
                "Guard divisions by a length.",
            )


def embeddings_are_not_written_into(subject: ObjectiveSubject) -> None:
    """The embeddings are as they were after loss and score."""
    objective, embedded = subject.made(), embeddings()
    with torch.no_grad():
        losses(objective, embedded)
        if subject.spec.judges:
            scores(objective, embedded)
    if not torch.equal(embedded, embeddings()):
        raise Broken("the embeddings untouched", "changed ones", "Copy before writing.")


def global_state_is_left_alone(subject: ObjectiveSubject) -> None:
    """Making it and its loss leave threads, dtype, gradients and random states as they were."""
    with state_untouched():
        losses(subject.made(), embeddings())


def scores_are_one_finite_number_for_each_utterance(subject: ObjectiveSubject) -> None:
    """One that judges gives each embedding one finite score: ``(batch,)``."""
    given = scores(subject.judging(), embeddings())
    if tuple(given.shape) != (len(TRIALS),) or not torch.isfinite(given).all():
        raise Broken(
            f"finite scores ({len(TRIALS)},)",
            f"{tuple(given.shape)}: {given.tolist()}",
            "Return one number for each row.",
        )


def learning_raises_the_score_of_bona_fide(subject: ObjectiveSubject) -> None:
    """Learning that an embedding is bona fide, and not spoof, raises its score."""
    objective, embedded = subject.judging(), embeddings()[:2].requires_grad_()
    first, other = torch.tensor([True, False]), torch.tensor([False, True])
    apart = losses(objective, embedded, other).sum() - losses(objective, embedded, first).sum()
    (uphill,) = torch.autograd.grad(apart, embedded)
    before, after = (
        float(given[0] - given[1])
        for given in (
            scores(objective, embedded.detach()),
            scores(objective, embedded.detach() + STEP * uphill / uphill.norm().clamp(min=1e-12)),
        )
    )
    if not after > before:
        raise Broken(
            f"the first to gain on the second, from a lead of {before:.6g}",
            f"a lead of {after:.6g} after a step that calls it bona fide",
            "Higher must mean bona fide: is the sign or the label turned round?",
        )


def what_judges_needs_no_trials(subject: ObjectiveSubject) -> None:
    """One that judges is made without trials too, and its tensors find their places there."""
    trained = subject.judging()
    for tensor in (t for t in trained.state_dict().values() if t.is_floating_point()):
        tensor.mul_(1.5).add_(0.1)
    to_score = subject.made(())
    names = [{n: tuple(t.shape) for n, t in o.state_dict().items()} for o in (trained, to_score)]
    if names[0] != names[1]:
        raise Broken(
            f"{names[0]} without trials too",
            f"{names[1]}",
            "Let what it learns hang on width and options alone: it is made again to score.",
        )
    to_score.load_state_dict(trained.state_dict())
    before, after = scores(trained, embeddings()), scores(to_score, embeddings())
    if not close(before, after, 1e-6):
        raise Broken(
            f"scores {before.tolist()}",
            f"{after.tolist()} after saving and loading",
            "Register everything that is learned as a parameter or a buffer.",
        )


CLAUSES: tuple[Check, ...] = (
    losses_are_one_for_each_utterance,
    losses_hang_on_no_other_utterance,
    odd_embeddings_are_survived,
    embeddings_are_not_written_into,
    global_state_is_left_alone,
    scores_are_one_finite_number_for_each_utterance,
    learning_raises_the_score_of_bona_fide,
    what_judges_needs_no_trials,
)
