"""From run folders back to the sweeps that they are of, one for each model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoofbench import runs
from spoofbench.errors import InvalidRun
from spoofbench.plugins import Catalogue
from spoofbench.robustness.conditions import APPLY_TO, Condition, parse
from spoofbench.robustness.degradation import rising
from spoofbench.robustness.tables import Swept
from spoofbench.runs import CLEAN, RunRecord
from spoofbench.tables import unused
from spoofbench.tabulating import as_seen, terms_again
from spoofbench.terms import Terms
from spoofbench.views import View

FAMILIES = ("noise", "overlap", "reverb", "codec", "channel", "time")
"""In which order augmentations stand side by side; others come after them."""
SWEEP_FIRST = "`spoofbench robustness MODEL --protocol P --noise white --snr 20,10,0` makes one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeps:
    """What runs tell of models under conditions: a sweep for each model, all on equal terms.

    ``left_out`` are the labels of models that were scored on clean audio alone.
    """

    swept: tuple[Swept, ...]
    terms: Terms
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    folder: Path
    record: RunRecord


def sweeps(
    folders: Sequence[Path],
    catalogue: Catalogue,
    *,
    data: Path | None = None,
    view: View | None = None,
) -> Sweeps:
    """Sort runs by their model and weights; the terms are read again, as ``view`` wants them.

    Conditions stand with clean first, then by augmentation, from easy to hard; chains come last.
    Raises `InvalidRun` for runs that are no sweep (no conditions, no clean audio, one condition
    twice) or cannot stand side by side: other trials or metrics, another seed of the audio.
    """
    models = _by_model(folders)
    swept = {key: own for key, own in models.items() if any(map(_under_condition, own))}
    if not swept:
        raise InvalidRun("none of these runs is of audio under a condition", hint=SWEEP_FIRST)
    used = [run for own in swept.values() for run in own]
    _check_equal_terms(used)
    _check_equal_audio(used)
    first = used[0]
    terms = terms_again(first.record, first.folder, catalogue, data)
    made: list[Swept] = []
    for own in swept.values():
        label = unused(own[0].record.label, [other.label for other in made])
        made.append(_swept(label, own, catalogue))
    return Sweeps(
        swept=tuple(made),
        terms=as_seen(terms, view or View(), catalogue),
        left_out=tuple(own[0].record.label for key, own in models.items() if key not in swept),
    )


def _by_model(folders: Iterable[Path]) -> dict[str, list[_Run]]:
    """Return the runs by what decides their scores beside the condition, each folder once."""
    models: dict[str, list[_Run]] = {}
    for folder in {folder.resolve(): folder for folder in folders}.values():
        record = runs.read(folder)
        terms = record.terms
        key = (
            f"{record.label} {record.fingerprint}"
            if terms is None
            else terms.model_copy(update={"condition": None}).identity()
        )
        models.setdefault(key, []).append(_Run(folder=folder, record=record))
    return models


def _under_condition(run: _Run) -> bool:
    return run.record.condition != CLEAN


def _swept(label: str, own: Sequence[_Run], catalogue: Catalogue) -> Swept:
    folders: dict[str, Path] = {}
    for run in own:
        text = run.record.condition
        if text in folders:
            raise InvalidRun(
                f"{label}: there are two runs of {text}, {folders[text]} and {run.folder}",
                hint="name the one that is meant",
            )
        folders[text] = run.folder
    if CLEAN not in folders:
        raise InvalidRun(
            f"{label}: there is no run on clean audio to compare {len(folders)} conditions with",
            hint="name its run folder too, or the folder that holds the whole sweep",
        )
    ordered = sorted((condition_of(text, catalogue) for text in folders), key=_order)
    return Swept(
        label=label,
        folders=tuple(folders[str(condition)] for condition in ordered),
        conditions=tuple(ordered),
    )


def condition_of(text: str, catalogue: Catalogue) -> Condition:
    """Read a condition as ``run.json`` holds it, to whom it applies included.

    Raises `InvalidRun` if it is another by now: a default of the augmentation has changed.
    """
    bare, apply_to = text, APPLY_TO[0]
    for one in APPLY_TO[1:]:
        if text.endswith(ending := f" [{one} only]"):
            bare, apply_to = text.removesuffix(ending), one
    condition = parse(bare, catalogue, apply_to=apply_to)
    if str(condition) != text:
        raise InvalidRun(
            f"the condition '{text}' of a run reads as '{condition}' now",
            hint="an augmentation has changed since: run again",
        )
    return condition


def _order(condition: Condition) -> tuple[object, ...]:
    """Return what conditions are sorted by."""
    steps = condition.steps
    to_whom = APPLY_TO.index(condition.apply_to)
    if len(steps) != 1:
        return (to_whom, len(steps), 0, str(condition), "", 0.0)
    (step,) = steps
    family = step.spec.family
    place = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
    hard = 0.0 if math.isnan(step.level) else step.level if rising(step) else -step.level
    return (to_whom, 1, place, step.spec.name, step.source, hard)


def _check_equal_terms(used: Sequence[_Run]) -> None:
    first_of: dict[str, _Run] = {}
    for run in used:
        first_of.setdefault(run.record.fingerprint, run)
    if len(first_of) > 1:
        known = "; ".join(_terms_in_words(run) for run in first_of.values())
        raise InvalidRun(
            f"these runs were not judged on the same terms: {known}",
            hint="name the runs of one, such as runs/PROTOCOL",
        )


def _terms_in_words(run: _Run) -> str:
    record = run.record
    limit = "" if record.limit is None else f" with --limit {record.limit}"
    return f"{record.protocol.name}{limit} (fingerprint {record.fingerprint[:12]}, {run.folder})"


def _check_equal_audio(used: Sequence[_Run]) -> None:
    """Raise `InvalidRun` if a condition was not the same audio for all models."""
    heard: dict[str, dict[tuple[object, ...], Path]] = {}
    for run in used:
        terms = run.record.terms
        if terms is not None and (done := terms.condition) is not None:
            heard.setdefault(done.text, {})[(done.seed, done.augmentations)] = run.folder
    for text, ways in heard.items():
        if len(ways) > 1:
            raise InvalidRun(
                f"{text} is not the same audio in all runs (another --seed, or another version of "
                f"the augmentation): {' and '.join(str(folder) for folder in ways.values())}",
                hint="name the runs of one, or run the others again with its --seed",
            )


def chosen(swept: Sequence[Swept], label: str | None) -> Swept:
    """Return the sweep of the model called ``label``, or of the one there is.

    Raises `InvalidRun` where that is none, or not a single one.
    """
    fitting = [one for one in swept if label in (None, one.label)]
    if len(fitting) == 1:
        return fitting[0]
    what = "one model is drawn" if label is None else f"there is no run of '{label}'"
    raise InvalidRun(
        f"{what}, and the runs are of {', '.join(one.label for one in swept)}",
        hint=f"choose one with --model '{swept[0].label}'",
    )
