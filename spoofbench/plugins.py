"""The catalogue: what is on offer, from which distribution, and what could not be loaded."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from traceback import format_exception
from typing import Any, Generic, TypeVar

import pluggy

from spoofbench import hookspecs
from spoofbench.deadlines import TookTooLong, deadline
from spoofbench.errors import BrokenPlugin, DisputedName, UnknownName
from spoofbench.hookspecs import PROJECT
from spoofbench.specs import (
    API_VERSION,
    AugmentationSpec,
    CorpusSpec,
    DatasetSpec,
    MetricSpec,
    ModelSpec,
    ObjectiveSpec,
    ProtocolSpec,
    ReporterSpec,
    Spec,
    TrackerSpec,
)

S = TypeVar("S", bound=Spec)

IMPORT_SECONDS = 10.0
"""How long a plugin may take to be imported, or to say what it offers."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """An entry point, and the distribution that it came with."""

    name: str
    distribution: str
    version: str

    @classmethod
    def of(cls, entry: EntryPoint) -> Plugin:
        """Describe ``entry``; one that no distribution owns says so."""
        if entry.dist is None:
            return cls(entry.name, "unknown", "?")
        return cls(entry.name, entry.dist.name, entry.dist.version)

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin that is installed, and why it, or a part of it, cannot be used.

    ``traceback`` says where, for one that raised.
    """

    plugin: Plugin
    reason: str
    traceback: str = ""

    @classmethod
    def raised(cls, plugin: Plugin, error: BaseException, where: str = "") -> Problem:
        """Describe what ``plugin`` raised."""
        reason = f"{where}{type(error).__name__}: {error}"
        return cls(plugin, reason, "".join(format_exception(error)))

    def __str__(self) -> str:
        return f"{self.plugin}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Offer(Generic[S]):
    """A spec, and the plugin that offers it."""

    spec: S
    plugin: Plugin


class Shelf(Generic[S]):
    """All offers of one kind. Disputed names stay on it, so that an error can name both sides."""

    def __init__(self, kind: str, hook: str, spec_type: type[S]) -> None:
        self.kind = kind
        self.hook = hook
        self.spec_type = spec_type
        self._offers: dict[str, list[Offer[S]]] = {}

    def put(self, offer: Offer[S]) -> None:
        """Add ``offer`` under its name and its aliases."""
        for name in (offer.spec.name, *getattr(offer.spec, "aliases", ())):
            self._offers.setdefault(name, []).append(offer)

    def names(self) -> list[str]:
        """Return every name and alias, sorted."""
        return sorted(self._offers)

    def __iter__(self) -> Iterator[Offer[S]]:
        """Iterate over the offers by name, each once, disputed ones side by side."""
        for name in self.names():
            yield from (offer for offer in self._offers[name] if offer.spec.name == name)

    def is_disputed(self, name: str) -> bool:
        """Say whether several plugins offer ``name``."""
        return len(self._offers.get(name, ())) > 1

    def get(self, name: str) -> Offer[S]:
        """Look up ``name``, or ``distribution:name`` where several plugins offer it.

        Raises `UnknownName`, with the nearest name, or `DisputedName`, with both sides.
        """
        owner, _, bare = name.rpartition(":")
        found = [o for o in self._offers.get(bare, ()) if owner in ("", o.plugin.distribution)]
        if not found:
            raise UnknownName(f"there is no {self.kind} '{name}'", hint=self._suggest(bare))
        if len(found) > 1:
            raise DisputedName(
                f"several plugins offer the {self.kind} '{bare}': "
                + " and ".join(str(offer.plugin) for offer in found),
                hint="say whose: "
                + " or ".join(f"'{offer.plugin.distribution}:{bare}'" for offer in found),
            )
        return found[0]

    def _suggest(self, name: str) -> str:
        known = self.names()
        if close := difflib.get_close_matches(name, known, n=1):
            return f"did you mean '{close[0]}'?"
        return f"known: {', '.join(known)}" if known else f"no plugin offers a {self.kind}"


