"""What can be wrong with a score file, or odd: a function for each, none of which opens a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spoofbench.metrics.detection import eer_point
from spoofbench.metrics.ties import distinct, tied_share
from spoofbench.score_files.formats import ScoreFile
from spoofbench.scores import disagreements, spelt_as
from spoofbench.trials import Trial

NAMED = 3
"""How many lines or utterances a finding names."""
VISIBLE = 5e-5
"""A move of the EER that shows in a published figure: half a unit of its second digit, in %."""
TIED = 0.01
"""So large a share of trials that share a score is worth a word."""
SATURATED = 0.01
"""So large a share of trials at the highest or the lowest score is worth a word."""
CHANCE = 0.05
"""So near to one half an EER says that scores know nothing of the classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was seen in a score file."""

    severity: Literal["wrong", "suspicious", "note"]
    """``wrong``: `score` refuses the file, or its number would mean nothing."""
    what: str
    evidence: tuple[str, ...] = ()
    """Counts, lines and names that show it."""
    advice: str = ""
    """What to do."""
    mended_by: Literal["", "--fix", "--negate"] = ""
    """The option by which a corrected copy can be written without guessing, if there is one."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A score file beside the trials of its protocol. Rows are those of the file."""

    found: ScoreFile
    protocol: str
    """The protocol as the user named it."""
    trials: tuple[Trial, ...]
    left_out: frozenset[str]

    @cached_property
    def known(self) -> Mapping[str, Trial]:
        """The trials by utterance."""
        return {trial.utterance: trial for trial in self.trials}

    @cached_property
    def names(self) -> Sequence[str]:
        """Each row's utterance as the protocol spells it."""
        return spelt_as(self.known, self.found.utterances, self.left_out)[0]

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The first row of each utterance."""
        rows: dict[str, int] = {}
        for row, name in enumerate(self.names):
            rows.setdefault(name, row)
        return rows

    @cached_property
    def missing(self) -> list[str]:
        """The trials that have no row."""
        return [name for name in self.known if name not in self.rows]

    @cached_property
    def extra(self) -> list[str]:
        """The utterances that the key file does not list."""
        return [n for n in self.rows if n not in self.known and n not in self.left_out]

    @cached_property
    def matched(self) -> int:
        """How many trials have a row."""
        return len(self.trials) - len(self.missing)

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Each trial's first score, NaN without one, ``(trials,)``."""
        return self.of(self.found.scores)

    @cached_property
    def bonafide(self) -> NDArray[np.bool_]:
        """The trials' true classes, ``(trials,)``."""
        return np.array([trial.bonafide for trial in self.trials], dtype=bool)

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value that each trial has in ``values`` ``(rows,)``; ``(trials,)``."""
        places = np.array([self.rows.get(name, -1) for name in self.known], dtype=np.intp)
        return np.append(values, np.nan)[places]

    def eer(self, scores: NDArray[np.float64]) -> float:
        """Return the EER of ``scores`` ``(trials,)`` where they are finite; NaN without a class."""
        bonafide, spoof = self.parted(scores)
        return eer_point(bonafide, spoof).eer if bonafide.size and spoof.size else np.nan

    def parted(
        self, scores: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the finite ones of ``scores`` ``(trials,)``, bona fide and spoof."""
        fine = np.isfinite(scores)
        return scores[fine & self.bonafide], scores[fine & ~self.bonafide]

    def at(self, row: int) -> str:
        """Say where ``row`` stands."""
        return f"{self.found.counted} {self.found.lines[row]:,}"


def format_found(case: Case) -> Iterator[Finding]:
    """Say what the file is."""
    rows = len(case.found.utterances)
    yield Finding(severity="note", what=f"{case.found.format}; {rows:,} scores")
    other = sum(a != b for a, b in zip(case.names, case.found.utterances, strict=True))
    if other:
        row = next(r for r, name in enumerate(case.names) if name != case.found.utterances[r])
        yield Finding(
            severity="note",
            what=f"{other:,} utterances are spelt otherwise than in the protocol",
            evidence=(f"{case.at(row)}: {case.found.utterances[row]} is {case.names[row]}",),
            advice="nothing: folders, audio endings and the prefix ITW_ are seen through",
            mended_by="--fix",
        )


