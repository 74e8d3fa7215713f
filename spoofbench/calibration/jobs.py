"""The jobs of ``spoofbench calibrate`` and ``spoofbench fuse``: fit or read, apply, keep, judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spoofbench import judging
from spoofbench.calibration import development, fitted, fusion, maps
from spoofbench.calibration.development import DevScores
from spoofbench.calibration.fitted import Operation
from spoofbench.calibration.fusion import Fusion
from spoofbench.calibration.maps import Calibration, Method
from spoofbench.calibration.quality import compare, quality_metrics
from spoofbench.errors import InvalidSettings
from spoofbench.plugins import Catalogue
from spoofbench.protocols import Protocol
from spoofbench.scores import ScoreTable
from spoofbench.tables import ResultTable
from spoofbench.terms import Terms

P_SPOOF, C_MISS, C_FA = 0.05, 1.0, 10.0
"""The costs of ASVspoof 5, track 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be fitted, as the user said it; None is unsaid."""

    files: tuple[Path, ...]
    protocol: str | None
    data: Path | None
    p_spoof: float | None
    c_miss: float | None
    c_fa: float | None
    ridge: float | None
    method: Method | None = None

    @property
    def operation(self) -> Operation:
        """The costs, with their threshold. Raises `InvalidSettings` if they make no sense."""
        return fitted.operation_of(
            P_SPOOF if self.p_spoof is None else self.p_spoof,
            C_MISS if self.c_miss is None else self.c_miss,
            C_FA if self.c_fa is None else self.c_fa,
        )

    def check(self, stored: Path | None, option: str) -> None:
        """Raise `InvalidSettings` unless there is something to fit or a ``stored`` map, not both.

        ``option`` is how the stored map was given.
        """
        if stored is None and not self.files:
            raise InvalidSettings(
                "there is nothing to fit on", hint=f"give --dev FILE, or {option} FILE"
            )
        said = {
            "--dev": self.files or None,
            "--dev-protocol": self.protocol,
            "--dev-data": self.data,
            "--method": self.method,
            "--p-spoof": self.p_spoof,
            "--c-miss": self.c_miss,
            "--c-fa": self.c_fa,
            "--ridge": self.ridge,
        }
        if stored is not None and (
            idle := [name for name, value in said.items() if value is not None]
        ):
            raise InvalidSettings(
                f"{option} brings its map and its costs; {', '.join(idle)} would change nothing",
                hint="leave them out, or fit anew",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a map is applied to: score files of a protocol, and how they are to be read."""

    files: tuple[Path, ...]
    protocol: Protocol
    data: Path | None
    negate: bool | None
    column: str | None

    def read(self, terms: Terms, negate: bool | None) -> list[ScoreTable]:
        """Read the files."""
        return [judging.read(file, terms, negate=negate, column=self.column) for file in self.files]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The tables before and after, dev first if something was fitted, and the files written."""

    tables: tuple[ResultTable, ...]
    files: tuple[Path, ...]


def calibrate(
    request: Request, stored: Path | None, target: Target, catalogue: Catalogue, out: Path
) -> Outcome:
    """Fit a calibration, or read the ``stored`` one, and apply it to every file of ``target``.

    Writes ``calibration.json`` and ``dev/`` (if fitted) and ``applied/`` below ``out``.
    """
    request.check(stored, "--calibration")
    metrics = quality_metrics(catalogue)
    dev: DevScores | None = None
    if stored is not None:
        made = maps.read(stored)
        terms = development.terms_for(target.protocol, catalogue, data=target.data)
        remarks = development.remarks_on(made, terms)
    else:
        operation = request.operation
        dev, terms, remarks = _dev_and_target(request, target, catalogue)
        made = maps.fit(
            dev,
            method=request.method or "affine",
            operation=operation,
            ridge=request.ridge or 0.0,
        )
    said = (*made.map.describe(), made.operation.describe())
    copies: dict[Path, ScoreTable] = {}
    tables = []
    if dev is not None:
        after = maps.apply(made, dev.tables[0], str(dev.files[0]))
        copies[out / "dev" / f"{dev.labels[0]}.txt"] = after
        pairs = [(dev.labels[0], dev.tables[0]), (f"{dev.labels[0]}, calibrated", after)]
        stamps = (*said, *_fitted_here(dev))
        tables.append(compare(dev.terms, pairs, made.operation.costs, metrics, stamps))
    read = target.read(terms, fitted.negation(made, target.negate))
    pairs = []
    for file, label, before in zip(target.files, judging.labels(target.files), read, strict=True):
        after = maps.apply(made, before, str(file))
        copies[out / "applied" / f"{label}.txt"] = after
        pairs += [(label, before), (f"{label}, calibrated", after)]
    tables.append(compare(terms, pairs, made.operation.costs, metrics, (*said, *remarks)))
    new = None if dev is None else out / maps.FILE
    return Outcome(tables=tuple(tables), files=_keep(made, new, copies))


def fuse(
    request: Request, stored: Path | None, target: Target, catalogue: Catalogue, out: Path
) -> Outcome:
    """Fit a fusion, or read the ``stored`` one, and fuse the files of ``target``.

    Writes the fused scores to ``out`` and, if fitted, the fusion file beside them.
    """
    request.check(stored, "--fusion")
    metrics = quality_metrics(catalogue)
    dev: DevScores | None = None
    if stored is not None:
        made = fusion.read(stored)
        fusion.check_order(made.labels, target.files)
        terms = development.terms_for(target.protocol, catalogue, data=target.data)
        remarks = development.remarks_on(made, terms)
    else:
        fusion.check_several(request.files)
        fusion.check_order(judging.labels(request.files), target.files)
        operation = request.operation
        dev, terms, remarks = _dev_and_target(request, target, catalogue)
        made = fusion.fit(dev, operation=operation, ridge=request.ridge or 0.0)
    said = (*made.describe(), made.operation.describe())
    tables = []
    if dev is not None:
        after = fusion.apply(made, dev.tables, "dev")
        pairs = [*zip(dev.labels, dev.tables, strict=True), ("fused", after)]
        stamps = (*said, *_fitted_here(dev))
        tables.append(compare(dev.terms, pairs, made.operation.costs, metrics, stamps))
    read = target.read(terms, fitted.negation(made, target.negate))
    fused = fusion.apply(made, read, ", ".join(map(str, target.files)))
    pairs = [*zip(judging.labels(target.files), read, strict=True), ("fused", fused)]
    stamps = (*said, fusion.pairing(made.labels, target.files), *remarks)
    tables.append(compare(terms, pairs, made.operation.costs, metrics, stamps))
    new = None if dev is None else fusion.file_beside(out)
    return Outcome(tables=tuple(tables), files=_keep(made, new, {out: fused}))


def _dev_and_target(
    request: Request, target: Target, catalogue: Catalogue
) -> tuple[DevScores, Terms, tuple[str, ...]]:
    """Read dev scores and the target's trials, kept apart; return what is to be remarked too."""
    protocol = development.dev_protocol_of(request.protocol, target.protocol, catalogue)
    terms = development.terms_for(target.protocol, catalogue, data=target.data)
    dev_terms = development.terms_for(protocol, catalogue, data=request.data, beside=terms)
    remarks = development.check_apart(dev_terms, terms)
    dev = development.read_dev(request.files, dev_terms, negate=target.negate, column=target.column)
    return dev, terms, remarks


def _fitted_here(dev: DevScores) -> tuple[str, ...]:
    turned = ("scores negated (--negate)",) if dev.negated else ()
    return (*turned, "fitted on these trials: the numbers after it flatter")


def _keep(
    made: Calibration | Fusion, file: Path | None, copies: dict[Path, ScoreTable]
) -> tuple[Path, ...]:
    """Write the map, if it is new, and the scores; refuse to replace a file."""
    files = [*([] if file is None else [file]), *copies]
    fitted.check_new(files)
    for place, table in copies.items():
        fitted.write_scores(table, place)
    if file is not None:
        fitted.write(made, file)
    return tuple(files)
