"""The contract of reporters."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from spoofbench.contracts import Reporter
from spoofbench.plugins import catalogue
from spoofbench.specs import ReporterSpec
from spoofbench.statistics.intervals import Interval
from spoofbench.tables import ResultTable, Row
from spoofbench.testing.clauses import Broken, Check, state_untouched

NAMES = ("aasist (official)", "50 % & <b>_odd_</b> | näme", "third")
STAMP = "limited: not a result of this protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterSubject:
    """A reporter's spec, and the reporter."""

    spec: ReporterSpec
    reporter: Reporter

    def written(self, *tables: ResultTable) -> str:
        """Return what is written for ``tables``."""
        stream = io.StringIO()
        self.reporter(tables or (table(),), stream)
        if stream.closed:
            raise Broken("the stream left open", "a closed one", "Write, and leave it.")
        return stream.getvalue()


def table(*names: str, intervals: bool = False) -> ResultTable:
    """Return a table of three runs, one with a metric that could not be computed."""
    metric = catalogue().metrics.get("eer").spec
    interval = Interval(low=0.08, high=0.16, level=0.95, method="percentile", replicates=100)
    rows = [
        Row(
            run=name,
            by=by,
            group=group,
            bonafide=10,
            spoof=20,
            values={"eer": math.nan if place == 2 else 0.1234},
            intervals={"eer": interval} if intervals and place != 2 else {},
        )
        for place, name in enumerate(names or NAMES)
        for by, group in (("", "pooled"), ("attack", "A07"))
    ]
    return ResultTable(
        title="A protocol (some-eval)",
        fingerprint="0" * 64,
        bonafide=10,
        spoof=20,
        stamps=(STAMP,),
        metrics=(metric,),
        rows=tuple(rows),
    )


def every_run_and_number_is_there(subject: ReporterSubject) -> None:
    """Every run is there, with its number."""
    said = subject.written(table("alpha", "beta", "gamma"))
    missing = [name for name in ("alpha", "beta", "gamma", "A07") if name not in said]
    if missing or ("12.34" not in said and "0.1234" not in said):
        raise Broken(
            "every run, group and number",
            f"no {', '.join(missing) or 'EER of 12.34 %'}",
            "Write every row.",
        )


def stamps_are_there(subject: ReporterSubject) -> None:
    """What a table must say, it says: stamps are never left out."""
    if "limited" not in subject.written():
        raise Broken(f"the stamp '{STAMP}'", "none", "Write table.stamps beside the numbers.")


def odd_names_and_missing_numbers_are_survived(subject: ReporterSubject) -> None:
    """Names with signs of markup, numbers that are missing and intervals are survived."""
    subject.written(table(intervals=True))


def several_tables_and_none_are_survived(subject: ReporterSubject) -> None:
    """Two tables are both there; none is no error."""
    said = subject.written(table("alpha"), table("beta"))
    if "alpha" not in said or "beta" not in said:
        raise Broken("both tables", "one", "Write every table.")
    subject.reporter((), io.StringIO())


def the_same_is_written_again(subject: ReporterSubject) -> None:
    """The same tables are written in the same way again, and the process stays as it was."""
    with state_untouched():
        first = subject.written()
    if subject.written() != first:
        raise Broken("the same text twice", "other text", "Write no date and nothing random.")


CLAUSES: tuple[Check, ...] = (
    every_run_and_number_is_there,
    stamps_are_there,
    odd_names_and_missing_numbers_are_survived,
    several_tables_and_none_are_survived,
    the_same_is_written_again,
)