def _mending(case: Case) -> str:
    """Say what to do about lines; where none can be read, what the first one needs."""
    if not case.rows and case.found.faults[0].hint:
        return case.found.faults[0].hint
    return "take out what is no score, such as lines of a log; complete what was cut off"


def unreadable(case: Case) -> Iterator[Finding]:
    """Find lines that are no scores."""
    faults = case.found.faults
    if faults:
        yield Finding(
            severity="wrong",
            what=f"{len(faults):,} lines cannot be read",
            evidence=_some(f"line {fault.line:,}: {fault.what}" for fault in faults),
            advice=_mending(case)
            if case.missing
            else "--fix OUT writes a copy without them: every trial has a score in another line",
            mended_by="" if case.missing else "--fix",
        )


def several_columns(case: Case) -> Iterator[Finding]:
    """Find that there is more than one column of numbers, such as both outputs of a network."""
    found = case.found
    if not found.choose and found.logits is None:
        return
    numbers = [(name, found.numbers[name]) for name in found.choose or found.logits or ()]
    if found.logits is not None:
        first, second = found.logits
        with np.errstate(invalid="ignore"):
            numbers.append((f"{second}-{first}", found.numbers[second] - found.numbers[first]))
    eers = [(name, case.eer(case.of(values))) for name, values in numbers]
    both = "both outputs of a network" if found.logits else f"{len(found.choose)} columns"
    best = min(eers, key=lambda pair: (np.isnan(pair[1]), pair[1]))[0]
    yield Finding(
        severity="wrong" if found.choose else "note",
        what=f"{both} could be the score"
        if found.choose
        else "the file has the network's outputs for both classes",
        evidence=tuple(f"--column {name}: EER {percent(eer)}" for name, eer in eers),
        advice="--column says which column is the score; the program that wrote them must say it, "
        f"the EERs only make it likely ({best})"
        if found.choose
        else "nothing, or --column for another of them",
    )


def not_finite(case: Case) -> Iterator[Finding]:
    """Find NaN and infinities."""
    if case.found.choose:
        return
    bad = np.flatnonzero(~np.isfinite(case.found.scores)).tolist()
    if not bad:
        return
    nans = int(np.isnan(case.found.scores[bad]).sum())
    yield Finding(
        severity="wrong",
        what=f"{len(bad):,} scores are not finite: {nans:,} NaN, {len(bad) - nans:,} infinite",
        evidence=_some(
            f"{case.at(row)}: {case.names[row]} {case.found.scores[row]}" for row in bad
        ),
        advice="find out why the model gave none (silence? half precision?), and score these again",
    )


def repeated(case: Case) -> Iterator[Finding]:
    """Find utterances with several scores, and files that a second run was appended to."""
    again = [row for row, name in enumerate(case.names) if case.rows[name] != row]
    if not again:
        return
    scores, first = case.found.scores, [case.rows[case.names[row]] for row in again]
    alike = (scores[again] == scores[first]) | (np.isnan(scores[again]) & np.isnan(scores[first]))
    appended = _appended(case, again[0])
    start = case.at(again[0])
    said = (f"from {start} on the file begins again: a second run was appended to it",)
    for same in (True, False):
        rows = [
            (row, one) for row, one, equal in zip(again, first, alike, strict=True) if equal == same
        ]
        if not rows:
            continue
        advice = (
            "--fix OUT writes a copy with one of each"
            if same
            else f"keep one run: the lines before {start}, or those from it on"
            if appended
            else "score again into a new file; if each line is a part of an utterance, average them"
        )
        yield Finding(
            severity="wrong",
            what=f"{len(rows):,} scores repeat an utterance, with "
            + ("the same score" if same else "another score"),
            evidence=(said if appended else ())
            + _some(
                f"{case.at(row)}: {case.names[row]} {scores[row]}, as in {case.at(one)}"
                if same
                else f"{case.at(row)}: {case.names[row]} {scores[row]}, "
                f"but {scores[one]} in {case.at(one)}"
                for row, one in rows
            ),
            advice=advice,
            mended_by="--fix" if same else "",
        )


