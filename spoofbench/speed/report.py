"""What was measured, as a table, as JSON, and beside an earlier run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spoofbench import runs
from spoofbench.errors import InvalidRun
from spoofbench.files import write_text
from spoofbench.speed.cases import Case
from spoofbench.speed.measuring import Measured, Ratio, ratio

HEADER = (
    "subject",
    "precision",
    "batch",
    "threads",
    "samples",
    "p50 ms",
    "p95 ms",
    "utterances/s",
    "RTF",
    "peak MB",
    "first s",
    "times the base",
    "largest difference",
)


SETTINGS = ("precision", "batch", "threads", "samples")


def base_of(result: Measured, results: Sequence[Measured], base: str) -> Measured | None:
    """Return what ``result`` is compared with: the base subject in fp32, in the same setting."""
    for other in results:
        same = other.case.setting == result.case.setting
        if same and other.case.subject == base and other.case.precision == "fp32":
            return other
    return None


def rows(results: Sequence[Measured], base: str, bound: float) -> list[tuple[str, ...]]:
    """Return the cells of the table; a row whose scores differ by more than ``bound`` is marked."""
    return [_row(result, base_of(result, results, base), bound) for result in results]


def without_what_is_the_same(
    header: Sequence[str], lines: Sequence[tuple[str, ...]]
) -> tuple[tuple[str, ...], list[tuple[str, ...]], str]:
    """Return the table without settings that are the same in all rows, and these in a line."""
    same = {
        column
        for column, name in enumerate(header)
        if name in SETTINGS and len({line[column] for line in lines}) == 1
    }
    said = ", ".join(f"{header[column]} {lines[0][column]}" for column in sorted(same))
    kept = [column for column in range(len(header)) if column not in same]
    return (
        tuple(header[column] for column in kept),
        [tuple(line[column] for column in kept) for line in lines],
        said,
    )


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines in columns, as wide as they must be: no number is cut or wrapped."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _row(result: Measured, base: Measured | None, bound: float) -> tuple[str, ...]:
    case = result.case
    head = (
        case.subject,
        case.precision,
        str(case.batch),
        str(case.threads),
        f"{case.samples:,}",
    )
    if not result.calls:
        return (*head, *["out of memory"], *[""] * (len(HEADER) - len(head) - 1))
    compared = ratio(result, base) if base is not None and base is not result else None
    return (
        *head,
        f"{1000 * result.median:.1f}",
        f"{1000 * result.p95:.1f}",
        f"{result.throughput:.2f}",
        f"{result.real_time_factor:.4f}",
        f"{max(result.peak_bytes) / 1e6:,.0f}",
        f"{min(result.first_seconds):.1f}" if result.first_seconds else "",
        _times(compared),
        _difference(compared, bound),
    )


def _times(compared: Ratio | None) -> str:
    if compared is None:
        return ""
    return f"{compared.middle:.2f} [{compared.low:.2f}, {compared.high:.2f}]"


def _difference(compared: Ratio | None, bound: float) -> str:
    if compared is None:
        return ""
    mark = " !" if compared.difference > bound else ""
    return f"{compared.difference:.1e}{mark}"


def machine() -> dict[str, Any]:
    """Return what of this machine decides how fast it is; not what it is called."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "versions": dict(runs.versions()),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def write_json(
    results: Sequence[Measured], base: str, profiles: dict[str, Any], file: Path
) -> None:
    """Write everything that was measured to ``file``."""
    table = {
        "schema": 1,
        "machine": machine(),
        "base": base,
        "profiles": profiles,
        "cases": [
            {
                "case": result.case.as_table(),
                "seconds": result.seconds,
                "first_seconds": result.first_seconds,
                "peak_bytes": result.peak_bytes,
                "device_bytes": result.device_bytes,
                "joules": result.joules,
                "scores": result.scores,
                "out_of_memory": result.out_of_memory,
            }
            for result in results
        ],
    }
    write_text(file, json.dumps(table, indent=1) + "\n")


def read_json(file: Path) -> list[Measured]:
    """Read the cases that `write_json` wrote. Raises `InvalidRun`."""
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        return [
            Measured(**{**own, "case": Case(**own["case"])})  # fields are those that were written
            for own in table["cases"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidRun(
            f"{file} cannot be read: {error}", hint="name a file that `speed --json` wrote"
        ) from error


def processor_in(file: Path) -> str:
    """Return what `write_json` wrote of the processor."""
    return str(json.loads(file.read_text(encoding="utf-8"))["machine"]["processor"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A case now and in an earlier run."""

    case: Case
    before: float
    now: float

    @property
    def slower(self) -> float:
        """By which share it is slower now; negative if it is faster."""
        return self.now / self.before - 1

    def __str__(self) -> str:
        """Say it in a line."""
        case = self.case
        return (
            f"{case.subject} {case.precision} batch {case.batch} threads {case.threads} "
            f"samples {case.samples:,} {case.work}: {1000 * self.before:.1f} ms, "
            f"now {1000 * self.now:.1f} ms ({100 * self.slower:+.1f} %)"
        )


def changes(now: Sequence[Measured], before: Sequence[Measured]) -> list[Change]:
    """Return the cases that are in both runs, compared by their medians."""
    old = {result.case: result for result in before if result.calls}
    return [
        Change(case=result.case, before=old[result.case].median, now=result.median)
        for result in now
        if result.case in old and result.calls
    ]
