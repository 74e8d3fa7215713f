"""The clauses of each kind of plugin, run one by one, for pytest and for the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from spoofbench.errors import SpoofbenchError, UnknownName
from spoofbench.objectives import Chosen
from spoofbench.plugins import Catalogue, Offer, Shelf, catalogue, instantiate
from spoofbench.testing import (
    augmentations,
    datasets,
    metrics,
    models,
    objectives,
    reporters,
    trackers,
)
from spoofbench.testing.clauses import Broken, Check, NotApplicable, sentence

if TYPE_CHECKING:
    import pytest

Outcome = Literal["holds", "broken", "not applicable"]
KINDS = ("model", "augmentation", "dataset", "objective", "metric", "reporter", "tracker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one clause; ``said`` is why it is broken, or does not apply."""

    clause: str
    outcome: Outcome
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause, about one subject."""

    name: str
    sentence: str
    of: Callable[[], None]

    def check(self) -> None:
        """Raise `Broken` (an AssertionError) unless the clause holds; skip what does not apply."""
        try:
            self.of()
        except NotApplicable as reason:
            import pytest

            pytest.skip(str(reason))

    def verdict(self) -> Verdict:
        """Return what comes of the clause, whatever is raised."""
        try:
            self.of()
        except NotApplicable as reason:
            return Verdict(clause=self.sentence, outcome="not applicable", said=str(reason))
        except Broken as broken:
            return Verdict(clause=self.sentence, outcome="broken", said=str(broken))
        except Exception as error:  # a plugin may fail in any way: that breaks the clause
            return Verdict(
                clause=self.sentence, outcome="broken", said=f"{type(error).__name__}: {error}"
            )
        return Verdict(clause=self.sentence, outcome="holds")


def clauses_of(kind: str, offer: Offer[Any]) -> list[Clause]:
    """Return the clauses of the contract of ``kind``, about what ``offer`` offers.

    Raises `UnknownName` for a kind that has no contract.
    """
    if kind not in KINDS:
        raise UnknownName(f"there is no contract for '{kind}'", hint=f"kinds: {', '.join(KINDS)}")
    subject, checks = _SUBJECTS[kind](offer)
    return [
        Clause(name=check.__name__, sentence=sentence(check), of=partial(check, subject))
        for check in checks
    ]


def _model(offer: Offer[Any]) -> tuple[Any, Sequence[Check]]:
    make = lambda: instantiate(offer, "model")  # noqa: E731
    return models.ModelSubject(spec=offer.spec, make=make), models.CLAUSES


def _augmentation(offer: Offer[Any]) -> tuple[Any, Sequence[Check]]:
    make = lambda: instantiate(offer, "augmentation")  # noqa: E731
    subject = augmentations.AugmentationSubject(spec=offer.spec, make=make)
    return subject, augmentations.CLAUSES


def _objective(offer: Offer[Any]) -> tuple[Any, Sequence[Check]]:
    usual = Chosen(offer=offer, options=tuple(value for _, value in offer.spec.options))
    make = partial(usual.made, objectives.WIDTH)
    return objectives.ObjectiveSubject(spec=offer.spec, make=make), objectives.CLAUSES


def _metric(offer: Offer[Any]) -> tuple[Any, Sequence[Check]]:
    subject = metrics.MetricSubject(spec=offer.spec, metric=offer.spec.resolve())
    return subject, metrics.CLAUSES


def _reporter(offer: Offer[Any]) -> tuple[Any, Sequence[Check]]:
    subject = reporters.ReporterSubject(spec=offer.spec, reporter=offer.spec.resolve())
    return subject, reporters.CLAUSES


def _tracker(offer: Offer[Any]) -> tuple[Any, Sequence[Check]]:
    subject = trackers.TrackerSubject(spec=offer.spec, make=offer.spec.resolve())
    return subject, trackers.CLAUSES


def _dataset(offer: Offer[Any]) -> tuple[Any, Sequence[Check]]:
    data, root = datasets.example(offer.spec) or (None, None)
    subject = datasets.DatasetSubject(
        spec=offer.spec, reader=offer.spec.resolve(), data=data, root=root
    )
    return subject, datasets.CLAUSES


_SUBJECTS = {
    "model": _model,
    "augmentation": _augmentation,
    "objective": _objective,
    "metric": _metric,
    "reporter": _reporter,
    "dataset": _dataset,
    "tracker": _tracker,
}


def _shelves(known: Catalogue) -> dict[str, Shelf[Any]]:
    return {
        "model": known.models,
        "augmentation": known.augmentations,
        "dataset": known.datasets,
        "objective": known.objectives,
        "metric": known.metrics,
        "reporter": known.reporters,
        "tracker": known.trackers,
    }


def offers_called(name: str, known: Catalogue) -> list[tuple[str, Offer[Any]]]:
    """Return what is offered under ``name``, or by the plugin or distribution of that name.

    Raises `UnknownName`.
    """
    shelves = _shelves(known)
    found: list[tuple[str, Offer[Any]]] = []
    for kind, shelf in shelves.items():
        if name.rpartition(":")[2] in shelf.names():
            found.append((kind, shelf.get(name)))
    found += [
        (kind, offer)
        for kind, shelf in shelves.items()
        for offer in shelf
        if name in (offer.plugin.name, offer.plugin.distribution) and (kind, offer) not in found
    ]
    if not found:
        problems = [str(p) for p in known.problems if name in str(p)]
        raise UnknownName(
            f"nothing is offered under the name '{name}', and no plugin is called so",
            hint="\n".join(problems) or "`spoofbench plugins` lists what is installed",
        )
    return found


def verdicts(kind: str, offer: Offer[Any]) -> Iterator[Verdict]:
    """Yield what comes of each clause, in order.

    What cannot even be made is one broken clause.
    """
    try:
        clauses = clauses_of(kind, offer)
    except SpoofbenchError as error:
        yield Verdict(clause="It can be imported", outcome="broken", said=str(error))
        return
    for clause in clauses:
        yield clause.verdict()


def parametrize_contract(kind: str, name: str) -> pytest.MarkDecorator:
    """Return a mark that calls a test once for each clause, as its argument ``clause``.

    ``name`` is the name of what an installed plugin offers.
    """
    import pytest

    shelf = _shelves(catalogue()).get(kind)
    if shelf is None:
        raise UnknownName(f"there is no contract for '{kind}'", hint=f"kinds: {', '.join(KINDS)}")
    clauses = clauses_of(kind, shelf.get(name))
    return pytest.mark.parametrize("clause", clauses, ids=[clause.name for clause in clauses])
