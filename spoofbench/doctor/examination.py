"""The doctor: all that is wrong with a score file, and a corrected copy where that is safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spoofbench.corpora import read_trials, root_of
from spoofbench.doctor import findings
from spoofbench.doctor.findings import Case, Finding
from spoofbench.errors import InvalidScores, SpoofbenchError
from spoofbench.files import write_text
from spoofbench.plugins import Catalogue
from spoofbench.protocols import Protocol, load
from spoofbench.score_files.formats import ScoreFile
from spoofbench.scores import spelt_as
from spoofbench.terms import Terms

OF_SCORES = (
    findings.direction,
    findings.coarseness,
    findings.probabilities,
)
"""What can be said only where trials have scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How well a file's utterances fit a protocol."""

    protocol: str
    trials: int
    matched: int
    """How many of the protocol's trials have a score."""
    scored: int
    """How many utterances the file has."""

    @property
    def fit(self) -> float:
        """The share of what is in both among what is in either: 1 where nothing is missing."""
        return self.matched / (self.trials + self.scored - self.matched)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found in a score file; ``eer`` is NaN where there is none to be had."""

    case: Case
    findings: tuple[Finding, ...]
    eer: float
    bonafide: int
    spoof: int

    @property
    def wrong(self) -> list[Finding]:
        """What keeps `score` from using the file, or its number from meaning anything."""
        return [finding for finding in self.findings if finding.severity == "wrong"]


def examine(
    found: ScoreFile,
    terms: Terms,
    *,
    protocol: str,
    overlaps: Callable[[Sequence[str]], Sequence[Overlap]],
) -> Examination:
    """Look at a score file in every way.

    ``protocol`` is what the user called it. ``overlaps`` says how well utterances fit the other
    protocols on offer; it is asked only where trials have no score.
    """
    case = Case(found=found, protocol=protocol, trials=terms.trials, left_out=terms.left_out)
    seen = [
        *findings.format_found(case),
        *findings.unreadable(case),
        *findings.several_columns(case),
        *findings.not_finite(case),
        *findings.repeated(case),
        *(elsewhere(case, overlaps(found.utterances)) if case.missing else ()),
        *findings.strangers(case),
        *findings.contradictions(case),
    ]
    if case.matched and not found.choose:
        seen += [finding for look in OF_SCORES for finding in look(case)]
    bonafide, spoof = case.parted(case.scores)
    return Examination(
        case=case,
        findings=tuple(seen),
        eer=case.eer(case.scores),
        bonafide=bonafide.size,
        spoof=spoof.size,
    )


def elsewhere(case: Case, overlaps: Sequence[Overlap]) -> Iterator[Finding]:
    """Find that the scores are of another protocol."""
    own = Overlap(
        protocol=case.protocol,
        trials=len(case.trials),
        matched=case.matched,
        scored=len(case.rows),
    )
    better = sorted(
        (other for other in overlaps if other.matched and other.fit > own.fit),
        key=lambda other: -other.fit,
    )
    if better:
        yield Finding(
            severity="wrong",
            what=f"these look like scores of {better[0].protocol}, not of {case.protocol}",
            evidence=tuple(_fit(other) for other in [*better[: findings.NAMED], own]),
            advice=f"--protocol {better[0].protocol}",
        )
    elif case.rows and not case.matched:
        yield Finding(
            severity="wrong",
            what=f"none of the {len(case.trials):,} trials has a score, nor fits any other "
            "protocol whose key file is here",
            evidence=(
                f"the file names {findings.named(list(case.rows))}",
                f"{case.protocol} names {findings.named(list(case.known))}",
            ),
            advice="spoofbench data set CORPUS DIR says where the corpus of these scores lies; or "
            "spell the utterances as the protocol does",
        )


def _fit(overlap: Overlap) -> str:
    return (
        f"{overlap.protocol}: {overlap.matched:,} of its {overlap.trials:,} trials have a score, "
        f"{overlap.scored - overlap.matched:,} scores are of others"
    )


def overlaps_with(utterances: Sequence[str], terms: Terms, catalogue: Catalogue) -> list[Overlap]:
    """Compare ``utterances`` with every protocol on offer, but for the one of ``terms``.

    Protocols whose key files are not to be found are passed over. Those of the same corpus are
    looked for in the same folder.
    """
    seen = set(utterances)
    found = []
    for protocol in _others(terms.protocol, catalogue):
        same = protocol.data.corpus == terms.protocol.data.corpus
        with suppress(SpoofbenchError):
            root = root_of(protocol, catalogue, data=terms.root if same else None)
            trials = {t.utterance: t for t in read_trials(protocol, catalogue, root)}
            named = seen if not seen.isdisjoint(trials) else set(spelt_as(trials, [*seen])[0])
            found.append(
                Overlap(
                    protocol=protocol.name,
                    trials=len(trials),
                    matched=len(named & trials.keys()),
                    scored=len(named),
                )
            )
    return found


def _others(protocol: Protocol, catalogue: Catalogue) -> Iterator[Protocol]:
    for offer in catalogue.protocols:
        name = offer.spec.name
        if name == protocol.name or catalogue.protocols.is_disputed(name):
            continue
        with suppress(SpoofbenchError):
            if (other := load(name, catalogue)).data != protocol.data:
                yield other


def mend(examination: Examination, out: Path, *, negate: bool) -> str:
    """Write a corrected copy, two columns in the protocol's order; say what was done.

    Repeated scores that agree become one, scores of no trial and of other subsets are dropped,
    utterances are spelt as the protocol does, and with ``negate`` a flipped sign is turned.

    Raises `InvalidScores` where anything else is wrong, or ``out`` is there already.
    """
    case = examination.case
    if out.exists():
        raise InvalidScores(f"{out} exists already", hint="--fix writes a new file: name another")
    refused = [
        finding.what
        for finding in examination.wrong
        if finding.mended_by not in (("--fix", "--negate") if negate else ("--fix",))
    ]
    if negate and not examination.eer > 0.5:
        refused.append(
            f"--negate would flip the sign: the EER is {findings.percent(examination.eer)}"
        )
    if refused:
        raise InvalidScores(
            f"{case.found.path} cannot be corrected safely: {'; '.join(refused)}",
            hint="nothing was written; these need you: do as is said beside each",
        )
    scores = -case.scores if negate else case.scores
    between = "\t" if any(" " in name for name in case.known) else " "
    pairs = zip(case.known, scores.tolist(), strict=True)
    write_text(out, "".join(f"{name}{between}{score!r}\n" for name, score in pairs))
    dropped = len(case.names) + len(case.found.faults) - len(case.trials)
    turned = ", all with the sign turned" if negate else ""
    return f"{out}: {len(case.trials):,} scores{turned}; {dropped:,} lines were dropped"
