"""Dev scores, on which maps are fitted, and what keeps them apart from what is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoofbench import fingerprint, judging
from spoofbench.calibration.fitted import Development, Fitted, Floats, Source
from spoofbench.corpora import root_of
from spoofbench.errors import InvalidCalibration, InvalidProtocol, InvalidSettings
from spoofbench.plugins import Catalogue
from spoofbench.protocols import Protocol, load
from spoofbench.scores import ScoreTable
from spoofbench.terms import Terms, terms_of

NAMED = 3
"""How many shared names a message names."""
_NO_SPEAKER = ("", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class DevScores:
    """The scores of one or several systems on the trials that a map is fitted on."""

    terms: Terms
    labels: tuple[str, ...]
    files: tuple[Path, ...]
    tables: tuple[ScoreTable, ...]
    negated: bool

    @property
    def bonafide(self) -> NDArray[np.bool_]:
        """The trials' true classes, ``(trials,)``."""
        return self.tables[0].bonafide

    @property
    def scores(self) -> Floats:
        """The scores, ``(trials, systems)``."""
        return np.column_stack([table.scores for table in self.tables])

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files, with their checksums."""
        pairs = zip(self.labels, self.files, strict=True)
        return tuple(Source(label=name, sha256=fingerprint.sha256(file)) for name, file in pairs)

    @property
    def record(self) -> Development:
        """What is stored of the protocol."""
        bonafide = int(self.bonafide.sum())
        return Development(
            protocol=self.terms.protocol.name,
            fingerprint=self.terms.fingerprint,
            bonafide=bonafide,
            spoof=len(self.bonafide) - bonafide,
        )


def read_dev(
    files: Sequence[Path], terms: Terms, *, negate: bool | None, column: str | None = None
) -> DevScores:
    """Read what is to be fitted on, as `judging.read` does.

    Raises `InvalidProtocol` for an eval protocol.
    """
    check_role(terms.protocol)
    return DevScores(
        terms=terms,
        labels=tuple(judging.labels(files)),
        files=tuple(files),
        tables=tuple(judging.read(file, terms, negate=negate, column=column) for file in files),
        negated=bool(negate),
    )


def check_role(protocol: Protocol) -> None:
    """Raise `InvalidProtocol` for an eval protocol: what is fitted on it has seen the answers."""
    if protocol.role == "eval":
        raise InvalidProtocol(
            f"{protocol.name} is an eval protocol: scores are not calibrated on what judges them",
            hint=f"fit on its dev protocol: --dev-protocol {protocol.dev}"
            if protocol.dev
            else "fit on the scores of a dev protocol",
        )


def dev_protocol_of(name: str | None, protocol: Protocol, catalogue: Catalogue) -> Protocol:
    """Return the protocol to fit on: ``name``, else the one that ``protocol`` states as its dev.

    Raises `InvalidSettings` if there is neither, `InvalidProtocol` for an eval protocol.
    """
    if name is None and not protocol.dev:
        raise InvalidSettings(
            f"{protocol.name} states no dev protocol", hint="name one with --dev-protocol"
        )
    chosen = load(name or protocol.dev, catalogue)
    check_role(chosen)
    return chosen


def terms_for(
    protocol: Protocol,
    catalogue: Catalogue,
    *,
    data: Path | None,
    beside: Terms | None = None,
) -> Terms:
    """Read the trials of ``protocol``; of the same corpus as ``beside`` they lie where those lie.

    ``data`` is the corpus folder if the user named it.
    """
    if data is None and beside is not None and beside.protocol.data.corpus == protocol.data.corpus:
        data = beside.root
    return terms_of(protocol, catalogue, root_of(protocol, catalogue, data=data))


def check_apart(dev: Terms, other: Terms) -> tuple[str, ...]:
    """Raise `InvalidCalibration` if a trial of ``other`` is one that the map was fitted on.

    Utterances of other corpora that are called alike, shared speakers and a train protocol are no
    errors, but remarks, which are returned.
    """
    remarks = []
    if dev.protocol.role == "train":
        remarks.append(
            f"fitted on {dev.protocol.name}, a train protocol: of what it was trained on, a model "
            "is too sure"
        )
    shared = _shared(dev, other, "utterance")
    if shared and _one_corpus(dev, other):
        raise InvalidCalibration(
            f"{len(shared):,} utterances are in {dev.protocol.name} and in {other.protocol.name} "
            f"({_first(shared)}): what is calibrated may not be fitted on",
            hint="fit on trials that are not judged",
        )
    if shared:
        remarks.append(
            f"{len(shared):,} utterances of {dev.protocol.name}, another corpus, are called alike "
            f"({_first(shared)}): make sure that they are others"
        )
    if speakers := [name for name in _shared(dev, other, "speaker") if name not in _NO_SPEAKER]:
        remarks.append(
            f"{len(speakers):,} speakers are in {dev.protocol.name} too ({_first(speakers)}): "
            "on new speakers the calibration may do worse"
        )
    return tuple(remarks)


def remarks_on(stored: Fitted, terms: Terms) -> tuple[str, ...]:
    """Say so if ``terms`` are those that a stored map was fitted on."""
    if stored.dev.fingerprint == terms.fingerprint or stored.dev.protocol == terms.protocol.name:
        return (f"fitted on {stored.dev.protocol}: these numbers flatter",)
    return ()


def _one_corpus(dev: Terms, other: Terms) -> bool:
    same_name = dev.protocol.data.corpus == other.protocol.data.corpus
    return same_name or dev.root.resolve() == other.root.resolve()


def _shared(dev: Terms, other: Terms, field: str) -> list[str]:
    known = {getattr(trial, field) for trial in dev.trials}
    return sorted(known & {getattr(trial, field) for trial in other.trials})


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