def _appended(case: Case, start: int) -> bool:
    """Say whether the rows from ``start`` on name the same utterances as the file from its top."""
    length = min(start, len(case.names) - start)
    return list(case.names[start : start + length]) == list(case.names[:length])


def strangers(case: Case) -> Iterator[Finding]:
    """Find that trials lack a score, or that there are scores of no trial."""
    if case.matched == 0:
        return
    if case.missing:
        classes = Counter(case.known[name].bonafide for name in case.missing)
        yield Finding(
            severity="wrong",
            what=f"{len(case.missing):,} of {len(case.trials):,} trials have no score: "
            f"{classes[True]:,} bona fide, {classes[False]:,} spoof",
            evidence=(named(case.missing),),
            advice="score these too; nothing can be put in their place",
        )
    yield from _extra(case)
    unused = sum(name in case.left_out for name in case.rows)
    if unused:
        yield Finding(
            severity="note",
            what=f"{unused:,} scores are of other subsets, which the protocol leaves out",
            advice="nothing: they are not used",
            mended_by="--fix",
        )


def _extra(case: Case) -> Iterator[Finding]:
    if not case.extra:
        return
    patterns = {_pattern(name) for name in case.known}
    enrolment = [name for name in case.extra if _pattern(name) in patterns]
    foreign = [name for name in case.extra if _pattern(name) not in patterns]
    kinds = (
        ("named like trials, as recordings for ASV enrolment are", enrolment),
        ("not named like the trials of this protocol", foreign),
    )
    yield Finding(
        severity="wrong",
        what=f"{len(case.extra):,} scores are of utterances that are no trials",
        evidence=tuple(f"{len(own):,} {said}: {named(own)}" for said, own in kinds if own),
        advice="--fix OUT writes a copy without them",
        mended_by="--fix",
    )


def _pattern(name: str) -> str:
    return re.sub(r"[0-9]", "0", name)


def contradictions(case: Case) -> Iterator[Finding]:
    """Find keys and attacks that are not the protocol's."""
    faults = disagreements(case.found, case.names, case.known)
    if not faults:
        return
    keys = sum("the key of" in fault.what for fault in faults)
    swapped = keys == sum(name in case.known for name in case.names)
    yield Finding(
        severity="wrong",
        what=f"{len(faults):,} lines contradict the protocol, {keys:,} of them in the key",
        evidence=_some(f"{case.found.counted} {fault.line:,}: {fault.what}" for fault in faults),
        advice="every key is the other one: the program that wrote the file swapped the classes"
        if swapped
        else "take the scores of this corpus and subset, or the right key file",
    )


def direction(case: Case) -> Iterator[Finding]:
    """Find scores that point the wrong way, or nowhere."""
    bonafide, spoof = case.parted(case.scores)
    if bonafide.size + spoof.size == 0:
        return
    if not bonafide.size or not spoof.size:
        yield Finding(
            severity="wrong",
            what=f"all trials that have a score are {'bona fide' if bonafide.size else 'spoof'}",
            advice="score the other class too: an EER needs both",
        )
        return
    if distinct(np.concatenate([bonafide, spoof])) == 1:
        yield Finding(
            severity="wrong",
            what=f"every trial has the same score, {bonafide[0]}",
            advice="the model does not look at its input, or the file holds the wrong column",
        )
        return
    eer, turned = case.eer(case.scores), case.eer(-case.scores)
    if abs(eer - 0.5) < CHANCE:
        yield Finding(
            severity="suspicious" if eer <= 0.5 else "wrong",
            what=f"the EER is {percent(eer)}, which is near chance",
            advice="do scores and utterances belong together? a loader that shuffles parts them",
        )
    elif eer > 0.5:
        yield Finding(
            severity="wrong",
            what="the sign is flipped: higher scores mean more spoof in this file",
            evidence=(f"EER {percent(eer)} as it is, {percent(turned)} with the sign turned",),
            advice="--negate, for `score` and, with --fix OUT, here",
            mended_by="--negate",
        )


class EerRange(NamedTuple):
    """The EER by the order in which tied trials might be sorted, and with ties merged."""

    best: float
    merged: float
    worst: float