@dataclass(slots=True)
class Catalogue:
    """Every name on offer, by kind, and every plugin that could not be used."""

    models: Shelf[ModelSpec] = field(
        default_factory=lambda: Shelf("model", "spoofbench_models", ModelSpec)
    )
    datasets: Shelf[DatasetSpec] = field(
        default_factory=lambda: Shelf("dataset", "spoofbench_datasets", DatasetSpec)
    )
    corpora: Shelf[CorpusSpec] = field(
        default_factory=lambda: Shelf("corpus", "spoofbench_corpora", CorpusSpec)
    )
    protocols: Shelf[ProtocolSpec] = field(
        default_factory=lambda: Shelf("protocol", "spoofbench_protocols", ProtocolSpec)
    )
    augmentations: Shelf[AugmentationSpec] = field(
        default_factory=lambda: Shelf("augmentation", "spoofbench_augmentations", AugmentationSpec)
    )
    objectives: Shelf[ObjectiveSpec] = field(
        default_factory=lambda: Shelf("objective", "spoofbench_objectives", ObjectiveSpec)
    )
    metrics: Shelf[MetricSpec] = field(
        default_factory=lambda: Shelf("metric", "spoofbench_metrics", MetricSpec)
    )
    reporters: Shelf[ReporterSpec] = field(
        default_factory=lambda: Shelf("format", "spoofbench_reporters", ReporterSpec)
    )
    trackers: Shelf[TrackerSpec] = field(
        default_factory=lambda: Shelf("tracker", "spoofbench_trackers", TrackerSpec)
    )
    plugins: list[Plugin] = field(default_factory=list)
    blocked: list[Plugin] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def shelves(self) -> tuple[Shelf[Any], ...]:
        """Return every shelf."""
        return (
            self.models,
            self.datasets,
            self.corpora,
            self.protocols,
            self.augmentations,
            self.objectives,
            self.metrics,
            self.reporters,
            self.trackers,
        )


@cache
def catalogue() -> Catalogue:
    """Load every installed plugin that the settings do not block, once per process."""
    from spoofbench.settings import settings

    return build(entry_points(group=PROJECT), blocked=settings().block)


def build(entries: Iterable[EntryPoint], *, blocked: Iterable[str] = ()) -> Catalogue:
    """Load ``entries`` one by one, so that none can hide or break another.

    pluggy's own loader stops at the first plugin that fails and skips the second of two entry
    points with one name in silence; hence each plugin meets its own manager first.
    """
    result = Catalogue()
    unwanted = set(blocked)
    for entry in sorted(entries, key=lambda entry: (entry.name, entry.value)):
        plugin = Plugin.of(entry)
        if entry.name in unwanted:
            result.blocked.append(plugin)
            continue
        try:
            with deadline(IMPORT_SECONDS):
                hooks = _load(entry)
        except (Exception, SystemExit, TookTooLong) as error:  # reported, not obeyed
            result.problems.append(Problem.raised(plugin, error))
            continue
        result.plugins.append(plugin)
        for shelf in result.shelves():
            _collect(shelf, hooks, plugin, result.problems)
    return result


def instantiate(offer: Offer[S], what: str) -> Any:
    """Call the target of ``offer`` without arguments; raise `BrokenPlugin` where that fails."""
    factory = offer.spec.resolve()
    try:
        return factory()
    except Exception as error:
        raise BrokenPlugin(
            f"the {what} '{offer.spec.name}' of {offer.plugin} could not be made: "
            f"{type(error).__name__}: {error}",
            hint=f"call {offer.spec.target} in Python to see where",
        ) from error


def _load(entry: EntryPoint) -> pluggy.PluginManager:
    """Import a plugin; raise unless it speaks our API and implements only hooks that exist."""
    module = entry.load()
    spoken = getattr(module, "SPOOFBENCH_API", API_VERSION)
    if spoken != API_VERSION:
        raise BrokenPlugin(f"it speaks plugin API {spoken}, this spoofbench speaks {API_VERSION}")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    return manager


def _collect(
    shelf: Shelf[S], hooks: pluggy.PluginManager, plugin: Plugin, problems: list[Problem]
) -> None:
    try:
        with deadline(IMPORT_SECONDS):
            specs = [spec for answer in getattr(hooks.hook, shelf.hook)() for spec in answer]
    except (Exception, TookTooLong) as error:  # the other hooks of this plugin may still be good
        problems.append(Problem.raised(plugin, error, f"{shelf.hook}(): "))
        return
    for spec in specs:
        if isinstance(spec, shelf.spec_type):
            shelf.put(Offer(spec, plugin))
        else:
            problems.append(
                Problem(plugin, f"{shelf.hook}() gave {spec!r}, not a {shelf.spec_type.__name__}")
            )
