"""The contract of models."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoofbench.contracts import (
    ClosedForm,
    Countermeasure,
    Embedding,
    Optimisable,
    PublishedNames,
    Trainable,
)
from spoofbench.devices import evaluating
from spoofbench.specs import ModelSpec
from spoofbench.testing.clauses import Broken, Check, NotApplicable, clip, close, state_untouched

SECONDS = 2.0
STEP = 1e-4
"""How far a step goes, relative to the size of the parameters."""
BOUND = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSubject:
    """A model's spec, and how one is made: each time from the same random state."""

    spec: ModelSpec
    make: Callable[[], Any]

    def made(self) -> Countermeasure:
        """Make the model, in evaluation mode; raise `Broken` unless it has a score."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = self.make()
        if not isinstance(model, Countermeasure):
            raise Broken(
                "an object with score(audio, lengths)",
                f"a {type(model).__name__} without it",
                "Give the model a method score.",
            )
        if isinstance(model, nn.Module):
            model.eval()
        return model

    def trainable(self) -> Trainable:
        """Make the model; raise `NotApplicable` if it cannot be trained."""
        model = self.made()
        if not isinstance(model, Trainable):
            raise NotApplicable("it has no loss()")
        if not isinstance(model, nn.Module):
            raise Broken(
                "a torch.nn.Module, since it has a loss()",
                f"a {type(model).__name__}",
                "Derive it from torch.nn.Module, so that its parameters are found.",
            )
        return model

    @property
    def samples(self) -> int:
        """The length of input that the harness gives it, or 2 s where it takes any."""
        return self.spec.samples or max(int(SECONDS * self.spec.sample_rate), self.spec.min_samples)

    def batch(self, count: int = 3) -> tuple[Tensor, Tensor]:
        """Return ``count`` clips ``(count, samples)`` and their lengths."""
        rate = self.spec.sample_rate
        rows = [
            clip(self.samples / rate + 0.1, seed=n, rate=rate)[: self.samples] for n in range(count)
        ]
        return torch.stack(rows), torch.full((count,), self.samples)


def score(model: Countermeasure, audio: Tensor, lengths: Tensor) -> Tensor:
    """Return the scores as the harness has them computed: in evaluation, without gradients."""
    with evaluating(model):
        return model.score(audio, lengths)


def gives_one_finite_score_for_each_utterance(subject: ModelSubject) -> None:
    """Each utterance gets one finite score: ``(batch,)``."""
    audio, lengths = subject.batch()
    given = score(subject.made(), audio, lengths)
    came = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
    if came != (len(audio),) or not given.is_floating_point():
        raise Broken(
            f"a tensor of floats, ({len(audio)},)",
            f"{came}" + (f" of {given.dtype}" if isinstance(given, Tensor) else ""),
            "Return one number for each row of audio, such as logits[:, 1].",
        )
    if not torch.isfinite(given).all():
        raise Broken("finite scores", f"{given.tolist()}", "Guard logarithms and divisions.")


def scores_hang_on_no_other_utterance(subject: ModelSubject) -> None:
    """The score of an utterance does not hang on the others of its batch."""
    audio, lengths = subject.batch()
    model = subject.made()
    together = score(model, audio, lengths)
    alone = torch.cat([score(model, audio[n : n + 1], lengths[n : n + 1]) for n in range(3)])
    if not close(together, alone):
        raise Broken(
            f"{alone.tolist()} as when scored alone",
            f"{together.tolist()} in a batch",
            "Normalise each utterance by itself; is a batch norm left in training mode?",
        )


def padding_is_not_heard(subject: ModelSubject) -> None:
    """Zeros behind an utterance's length do not change its score."""
    if subject.spec.samples is not None:
        raise NotApplicable("it gets utterances of one length (ModelSpec.samples)")
    audio, lengths = subject.batch(1)
    model = subject.made()
    longer = torch.cat([audio, torch.zeros(1, subject.samples // 2)], dim=1)
    plain, padded = score(model, audio, lengths), score(model, longer, lengths)
    if not close(plain, padded):
        raise Broken(
            f"{plain.tolist()} with and without zeros behind",
            f"{padded.tolist()} with",
            "Heed lengths, or give ModelSpec.samples, and the harness crops and repeats.",
        )


def scores_are_the_same_again(subject: ModelSubject) -> None:
    """The same audio gets the same score again: nothing random, nothing remembered."""
    audio, lengths = subject.batch()
    model = subject.made()
    first, again = score(model, audio, lengths), score(model, audio, lengths)
    if not torch.equal(first, again):
        raise Broken(
            f"{first.tolist()} twice",
            f"{again.tolist()} the second time",
            "Draw nothing in score(); is a dropout active in evaluation mode?",
        )


def it_is_the_same_whenever_it_is_made(subject: ModelSubject) -> None:
    """From one random state the same model is made."""
    audio, lengths = subject.batch(1)
    first, again = (score(subject.made(), audio, lengths) for _ in range(2))
    if not torch.equal(first, again):
        raise Broken(
            f"{first.tolist()} from both",
            f"{again.tolist()} from the second",
            "Draw weights from torch's own random state alone.",
        )


def audio_is_not_written_into(subject: ModelSubject) -> None:
    """The audio is as it was after scoring."""
    audio, lengths = subject.batch()
    before = audio.clone()
    score(subject.made(), audio, lengths)
    if not torch.equal(audio, before):
        raise Broken("the audio untouched", "changed samples", "Copy before writing (x = x - m).")


def global_state_is_left_alone(subject: ModelSubject) -> None:
    """Making and scoring leave threads, dtype, gradients and random states as they were."""
    audio, lengths = subject.batch(1)
    with state_untouched():
        score(subject.made(), audio, lengths)


def odd_audio_is_survived(subject: ModelSubject) -> None:
    """Short, long, silent and clipped audio get finite scores."""
    model = subject.made()
    whole = subject.batch(1)[0]
    odd = {"silent audio": torch.zeros_like(whole), "clipped audio": (50 * whole).clamp(-1, 1)}
    if subject.spec.samples is None:
        odd["the shortest audio (ModelSpec.min_samples)"] = whole[:, : subject.spec.min_samples]
        odd["long audio"] = whole.repeat(1, 5)
    for name, audio in odd.items():
        try:
            given = score(model, audio, torch.tensor([audio.shape[1]]))
        except Exception as error:
            raise Broken(
                f"a score for {name}",
                f"{type(error).__name__}: {error}",
                "Handle it, or raise ModelSpec.min_samples.",
            ) from error
        if not torch.isfinite(given).all():
            raise Broken(f"a finite score for {name}", f"{given.tolist()}", "Guard logarithms.")


def it_is_as_large_as_it_says(subject: ModelSubject) -> None:
    """It has as many parameters as its spec says."""
    if not subject.spec.parameters:
        raise NotApplicable("its spec does not say (ModelSpec.parameters)")
    model = subject.made()
    count = sum(p.numel() for p in cast(nn.Module, model).parameters())
    if count != subject.spec.parameters:
        raise Broken(
            f"{subject.spec.parameters:,} parameters", f"{count:,}", "Mend the model or its spec."
        )


def weights_survive_saving(subject: ModelSubject) -> None:
    """A model that is saved and loaded scores as before."""
    model = subject.made()
    if not isinstance(model, nn.Module) or not model.state_dict():
        raise NotApplicable("it has no weights")
    for tensor in (t for t in model.state_dict().values() if t.is_floating_point()):
        tensor.mul_(1.01)
    state = copy.deepcopy(model.state_dict())
    other = cast(nn.Module, subject.made())
    other.load_state_dict(state)
    audio, lengths = subject.batch(1)
    before = score(model, audio, lengths)
    after = score(cast(Countermeasure, other), audio, lengths)
    if not close(before, after, 1e-6):
        raise Broken(
            f"{before.tolist()} from the loaded one too",
            f"{after.tolist()}",
            "Register everything that is learned as a parameter or a buffer.",
        )


def losses_are_one_for_each_utterance(subject: ModelSubject) -> None:
    """Each utterance has one finite loss, ``(batch,)``, with a gradient."""
    model = subject.trainable()
    audio, lengths = subject.batch(2)
    module = cast(nn.Module, model).train()
    loss = model.loss(audio, lengths, torch.tensor([True, False]))
    if tuple(loss.shape) != (2,):
        raise Broken("losses (2,)", f"{tuple(loss.shape)}", "Use reduction='none'.")
    if not torch.isfinite(loss).all():
        raise Broken("finite losses", f"{loss.tolist()}", "Guard logarithms and divisions.")
    loss.sum().backward()  # type: ignore[no-untyped-call]
    reached = [p for p in module.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    if not reached:
        raise Broken(
            "a gradient for some parameter", "none", "Is the loss detached from the parameters?"
        )


def judging_embeddings_gives_the_loss(subject: ModelSubject) -> None:
    """The loss is the cross entropy of what judge() says of what embed() gives."""
    model = subject.trainable()
    if not isinstance(model, Embedding):
        raise NotApplicable("it has no embed() and judge()")
    audio, lengths = subject.batch(2)
    bonafide = torch.tensor([True, False])
    with evaluating(model):
        embedded = model.embed(audio, lengths)
        logits = model.judge(embedded)
        own = model.loss(audio, lengths, bonafide)
    shapes = tuple(embedded.shape), tuple(logits.shape)
    if shapes != ((2, model.width), (2, 2)):
        raise Broken(
            f"embeddings (2, {model.width}) and logits (2, 2)",
            f"{shapes[0]} and {shapes[1]}",
            "Mend width, embed() or judge().",
        )
    entropy = functional.cross_entropy(logits, bonafide.long(), reduction="none")
    if not close(own, entropy, BOUND):
        raise Broken(
            f"losses {entropy.tolist()}",
            f"{own.tolist()}",
            "Logits are those of spoof and bona fide, in this order; loss is their cross entropy.",
        )


def learning_raises_the_score_of_bona_fide(subject: ModelSubject) -> None:
    """Learning that a clip is bona fide, and not spoof, raises its score.

    The parameters are moved a little down the difference of both losses, in evaluation mode: a
    batch norm over two clips, or a dropout, would let the scores jump.
    """
    model = subject.trainable()
    audio, lengths = subject.batch(2)
    module = cast(nn.Module, model).eval()
    parameters = [p for p in module.parameters() if p.requires_grad]

    def drawn_alike(work: Callable[[], Tensor]) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return work()

    def loss(bonafide: Tensor) -> Tensor:
        return drawn_alike(lambda: model.loss(audio, lengths, bonafide).sum())

    def lead() -> float:
        with torch.no_grad():
            given = drawn_alike(lambda: model.score(audio, lengths))
        return float(given[0].double() - given[1].double())

    before = lead()
    apart = loss(torch.tensor([False, True])) - loss(torch.tensor([True, False]))
    uphill = torch.autograd.grad(apart, parameters, allow_unused=True)
    size = sum(float(p.detach().square().sum()) for p in parameters) ** 0.5
    slope = sum(float(g.square().sum()) for g in uphill if g is not None) ** 0.5
    factor = STEP * size / max(slope, 1e-12)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, uphill, strict=True):
            if gradient is not None:
                parameter.add_(factor * gradient)
    after = lead()
    if not after > before:
        raise Broken(
            f"the first clip to gain on the second, from a lead of {before:.6g}",
            f"a lead of {after:.6g} after a step that calls it bona fide",
            "Higher must mean bona fide: is the sign or the label turned round?",
        )


def fitting_raises_the_score_of_bona_fide(subject: ModelSubject) -> None:
    """A model that is fitted at once scores bona fide higher on what it was fitted to."""
    model = subject.made()
    if not isinstance(model, ClosedForm):
        raise NotApplicable("it has no fit()")
    audio, lengths = subject.batch(8)
    bonafide = torch.arange(8) % 2 == 0
    lengths = torch.where(bonafide, lengths, lengths // 2)
    audio = torch.where(bonafide[:, None], audio, 0.1 * audio)
    audio = audio * (torch.arange(audio.shape[1]) < lengths[:, None])
    measured = model.features(audio, lengths)
    counts = torch.tensor([len(vectors) for vectors in measured])
    model.fit(torch.cat(list(measured)), bonafide.repeat_interleave(counts))
    given = score(model, audio, lengths)
    if not given[bonafide].mean() > given[~bonafide].mean():
        raise Broken("bona fide above spoof", f"{given.tolist()}", "Is the sign turned round?")


def the_faster_way_gives_the_same_scores(subject: ModelSubject) -> None:
    """What optimise() returns scores as the model does, to within 1e-4."""
    model = subject.made()
    if not isinstance(model, Optimisable):
        raise NotApplicable("it has no optimise()")
    audio, lengths = subject.batch(2)
    plain = score(model, audio, lengths)
    fast = score(model.optimise(torch.float32), audio, lengths)
    if not (plain - fast).abs().max() <= BOUND:
        raise Broken(
            f"{plain.tolist()} to within {BOUND:g}",
            f"{fast.tolist()}",
            "Speed may not move scores.",
        )


def published_names_keep_every_tensor(subject: ModelSubject) -> None:
    """Renaming a published checkpoint loses no tensor."""
    model = subject.made()
    if not isinstance(model, PublishedNames):
        raise NotApplicable("it renames nothing")
    state = {f"unknown.{n}": torch.full((1,), float(n)) for n in range(3)}
    renamed = model.rename_published(state)
    if len(renamed) != len(state):
        raise Broken(f"{len(state)} tensors", f"{len(renamed)}", "Leave unknown names as they are.")


CLAUSES: tuple[Check, ...] = (
    gives_one_finite_score_for_each_utterance,
    scores_hang_on_no_other_utterance,
    padding_is_not_heard,
    scores_are_the_same_again,
    it_is_the_same_whenever_it_is_made,
    audio_is_not_written_into,
    global_state_is_left_alone,
    odd_audio_is_survived,
    it_is_as_large_as_it_says,
    weights_survive_saving,
    losses_are_one_for_each_utterance,
    judging_embeddings_gives_the_loss,
    learning_raises_the_score_of_bona_fide,
    fitting_raises_the_score_of_bona_fide,
    the_faster_way_gives_the_same_scores,
    published_names_keep_every_tensor,
)
