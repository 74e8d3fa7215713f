"""What is to be trained, on what and how, and whether that may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from spoofbench import weights
from spoofbench.errors import InvalidRecipe
from spoofbench.processes import Processes
from spoofbench.protocols import Protocol
from spoofbench.scoring import Options
from spoofbench.terms import Terms
from spoofbench.training.aims import Aims
from spoofbench.training.augmenting import Augmenter
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.memory import Gauge
from spoofbench.training.recipe import Recipe
from spoofbench.training.teachers import ByModel

LAST = "last.safetensors"
BEST = "best.safetensors"
HISTORY = "epochs.csv"

Report = Callable[[Epoch, bool], None]
"""Called after each epoch, with whether it is the best so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is trained, on what, and how. ``options`` says how dev is scored."""

    model_name: str
    train: Terms
    dev: Terms
    recipe: Recipe
    seed: int
    options: Options
    folder: Path
    identity: str = ""
    """What the training is but for its seed."""
    start: weights.Weights | None = None
    """What the recipe's ``start`` stands for."""
    augmenter: Augmenter | None = None
    """What the recipe's ``augment`` stands for."""
    aims: Aims | None = None
    """What the recipe's objectives, mix-up and teacher stand for."""
    checkpoint_seconds: float = 600.0
    """How much work a crash may lose."""
    micro_batch: int | None = None
    """Utterances whose gradients are computed at once; None for the whole batch."""
    compiler: str = ""
    """Backend of `torch.compile` for the loss; none if not given."""
    keep: int = 1
    """Of how many epochs the last checkpoints are there: 1 for that which training goes on from."""
    processes: Processes = field(default_factory=Processes)
    gauge: Gauge | None = None
    """Reads the memory of the host, which is watched; the machine's own if not given."""
    note: Callable[[str], None] = lambda said: None  # noqa: ARG005
    """Told what the user should know."""

    def steps_per_epoch(self) -> int:
        """Return the number of whole batches in the train protocol."""
        return len(self.train.trials) // self.recipe.batch_size

    def origin(self, *, epoch: int, dev_eer: float) -> weights.Origin:
        """Return what is written beside weights that this task gave."""
        return weights.Origin(
            model=self.model_name,
            train=self.train.protocol.name,
            dev=self.dev.protocol.name,
            epoch=epoch,
            dev_eer=dev_eer,
            seed=self.seed,
            recipe=self.recipe,
            training=self.identity,
            chosen_by_eval=self._eval_protocols(),
        )

    def _eval_protocols(self) -> tuple[str, ...]:
        """Return the eval protocols that choose, or have chosen what is learned from."""
        dev = self.dev.protocol
        taught_by = self.aims.teacher if self.aims is not None else None
        learned_from = (self.start, taught_by.found if isinstance(taught_by, ByModel) else None)
        found = [dev.name] if dev.role == "eval" else []
        for known in learned_from:
            found += known.origin.chosen_by_eval if known is not None and known.origin else ()
        return tuple(dict.fromkeys(found))


def check_role(protocol: Protocol, use: str) -> None:
    """Raise `InvalidRecipe` for an eval protocol: nothing may be ``use`` (trained on) it."""
    if protocol.role == "eval":
        raise InvalidRecipe(
            f"{protocol.name} has the role eval: nothing may be {use} it",
            hint="name a protocol with the role train, and one with the role dev",
        )


def check(train: Terms, dev: Terms, recipe: Recipe, *, paper_selection: bool = False) -> None:
    """Raise `InvalidRecipe` unless a model may be trained on ``train`` and chosen by ``dev``.

    Nothing of an eval protocol may leak into training or selection; with ``paper_selection`` it may
    choose, and every table will say so.
    """
    for use, terms in (("trained on", train), ("chosen by", dev)):
        if not (paper_selection and terms is dev):
            check_role(terms.protocol, use)
        classes = {trial.bonafide for trial in terms.trials}
        if classes != {True, False}:
            raise InvalidRecipe(f"{terms.protocol.name} needs bona fide and spoof trials")
    shared = {t.utterance for t in train.trials} & {t.utterance for t in dev.trials}
    if shared:
        raise InvalidRecipe(
            f"{train.protocol.name} and {dev.protocol.name} share {len(shared):,} utterances, "
            f"{min(shared)} for one",
            hint="choosing a model by what it was trained on says nothing",
        )
    if recipe.length_buckets > 1 and recipe.samples is not None:
        raise InvalidRecipe(
            f"length_buckets={recipe.length_buckets} is for whole utterances, and the recipe takes "
            f"{recipe.samples:,} samples of each",
            hint="leave it out",
        )
    if len(train.trials) < recipe.batch_size:
        raise InvalidRecipe(
            f"{train.protocol.name} has {len(train.trials):,} trials, "
            f"fewer than one batch of {recipe.batch_size}",
            hint="choose a smaller batch size",
        )