def eer_range(bonafide: NDArray[np.float64], spoof: NDArray[np.float64]) -> EerRange:
    """Return how far ties could move the EER of these scores, ``(bonafide,)`` and ``(spoof,)``.

    At best every bona fide trial comes out above the spoofs that it is tied with, at worst below.
    An EER is known to half a step of the rarer class; the range is widened to hold the merged one.
    """
    _, ranks = np.unique(np.concatenate([bonafide, spoof]), return_inverse=True)
    places = 2 * ranks.astype(np.float64)
    own, other = places[: bonafide.size], places[bonafide.size :]
    merged = eer_point(bonafide, spoof).eer
    return EerRange(
        best=min(merged, eer_point(own + 1, other).eer),
        merged=merged,
        worst=max(merged, eer_point(own, other + 1).eer),
    )


def coarseness(case: Case) -> Iterator[Finding]:
    """Find scores with few values, ties that move the EER, and saturated scores."""
    bonafide, spoof = case.parted(case.scores)
    scores = np.concatenate([bonafide, spoof])
    if not bonafide.size or not spoof.size or (values := distinct(scores)) == 1:
        return
    printed = _decimals(case.found.written)
    advice = "write logits or log-likelihood ratios, with all digits (in Python: repr)"
    if values == 2:
        yield Finding(
            severity="suspicious",
            what="these are decisions, not scores: there are two values",
            evidence=(f"{scores.min()}, {scores.max()}",),
            advice=advice,
        )
    elif values < scores.size / 10:
        yield Finding(
            severity="suspicious",
            what=f"there are only {values:,} values for {scores.size:,} trials",
            evidence=(printed,) if printed else (),
            advice=advice,
        )
    tied = int(np.isin(bonafide, spoof).sum() + np.isin(spoof, bonafide).sum())
    moved = eer_range(bonafide, spoof)
    if moved.worst - moved.best >= VISIBLE:
        yield Finding(
            severity="suspicious",
            what=f"ties decide the EER: {percent(moved.best)} to {percent(moved.worst)}, "
            f"{percent(moved.merged)} merged",
            evidence=(
                f"{tied:,} trials ({100 * tied / scores.size:.1f} %) share their score with one of "
                "the other class",
                *((printed,) if printed else ()),
            ),
            advice=advice,
        )
    elif (share := tied_share(scores)) >= TIED:
        yield Finding(
            severity="note",
            what=f"{100 * share:.1f} % of the trials share a score with another, which moves the "
            f"EER by less than {100 * VISIBLE:g} points",
        )
    if values > 2:
        yield from _saturation(scores, advice)


def _saturation(scores: NDArray[np.float64], advice: str) -> Iterator[Finding]:
    for end, name in ((scores.max(), "highest"), (scores.min(), "lowest")):
        share = float((scores == end).mean())
        if share >= SATURATED and scores.size * share > 1:
            yield Finding(
                severity="suspicious",
                what=f"{100 * share:.1f} % of the trials have the {name} score, {end}",
                advice=f"the scores saturate there: {advice}",
            )


def _decimals(written: Sequence[str]) -> str:
    """Say how many decimals scores are printed with, unless some are in powers of ten."""
    if not written or any("e" in cell.lower() for cell in written):
        return ""
    decimals = max(len(cell.partition(".")[2]) for cell in written)
    return f"scores are printed with at most {decimals} decimals"


def probabilities(case: Case) -> Iterator[Finding]:
    """Find scores that are no log-likelihood ratios by their range."""
    scores = np.concatenate(case.parted(case.scores))
    if distinct(scores) > 2 and scores.min() >= 0 and scores.max() <= 1:
        yield Finding(
            severity="note",
            what="all scores lie between 0 and 1, like probabilities",
            advice="EER and minimum costs are right; act DCF and Cllr need log-likelihood ratios",
        )


def percent(fraction: float) -> str:
    """Return a fraction as tables print it."""
    return "not computable" if np.isnan(fraction) else f"{100 * fraction:.4f} %"


def _some(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the first few lines, and how many more there are."""
    everything = list(lines)
    more = len(everything) - NAMED
    return tuple(everything[:NAMED]) + ((f"and {more:,} more",) if more > 0 else ())


def named(names: Sequence[str]) -> str:
    """Return the first few names."""
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
