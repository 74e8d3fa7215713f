"""Runs the packaged benchmark suite and says its rates."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spoofbench.errors import InvalidRun

PARTS = Path(__file__).with_name("parts.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one benchmark of the suite came to."""

    name: str
    seconds: float
    """Median of a call."""
    per_call: float
    unit: str

    @property
    def rate(self) -> float:
        """Units in a second."""
        return self.per_call / self.seconds


def run(wanted: str = "") -> list[Part]:
    """Run the suite, or the benchmarks whose names hold ``wanted``, as pytest's ``-k`` takes it.

    Raises `InvalidRun` where a benchmark fails.
    """
    import pytest

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "benchmarks.json"
        options = [
            *("-q", "--no-header", "-p", "no:cacheprovider", "--rootdir", folder),
            *("-c", str(_empty_configuration(Path(folder)))),
            *("--benchmark-only", "--benchmark-min-rounds=3", "--benchmark-max-time=0.3"),
            *("--benchmark-columns=median,iqr,rounds", f"--benchmark-json={file}"),
            *(["-k", wanted] if wanted else []),
        ]
        code = pytest.main([str(PARTS), *options])
        if code != pytest.ExitCode.OK or not file.is_file():
            raise InvalidRun(
                f"the suite ended with {pytest.ExitCode(code).name}", hint="see what it says above"
            )
        return parts_of(file)


def parts_of(file: Path) -> list[Part]:
    """Return the benchmarks in a file that pytest-benchmark wrote."""
    return [
        Part(
            name=own["name"].removeprefix("test_"),
            seconds=own["stats"]["median"],
            per_call=own["extra_info"]["per_call"],
            unit=own["extra_info"]["unit"],
        )
        for own in json.loads(file.read_text(encoding="utf-8"))["benchmarks"]
    ]


def lines(parts: Sequence[Part]) -> list[tuple[str, str, str]]:
    """Return name, time of a call and rate of each part."""
    return [
        (part.name, f"{1000 * part.seconds:,.3f} ms", f"{part.rate:,.0f} {part.unit}/s")
        for part in parts
    ]


def _empty_configuration(folder: Path) -> Path:
    """Return a configuration of pytest's that holds nothing, so that none of the user's is read."""
    file = folder / "pytest.ini"
    file.write_text("[pytest]\n", encoding="utf-8")
    return file
