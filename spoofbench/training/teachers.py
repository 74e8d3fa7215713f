"""Teachers, whose answers a model learns: a file of scores, or another model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from torch import Tensor, nn

from spoofbench import fingerprint, weights
from spoofbench.contracts import Embedding
from spoofbench.devices import denormals_flushed, evaluating
from spoofbench.errors import InvalidRecipe
from spoofbench.plugins import Catalogue, Offer, instantiate
from spoofbench.score_files.formats import parse
from spoofbench.scores import match, spelt_as
from spoofbench.scoring import Options, optimised
from spoofbench.specs import ModelSpec
from spoofbench.trials import Trial
from spoofbench.weights import Weights


class Teacher(Protocol):
    """Answers how likely utterances are bona fide."""

    def log_odds(
        self, audio: Tensor, lengths: Tensor, named: Sequence[Sequence[str]]
    ) -> Sequence[Tensor]:
        """Return log-odds of bona fide ``(batch,)`` for each of the names that audio goes by.

        ``audio`` is ``(batch, time)`` of ``lengths`` ``(batch,)``. It goes by several names where
        it is mixed of several utterances.
        """
        ...


class Taught(Protocol):
    """Where a teacher's answers come from, before anything is loaded."""

    @property
    def sha256(self) -> str:
        """What decides the answers: the checksum of the file."""
        ...

    def ready(self, options: Options) -> Teacher:
        """Return the teacher, to answer on the device of ``options``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ByScores:
    """A file of scores, which are read as log-odds of bona fide, of whole, clean utterances."""

    sha256: str
    scores: Mapping[str, float]

    def ready(self, options: Options) -> Teacher:  # noqa: ARG002
        """Return itself: there is nothing to load."""
        return self

    def log_odds(
        self, audio: Tensor, lengths: Tensor, named: Sequence[Sequence[str]]
    ) -> Sequence[Tensor]:
        """Return the scores of the utterances, whatever of them is heard."""
        del lengths
        return [audio.new_tensor([self.scores[name] for name in names]) for names in named]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByModel:
    """A model of the catalogue with weights, which hears what is to be learned from."""

    offer: Offer[ModelSpec]
    found: Weights

    @property
    def sha256(self) -> str:
        """That of the weights."""
        return self.found.sha256

    def ready(self, options: Options) -> Teacher:
        """Load the model. Raises `InvalidWeights`, and `InvalidRecipe` if it gives no logits."""
        made = instantiate(self.offer, "model")
        if not isinstance(made, Embedding):
            raise InvalidRecipe(
                f"the teacher {self.offer.spec.name} has no judge(), whose logits are what it "
                "teaches",
                hint="score the train protocol with it, calibrate the scores, and name their file",
            )
        module = cast(nn.Module, made)
        weights.load(module, self.found)
        faster = optimised(cast(Embedding, module.to(options.device)), options)
        return _Listening(faster if isinstance(faster, Embedding) else made)


class _Listening:
    """A model that answers in evaluation mode, without gradients."""

    def __init__(self, model: Embedding) -> None:
        self._model = model

    def log_odds(
        self, audio: Tensor, lengths: Tensor, named: Sequence[Sequence[str]]
    ) -> Sequence[Tensor]:
        with denormals_flushed(), evaluating(self._model):
            logits = self._model.judge(self._model.embed(audio, lengths)).float()
        return [logits[:, 1] - logits[:, 0]] * len(named)


def find(
    wanted: str,
    known: Catalogue,
    trials: Sequence[Trial],
    *,
    rate: int,
    samples: int | None,
    min_samples: int = 1,
) -> ByScores | ByModel:
    """Return the teacher ``wanted``: a score file of ``trials``, or ``MODEL:WEIGHTS``.

    It hears audio of ``rate`` in crops of ``samples``, or whole utterances of ``min_samples`` or
    more (None). Raises `InvalidRecipe`, `InvalidScores`, `UnknownName`, `InvalidWeights`.
    """
    file = Path(wanted)
    if file.is_file():
        return ByScores(sha256=fingerprint.sha256(file), scores=_scores(file, trials))
    name, _, of = wanted.partition(":")
    if not of:
        raise InvalidRecipe(
            f"teacher {wanted}: there is no such score file",
            hint="name a score file of the train protocol, or MODEL:WEIGHTS, such as "
            "aasist:official",
        )
    offer = known.models.get(name)
    spec = offer.spec
    if spec.sample_rate != rate:
        raise InvalidRecipe(
            f"the teacher {name} takes audio at {spec.sample_rate:,} Hz, not {rate:,}"
        )
    heard = f"{samples:,}" if samples else f"whole utterances, of {min_samples:,} or more"
    too_long = spec.max_samples and (not samples or samples > spec.max_samples)
    if too_long or (samples or min_samples) < spec.min_samples:
        most = f" and at most {spec.max_samples:,}" if spec.max_samples else ""
        raise InvalidRecipe(
            f"the teacher {name} takes at least {spec.min_samples:,} samples{most}, the recipe "
            f"says {heard}",
            hint="change the recipe's samples",
        )
    found = weights.find(spec, of, option="teacher")
    if found.origin is not None and found.origin.recipe.objective:
        raise InvalidRecipe(
            f"the teacher {wanted} was trained with the objective "
            f"'{found.origin.recipe.objective}', whose scores are no log-odds",
            hint="score the train protocol with it, calibrate the scores, and name their file",
        )
    return ByModel(offer=offer, found=found)


def _scores(file: Path, trials: Sequence[Trial]) -> Mapping[str, float]:
    """Read the scores of ``trials``; those of other utterances are passed over."""
    found = parse(file)
    known = {trial.utterance: trial for trial in trials}
    others = frozenset(spelt_as(known, found.utterances)[0]) - known.keys()
    table = match(found, trials, left_out=others).table
    return dict(zip(known, table.scores.tolist(), strict=True))
